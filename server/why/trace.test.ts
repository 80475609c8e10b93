import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eni, group, local, snapshot, subnet, table, tcp, toIgw, vpc } from '../../tests/flows/snapshots.ts';
import { traceFlow } from './trace.ts';

const network = snapshot(
  vpc({
    internetGatewayId: 'igw-1',
    subnets: [subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-public' }), subnet('2', '10.0.1.0/24')],
    routeTables: [table('rtb-main', local('10.0.0.0/16')), table('rtb-public', local('10.0.0.0/16'), toIgw)],
    networkInterfaces: [eni('a', '1', '10.0.0.10', { publicAddress: '198.19.0.10' }), eni('b', '2', '10.0.1.10', { groupIds: ['sg-web'] })],
    securityGroups: [group('sg-open', [tcp(22)]), group('sg-web', [tcp(80)])],
  }),
); // biome-ignore format: a network

const drops = (answer: ReturnType<typeof traceFlow>) =>
  answer.steps.filter((step) => step.verdict === 'drop').map((step) => `${step.component}: ${step.because}`);

test('an instance is its private address from inside and its public one from the internet', () => {
  const inside = traceFlow(network, { from: 'i-b', to: 'i-a', protocol: 'tcp', port: 22 });
  assert.deepEqual([inside.verdict, inside.address, inside.arrival], ['open', '10.0.0.10', 'eni-a']);
  const outside = traceFlow(network, { from: 'internet', to: 'i-a', protocol: 'tcp', port: 22 });
  assert.deepEqual([outside.verdict, outside.address], ['open', '198.19.0.10']);
  assert.throws(() => traceFlow(network, { from: 'internet', to: 'i-b', protocol: 'icmp' }), /no public address/);
});

test('every obstacle is named, with AWS’s code and in words', () => {
  const answer = traceFlow(network, { from: 'eni-b', to: 's3.us-east-1.amazonaws.com', protocol: 'tcp', port: 443 });
  assert.equal(answer.address, '198.18.1.1');
  assert.deepEqual(drops(answer), ['rtb-main: no route to 198.18.1.1']);
  assert.equal(answer.steps.at(-1)?.code, 'NO_ROUTE_TO_DESTINATION');
  const closed = traceFlow(network, { from: 'i-a', to: 'i-b', protocol: 'tcp', port: 22 });
  assert.deepEqual(drops(closed), ['eni-b: no inbound rule of sg-web allows tcp 22 from 10.0.0.10 to 10.0.1.10']);
});

test('what does not exist is said', () => {
  assert.throws(() => traceFlow(network, { from: 'i-x', to: 'i-a', protocol: 'icmp' }), /No instance i-x runs/);
  assert.throws(() => traceFlow(network, { from: 'i-a', to: 'x.internal', protocol: 'icmp' }), /has no address/);
  for (const to of ['300.1.1.1', '10.0.0', 'x:y', '1::2::3'])
    assert.throws(() => traceFlow(network, { from: 'internet', to, protocol: 'icmp' }), /is no address/, to);
});

test('a subnet that is excluded from block public access for egress is excluded for all: the exclusion is changed, for a second is refused', () => {
  const of = (more: object) => {
    const [only] = network.vpcs;
    const subnets = only?.subnets.map((each) => ({ ...each, blockPublicAccess: 'block-ingress' as const, ...more }));
    return { ...network, vpcs: only === undefined ? [] : [{ ...only, subnets: subnets ?? [] }] };
  };
  const question = { from: 'internet', to: 'i-a', protocol: 'tcp', port: 22 } as const;
  const commands = (more: object) =>
    traceFlow(of(more), question).cure?.plans[0]?.steps.flatMap((step) => step.commands);
  const mode = '--internet-gateway-exclusion-mode allow-bidirectional';
  assert.deepEqual(commands({}), [`aws ec2 create-vpc-block-public-access-exclusion --subnet-id subnet-1 ${mode}`]);
  assert.deepEqual(commands({ publicAccessExclusionId: 'vpcbpa-exclude-1' }), [
    `aws ec2 modify-vpc-block-public-access-exclusion --exclusion-id vpcbpa-exclude-1 ${mode}`,
  ]);
});

test('from the internet to an IPv6 address the source is one too', () => {
  const six = snapshot(
    vpc({
      internetGatewayId: 'igw-1',
      ipv6CidrBlocks: ['2001:db8:1010:100::/56'],
      subnets: [subnet('1', '10.0.0.0/24', { ipv6CidrBlock: '2001:db8:1010:100::/64' })],
      networkInterfaces: [eni('a', '1', '10.0.0.10', { ipv6Addresses: ['2001:db8:1010:100::a'] })],
    }),
  );
  const answer = traceFlow(six, { from: 'internet', to: '2001:db8:1010:100::a', protocol: 'tcp', port: 22 });
  assert.equal(answer.source, '2001:db8:f000::10');
});
