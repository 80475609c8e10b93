import assert from 'node:assert/strict';
import { test } from 'node:test';
import { servicePlan } from './addresses.ts';
import {
  certifiedName,
  coversName,
  endpointDnsNames,
  endpointService,
  endpointServicesOf,
} from './endpoint-services.ts';
import { noGateways, type Snapshot } from './snapshot.ts';

test('[X4] [X5] services have the names that AWS gives them', () => {
  const names = (service: string) => endpointService(`com.amazonaws.us-east-1.${service}`)?.privateDnsNames;
  assert.deepEqual(names('ssm'), ['ssm.us-east-1.amazonaws.com']);
  assert.deepEqual(names('ecr.dkr'), ['dkr.ecr.us-east-1.amazonaws.com', '*.dkr.ecr.us-east-1.amazonaws.com']);
  assert.deepEqual(names('ecs-agent'), ['ecs-a.us-east-1.amazonaws.com']);
  assert.deepEqual(names('transfer.server'), []);
  assert.deepEqual(endpointService('com.amazonaws.iam')?.privateDnsNames, ['iam.amazonaws.com']);
  assert.equal(endpointService('com.amazonaws.cn-north-1.ec2')?.privateDnsNames[0], 'ec2.cn-north-1.amazonaws.com.cn');
  assert.equal(endpointService('com.amazonaws.us-east-1.iam'), undefined);
  assert.equal(endpointService('com.amazonaws.nowhere-1.s3'), undefined);
  assert.equal(endpointServicesOf('nowhere-1').size, 0);
});

test('every service of the address plan can have an endpoint, or AWS has none for it', () => {
  const known = new Set([...endpointServicesOf('us-east-1').values()].map((each) => each.service));
  const without = Object.keys(servicePlan).filter((service) => !known.has(service));
  assert.deepEqual(without, ['ec2-instance-connect', 'other']);
});

test('a star stands for any number of labels, and for none at all it does not', () => {
  assert.ok(coversName(['*.s3.test'], 'a.s3.test') && coversName(['*.s3.test'], 'a.b.s3.test'));
  assert.ok(
    !coversName(['*.s3.test'], 's3.test') && !coversName(['s3.test'], 'a.s3.test') && !coversName([], 's3.test'),
  );
});

test('one endpoint carries one service: its certificate is for its own names, whatever is asked for', () => {
  const endpoint = (service: string, id: `vpce-${string}`) => {
    const serviceName = `com.amazonaws.us-east-1.${service}`;
    const dnsNames = endpointDnsNames({ id, serviceName, dnsLabel: 'abcdefgh' }, [
      { networkInterfaceId: 'eni-1', availabilityZone: 'us-east-1a' },
    ]);
    return {
      vpcEndpointId: id,
      service,
      serviceRegion: 'us-east-1',
      networkInterfaceIds: [],
      dnsNames,
      privateDnsNames: [],
    };
  };
  const snapshot = {
    revision: 1, peeringConnections: [], prefixLists: [],
    vpcs: [{ ...noGateways, interfaceEndpoints: [endpoint('ssm', 'vpce-1'), endpoint('s3', 'vpce-2')] }],
  } as unknown as Snapshot; // biome-ignore format: few words
  const ssm = (asked: string | undefined) => certifiedName(snapshot, 'vpce-1', asked);
  for (const own of [
    'ssm.us-east-1.amazonaws.com',
    'vpce-1-abcdefgh.ssm.us-east-1.vpce.amazonaws.com',
    'vpce-1-abcdefgh-us-east-1a.ssm.us-east-1.vpce.amazonaws.com',
  ])
    assert.equal(ssm(own), own);
  for (const other of ['s3.us-east-1.amazonaws.com', 'ssm.eu-west-1.amazonaws.com', 'example.com', undefined])
    assert.equal(ssm(other), 'ssm.us-east-1.amazonaws.com');
  for (const own of ['b.bucket.vpce-2-abcdefgh.s3.us-east-1.vpce.amazonaws.com', 'b.s3.us-east-1.amazonaws.com'])
    assert.equal(certifiedName(snapshot, 'vpce-2', own), own);
  assert.equal(certifiedName(snapshot, 'vpce-2', 'sts.us-east-1.amazonaws.com'), 's3.us-east-1.amazonaws.com');
  assert.equal(certifiedName(snapshot, 'vpce-3', 's3.us-east-1.amazonaws.com'), undefined);
});
