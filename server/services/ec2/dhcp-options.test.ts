import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CreateDhcpOptionsResult, DescribeVpcsResult } from '@aws-sdk/client-ec2';
import { awsError } from '../../testing.ts';
import { makeVpc, makeWorld } from './testing.ts';

test('a set is made, given to a VPC, kept while in use and taken back with `default`', async () => {
  const world = makeWorld();
  const VpcId = await makeVpc(world);
  const { DhcpOptions } = await world.run<CreateDhcpOptionsResult>('CreateDhcpOptions', {
    DhcpConfigurations: [
      { Key: 'domain-name', Values: ['corp.example'] },
      { Key: 'domain-name-servers', Values: ['10.0.0.10,AmazonProvidedDNS'] },
    ],
  });
  const DhcpOptionsId = DhcpOptions?.DhcpOptionsId;
  assert.deepEqual(DhcpOptions?.DhcpConfigurations?.[1]?.Values, [
    { Value: '10.0.0.10' },
    { Value: 'AmazonProvidedDNS' },
  ]);
  await world.run('AssociateDhcpOptions', { DhcpOptionsId, VpcId });
  await assert.rejects(
    world.run('DeleteDhcpOptions', { DhcpOptionsId }),
    awsError('DependencyViolation', `The dhcpOptions '${DhcpOptionsId}' has dependencies and cannot be deleted.`),
  );
  await world.run('AssociateDhcpOptions', { DhcpOptionsId: 'default', VpcId });
  const { Vpcs } = await world.run<DescribeVpcsResult>('DescribeVpcs', { VpcIds: [VpcId] });
  assert.equal(Vpcs?.[0]?.DhcpOptionsId, 'default');
  await world.run('DeleteDhcpOptions', { DhcpOptionsId });
});

test('unknown options, unfit values and bad ids are refused', async () => {
  const world = makeWorld();
  const create = (Key: string, ...Values: string[]) =>
    world.run('CreateDhcpOptions', { DhcpConfigurations: [{ Key, Values }] });
  await assert.rejects(create('colour', 'red'), awsError('InvalidParameterValue'));
  await assert.rejects(create('domain-name-servers', 'nonsense'), awsError('InvalidParameterValue'));
  await assert.rejects(create('netbios-node-type', '3'), awsError('InvalidParameterValue'));
  await assert.rejects(
    create('domain-name-servers', '10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5'),
    awsError('InvalidParameterValue'),
  );
  await assert.rejects(
    world.run('DeleteDhcpOptions', { DhcpOptionsId: 'foo' }),
    awsError('InvalidDhcpOptionsId.Malformed'),
  );
  await assert.rejects(
    world.run('AssociateDhcpOptions', { DhcpOptionsId: 'dopt-12345678', VpcId: await makeVpc(world) }),
    awsError('InvalidDhcpOptionID.NotFound', "The dhcpOption ID 'dopt-12345678' does not exist"),
  );
});

test('no value can begin a line of its own in an instance’s resolv.conf', async () => {
  const world = makeWorld();
  const create = (Key: string, ...Values: string[]) =>
    world.run('CreateDhcpOptions', { DhcpConfigurations: [{ Key, Values }] });
  for (const name of ['a.example\nnameserver 192.0.2.1', 'a.example\0', 'a\rb', 'a.example\tb', '$(reboot)', ''])
    await assert.rejects(create('domain-name', name), awsError('InvalidParameterValue'), JSON.stringify(name));
  await assert.rejects(
    create('domain-name-servers', 'fd00::1\nnameserver 192.0.2.1'),
    awsError('InvalidParameterValue'),
  );
  await assert.rejects(create('ntp-servers', 'a:b'), awsError('InvalidParameterValue'));
  await create('domain-name', 'corp.example lab.example');
  await create('domain-name-servers', 'fd00:ec2::253');
});
