// Check files held against clouds of our own, in rows: flows by reach, permissions by the policy engine.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { check } from '@postern/check/check.ts';
import { readDocument } from '@postern/check/document.ts';
import type { Result } from '@postern/check/report.ts';
import { buildSnapshot } from '../control/snapshot.ts';
import {
  makeGateway,
  makeGroup,
  makeRouteTable,
  makeSubnet,
  makeVpc,
  makeWorld,
  type World,
} from '../services/ec2/testing.ts';
import { testNow } from '../testing.ts';
import { estateOf } from './estate.ts';

function ask(world: World, yaml: string): readonly Result[] {
  const read = readDocument(yaml);
  assert.ok(read.ok, JSON.stringify(read));
  return world.store.read((tx) => check(estateOf(tx, buildSnapshot(tx, 0), testNow), read.assertions).results);
}

const outcomes = (world: World, yaml: string) =>
  ask(world, yaml).map(({ outcome, message }) => (message === '' ? outcome : `${outcome}: ${message}`));

async function launch(world: World, name: string, SubnetId: string, group: string): Promise<string> {
  const { Instances } = await world.run<{ Instances: { InstanceId: string }[] }>('RunInstances', {
    ImageId: 'ami-0123456789abcdef0',
    MinCount: 1,
    MaxCount: 1,
    SubnetId,
    SecurityGroupIds: [group],
    TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'Name', Value: name }] }],
  });
  return Instances[0]?.InstanceId ?? '';
}

const tag = (world: World, id: string, Value: string) =>
  world.run('CreateTags', { Resources: [id], Tags: [{ Key: 'Name', Value }] });

describe('a public subnet with a web server, a private one with a database, and a gateway endpoint', () => {
  let world: World;
  let ids: {
    vpc: string;
    web: string;
    db: string;
    webGroup: string;
    dbGroup: string;
    privateTable: string;
    endpoint: string;
  };

  before(async () => {
    world = makeWorld();
    const vpc = await makeVpc(world);
    await tag(world, vpc, 'prod');
    const [open, closed] = [await makeSubnet(world, vpc), await makeSubnet(world, vpc, '10.0.1.0/24')];
    await tag(world, open, 'public');
    await tag(world, closed, 'private');
    await world.run('ModifySubnetAttribute', { SubnetId: open, MapPublicIpOnLaunch: { Value: true } });
    const GatewayId = await makeGateway(world, vpc);
    const [publicTable, privateTable] = [await makeRouteTable(world, vpc), await makeRouteTable(world, vpc)];
    await world.run('CreateRoute', { RouteTableId: publicTable, DestinationCidrBlock: '0.0.0.0/0', GatewayId });
    await world.run('AssociateRouteTable', { RouteTableId: publicTable, SubnetId: open });
    await world.run('AssociateRouteTable', { RouteTableId: privateTable, SubnetId: closed });
    const [webGroup, dbGroup] = [await makeGroup(world, vpc, 'web'), await makeGroup(world, vpc, 'db')];
    const permit = (GroupId: string, port: number, peer: object) =>
      world.run('AuthorizeSecurityGroupIngress', {
        GroupId,
        IpPermissions: [{ IpProtocol: 'tcp', FromPort: port, ToPort: port, ...peer }],
      });
    await permit(webGroup, 443, { IpRanges: [{ CidrIp: '0.0.0.0/0' }] });
    await permit(dbGroup, 5432, { UserIdGroupPairs: [{ GroupId: webGroup }] });
    const [web, db] = [await launch(world, 'web', open, webGroup), await launch(world, 'db', closed, dbGroup)];
    const { VpcEndpoint } = await world.run<{ VpcEndpoint: { VpcEndpointId: string } }>('CreateVpcEndpoint', {
      VpcId: vpc,
      ServiceName: 'com.amazonaws.us-east-1.s3',
      RouteTableIds: [privateTable],
    });
    ids = { vpc, web, db, webGroup, dbGroup, privateTable, endpoint: VpcEndpoint.VpcEndpointId };
  });

  test('what is true holds', () => {
    assert.deepEqual(
      outcomes(
        world,
        `
checks:
  - { from: subnet private, reaches: s3, only-through: vpce }
  - { from: subnet private, reaches: s3, only-through: ${ids.endpoint} }
  - { from: internet, does-not-reach: sg db }
  - { from: sg web, reaches: sg db, traffic: tcp 5432 }
  - { from: internet, reaches: instance web, traffic: tcp 443 }
  - { from: subnet private in prod, does-not-reach: internet }
  - { from: 203.0.113.0/24, reaches: instance web, traffic: tcp 443 }
  - { from: sg db, does-not-reach: [internet, sts] }
  - { from: sg web, reaches: [s3, sts, internet], traffic: tcp 443 }
`,
      ),
      Array.from({ length: 9 }, () => 'holds'),
    );
  });

  test('what is not fails with a flow that shows it, the step that decides, and the command', () => {
    const [open, closed, astray] = ask(
      world,
      `
checks:
  - { from: internet, does-not-reach: subnet public }
  - { from: sg web, reaches: sg db, traffic: tcp 22 }
  - { from: subnet public, reaches: s3, only-through: vpce }
`,
    );
    assert.equal(open?.outcome, 'fails');
    assert.equal(open?.evidence?.deciding?.stage, 'sg-ingress');
    assert.match(open?.evidence?.flow ?? '', /^tcp 443 from 203\.0\.113\.50 to 198\.19\./);
    assert.equal(open?.evidence?.between, `the internet to web (${ids.web})`);
    assert.match(
      open?.evidence?.mend[0] ?? '',
      new RegExp(`^aws ec2 revoke-security-group-ingress --group-id ${ids.webGroup} --security-group-rule-ids sgr-`),
    );
    assert.equal(closed?.outcome, 'fails');
    assert.equal(closed?.evidence?.deciding?.code, 'ENI_SG_RULES_MISMATCH');
    assert.match(
      closed?.message ?? '',
      new RegExp(
        `^web \\(${ids.web}\\) does not reach db \\(${ids.db}\\) on tcp 22: no inbound rule of ${ids.dbGroup} allows`,
      ),
    );
    assert.equal(astray?.outcome, 'fails');
    assert.match(astray?.message ?? '', /through igw-/);
    assert.match(
      astray?.evidence?.mend[0] ?? '',
      /^aws ec2 modify-vpc-endpoint --vpc-endpoint-id vpce-\S+ --add-route-table-ids rtb-/,
    );
  });

  test('packets to show it with go between two interfaces, and only where the model says as the assertion does', () => {
    const [inside, db] = ask(
      world,
      'checks: [{ from: vpc prod, does-not-reach: vpc prod, traffic: [udp 53, icmp] }, { from: sg web, reaches: sg db, traffic: tcp 5432 }]',
    );
    assert.equal(inside?.outcome, 'holds');
    assert.deepEqual(inside?.probes.map(({ from, to, protocol, expected }) => [from.kind === 'instance' && from.instanceId, to.instanceId, protocol, expected]), [
      [ids.web, ids.db, 'udp', 'dropped'], [ids.web, ids.db, 'icmp', 'dropped'], [ids.db, ids.web, 'udp', 'dropped'], [ids.db, ids.web, 'icmp', 'dropped'],
    ]); // biome-ignore format: a table
    assert.deepEqual(
      db?.probes.map(({ to, port, expected }) => [to.instanceId, port, expected]),
      [[ids.db, 5432, 'open']],
    );
  });

  test('an end that means nothing is an error with the nearest name; one that has nobody fails; allow-empty lets both be', () => {
    const seen = outcomes(
      world,
      `
checks:
  - { from: internet, does-not-reach: sg dbs }
  - { from: subnet privat, does-not-reach: internet }
  - { from: subnet private in prd, does-not-reach: internet }
  - { from: sg default, does-not-reach: internet }
  - { from: sg default, does-not-reach: internet, allow-empty: true }
  - { from: sg nobody, does-not-reach: internet, allow-empty: true }
  - { from: 10.0.9.0/24, does-not-reach: internet }
  - { from: sg web, may-reach: s3, only-through: vpce-0 }
  - { from: internet, does-not-reach: web }
`,
    );
    assert.match(seen[0] ?? '', /^error: to: there is no security group dbs; did you mean 'db'\?/);
    assert.match(seen[1] ?? '', /^error: from: there is no subnet privat; did you mean 'private'\?/);
    assert.match(seen[2] ?? '', /^error: from: there is no VPC prd; did you mean 'prod'\?/);
    assert.match(
      seen[3] ?? '',
      /^fails: sg default \(sg-\S+ …\) has no interface that can send, so nothing was checked/,
    );
    assert.match(seen[4] ?? '', /^holds: nothing to check/);
    assert.match(seen[5] ?? '', /^holds: nothing to check/);
    assert.match(seen[6] ?? '', /^fails: no interface that carries packets has an address in 10\.0\.9\.0\/24/);
    assert.equal(
      seen[8],
      "error: to: 'web' is the name of an instance and of a security group; say which: 'instance web'",
    );
    assert.equal(seen[7], 'error: only-through: there is no vpce-0');
  });
});
