// Lines of flow logs, as AWS's pages write them. The cases with a NAT gateway are those of flow-logs-records-examples.html.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FlowCount } from '@postern/fabric/types.ts';
import { defaultFlowLogFormat, isFlowLogFormat, namesInFormat, readFlowLogFormat } from '../flow-log-format.ts';
import { flowLine, type LoggedInterface, mergeFlows, statusLine } from './records.ts';

const eni: LoggedInterface = {
  networkInterfaceId: 'eni-1',
  accountId: '123456789012',
  region: 'us-east-1',
  vpcId: 'vpc-1',
  subnetId: 'subnet-1',
  availabilityZoneId: 'use1-az1',
  instanceId: 'i-1',
  isNitro: true,
  primaryAddress: '10.0.1.5',
  ipv6Addresses: ['2001:db8:1000::5'],
};
const window = { startMs: 60_000, endMs: 120_000 };

function flow(options: Partial<FlowCount> = {}): FlowCount {
  return {
    networkInterfaceId: 'eni-1',
    direction: 'egress',
    action: 'ACCEPT',
    path: 'vpc',
    protocol: 6,
    sourceAddress: '10.0.1.5',
    destinationAddress: '10.0.0.9',
    sourcePort: 40_000,
    destinationPort: 22,
    tcpFlags: 3,
    packets: 20,
    bytes: 4249,
    firstAtMs: 61_000,
    ...options,
  };
}

/** Names → a format. */
const formatOf = (names: string) => names.replaceAll(/[a-z-]+/g, (name) => `\${${name}}`);

const say = (names: string, options: Partial<FlowCount> = {}, on: Partial<LoggedInterface> = {}) =>
  flowLine(readFlowLogFormat(formatOf(names)), { ...eni, ...on }, window, flow(options));

test('[L7] the default line', () => {
  assert.equal(say(defaultFlowLogFormat), '2 123456789012 eni-1 10.0.1.5 10.0.0.9 40000 22 6 20 4249 61 120 ACCEPT OK');
});

test('[L9] an interface without traffic, and one with too much', () => {
  const format = readFlowLogFormat(defaultFlowLogFormat);
  assert.equal(statusLine(format, eni, window, 'NODATA'), '2 123456789012 eni-1 - - - - - - - 60 120 - NODATA');
  assert.equal(statusLine(format, eni, window, 'SKIPDATA'), '2 123456789012 eni-1 - - - - - - - 60 120 - SKIPDATA');
});

test('[L7] a record of one packet begins and ends with it, and none begins before its window', () => {
  assert.equal(say('start end', { packets: 1 }), '61 61');
  assert.equal(say('start end', { firstAtMs: 10_000 }), '60 120');
});

test('[L7] the version is that of the newest field; what is not known is a dash', () => {
  const metadata = 'version vpc-id subnet-id instance-id region az-id sublocation-id type flow-direction';
  assert.equal(say(metadata), '5 vpc-1 subnet-1 i-1 us-east-1 use1-az1 - IPv4 egress');
  assert.equal(say('version vpc-id tcp-flags'), '3 vpc-1 3');
  assert.equal(say('version reject-reason', { action: 'REJECT', isBlockedPublicAccess: true }), '8 BPA');
});

test('[L12] a NAT gateway’s own side is shown as its address, and the packet’s stay in pkt-srcaddr and pkt-dstaddr', () => {
  const format = 'srcaddr dstaddr pkt-srcaddr pkt-dstaddr';
  const gateway = { primaryAddress: '10.0.0.220' };
  const ends = (direction: 'ingress' | 'egress', sourceAddress: string, destinationAddress: string) =>
    say(format, { direction, sourceAddress, destinationAddress }, gateway);
  assert.equal(ends('ingress', '10.0.1.5', '203.0.113.5'), '10.0.1.5 10.0.0.220 10.0.1.5 203.0.113.5');
  assert.equal(ends('egress', '10.0.0.220', '203.0.113.5'), '10.0.0.220 203.0.113.5 10.0.0.220 203.0.113.5');
  assert.equal(ends('ingress', '203.0.113.5', '10.0.0.220'), '203.0.113.5 10.0.0.220 203.0.113.5 10.0.0.220');
  assert.equal(ends('egress', '203.0.113.5', '10.0.1.5'), '10.0.0.220 10.0.1.5 203.0.113.5 10.0.1.5');
  const ipv6 = { sourceAddress: '2001:db8:1000::5', destinationAddress: '2001:db8:1000::9' };
  assert.equal(say('srcaddr type', ipv6), '2001:db8:1000::5 IPv6');
});

test('[L8] the way out has a number, and another one on instances of Nitro; the way in has none', () => {
  const numbers = (isNitro: boolean) =>
    (['vpc', 'internet-gateway', 'gateway-endpoint', 'peering', 'inter-region-peering', 'none'] as const).map((path) =>
      say('traffic-path', { path }, { isNitro }),
    );
  assert.deepEqual(numbers(true), ['1', '8', '7', '4', '5', '-']);
  assert.deepEqual(numbers(false), ['1', '2', '2', '4', '5', '-']);
  assert.equal(say('traffic-path', { direction: 'ingress' }), '-');
});

test('[L7] services are named by their public addresses', () => {
  const named = (destinationAddress: string) => say('pkt-src-aws-service pkt-dst-aws-service', { destinationAddress });
  assert.equal(named('198.18.1.1'), '- S3');
  assert.equal(named('198.18.1.65'), '- DYNAMODB');
  assert.equal(named('198.18.1.131'), '- AMAZON');
  assert.equal(named('198.19.0.7'), '- EC2');
  assert.equal(named('203.0.113.80'), '- -');
});

test('[L11] readings of one window become one record, their flags or-ed', () => {
  const [merged, other] = mergeFlows([
    flow({ tcpFlags: 2, packets: 1, bytes: 60, firstAtMs: 70_000 }),
    flow({ tcpFlags: 1, packets: 2, bytes: 104, firstAtMs: 65_000 }),
    flow({ action: 'REJECT' }),
  ]);
  assert.deepEqual(merged, flow({ tcpFlags: 3, packets: 3, bytes: 164, firstAtMs: 65_000 }));
  assert.equal(other?.action, 'REJECT');
});

test('a format is fields with one space between them', () => {
  const right = formatOf('version srcaddr');
  assert.equal(isFlowLogFormat(right), true);
  for (const wrong of ['', 'version', right.replace(' ', '  '), ` ${right}`, `${right} `, right.replace(' ', ',')])
    assert.equal(isFlowLogFormat(wrong), false, wrong);
  assert.deepEqual(namesInFormat(formatOf('version what')), ['version', 'what']);
});
