import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type NetworkAclEntry, noGateways, type Snapshot, type Vpc } from '@postern/network/snapshot.ts';
import { diagnoseConnect } from './connect-diagnosis.ts';

const all = { protocol: -1, cidr: '0.0.0.0/0', action: 'allow', ruleNumber: 100 } as const satisfies NetworkAclEntry;

/** A VPC in which port 22 of i-1 is reachable. */
const good: Vpc = {
  vpcId: 'vpc-1',
  ownerId: '123456789012',
  region: 'us-east-1',
  cidrBlocks: ['10.0.0.0/16'],
  enableDnsSupport: true,
  enableDnsHostnames: false,
  internetGatewayId: 'igw-1',
  subnets: [{ subnetId: 'subnet-1', cidrBlock: '10.0.0.0/24', availabilityZone: 'us-east-1a', routeTableId: 'rtb-1', networkAclId: 'acl-1' }],
  routeTables: [
    {
      routeTableId: 'rtb-1',
      routes: [
        { destination: { kind: 'cidr', cidr: '10.0.0.0/16' }, target: { kind: 'local' }, state: 'active' },
        { destination: { kind: 'cidr', cidr: '0.0.0.0/0' }, target: { kind: 'internet-gateway', internetGatewayId: 'igw-1' }, state: 'active' },
      ],
    },
  ],
  networkAcls: [{ networkAclId: 'acl-1', ingress: [all], egress: [all] }],
  securityGroups: [
    { groupId: 'sg-1', ingress: [{ ruleId: 'sgr-1', protocol: 6, ports: { from: 22, to: 22 }, peer: { kind: 'cidr', cidr: '203.0.113.10/32' } }], egress: [] },
  ],
  networkInterfaces: [
    {
      networkInterfaceId: 'eni-1', subnetId: 'subnet-1', macAddress: '0e:00:00:00:00:01', ipv6Addresses: [], groupIds: ['sg-1'], sourceDestCheck: true,
      privateAddresses: [{ address: '10.0.0.4', primary: true, publicAddress: '198.19.0.7' }], attachment: { instanceId: 'i-1', deviceIndex: 0 },
    },
  ],
  instances: [{ instanceId: 'i-1', metadata: { enabled: true, hopLimit: 1 } }],
  ...noGateways,
}; // biome-ignore format: one line per resource

const [table] = good.routeTables;
const [acl] = good.networkAcls;
const [card] = good.networkInterfaces;
assert.ok(table && acl && card);

function find(change: Partial<Vpc>, state = 'running') {
  const snapshot: Snapshot = {
    revision: 1,
    vpcs: [{ ...good, ...change }],
    peeringConnections: [],
    transitGateways: [],
    prefixLists: [{ prefixListId: 'pl-1', cidrs: ['203.0.113.0/24'] }],
  };
  return diagnoseConnect(snapshot, { instanceId: 'i-1', port: 22, state });
}
const problems = (change: Partial<Vpc>) => find(change).findings.map(({ problem }) => problem);

test('nothing is missing: no findings, and the addresses', () => {
  assert.deepEqual(find({}), { publicIp: '198.19.0.7', privateIp: '10.0.0.4', findings: [] });
});

test('[I2] no public address', () => {
  const [finding] = find({
    networkInterfaces: [{ ...card, privateAddresses: [{ address: '10.0.0.4', primary: true }] }],
  }).findings;
  assert.match(finding?.problem ?? '', /eni-1 has no public address/);
  assert.match(finding?.cure ?? '', /^aws ec2 associate-address/);
});

test('[I7] without a public IPv4 address the IPv6 one is asked for, and the cures name IPv6', () => {
  const six = {
    networkInterfaces: [
      {
        ...card,
        privateAddresses: [{ address: '10.0.0.4', primary: true }],
        ipv6Addresses: ['2001:db8:1010:101::a'],
      },
    ],
  };
  const { publicIp, findings } = find(six);
  assert.equal(publicIp, '2001:db8:1010:101::a');
  const cures = findings.map(({ cure }) => cure ?? '');
  assert.equal(cures.length, 4);
  assert.match(cures[0] ?? '', /create-route .* --destination-ipv6-cidr-block ::\/0 --gateway-id igw-1$/);
  assert.match(cures[1] ?? '', /--ingress .* --ipv6-cidr-block 2001:db8:f000::10\/128 --rule-action allow$/);
  assert.match(cures[3] ?? '', /--ip-permissions 'IpProtocol=tcp,.*CidrIpv6=2001:db8:f000::10\/128}\]'$/);
  const all6 = { ...all, cidr: '::/0' } as const;
  const toGateway = { kind: 'internet-gateway', internetGatewayId: 'igw-1' } as const;
  const route = { destination: { kind: 'cidr', cidr: '::/0' }, target: toGateway, state: 'active' } as const;
  const open = {
    ...six,
    routeTables: [{ ...table, routes: [...table.routes, route] }],
    networkAcls: [{ ...acl, ingress: [all, all6], egress: [all, all6] }],
    securityGroups: [
      {
        groupId: 'sg-1',
        ingress: [{ ruleId: 'sgr-1', protocol: -1, peer: { kind: 'cidr', cidr: '2001:db8:f000::/48' } }],
        egress: [],
      },
    ],
  } as const;
  assert.deepEqual(find(open).findings, []);
});

test('[I1] the cures can be run from the top: an address is associated only after there is a gateway', () => {
  const { internetGatewayId: _gone, ...without } = good;
  const networkInterfaces = [{ ...card, privateAddresses: [{ address: '10.0.0.4', primary: true } as const] }];
  const snapshot: Snapshot = {
    revision: 1,
    vpcs: [{ ...without, networkInterfaces }],
    peeringConnections: [],
    transitGateways: [],
    prefixLists: [],
  };
  const { findings } = diagnoseConnect(snapshot, { instanceId: 'i-1', port: 22 });
  assert.deepEqual(
    findings.slice(0, 2).map(({ cure }) => cure?.split(' ')[2]),
    ['attach-internet-gateway', 'associate-address'],
  );
});

test('a stopped instance is started in its own region', () => {
  const question = { instanceId: 'i-2', port: 22, state: 'stopped', region: 'eu-west-1' } as const;
  const [finding] = diagnoseConnect(
    { revision: 1, vpcs: [], peeringConnections: [], transitGateways: [], prefixLists: [] },
    question,
  ).findings;
  assert.equal(finding?.cure, 'aws ec2 start-instances --region eu-west-1 --instance-ids i-2');
});

test('[I1] no gateway, no route to it, another target, a blackhole', () => {
  const { internetGatewayId: _gone, ...without } = good;
  const snapshot: Snapshot = {
    revision: 1,
    vpcs: [without],
    peeringConnections: [],
    transitGateways: [],
    prefixLists: [],
  };
  assert.match(
    diagnoseConnect(snapshot, { instanceId: 'i-1', port: 22 }).findings[0]?.problem ?? '',
    /no internet gateway attached/,
  );
  const routes = table.routes.slice(0, 1);
  const [finding] = find({ routeTables: [{ ...table, routes }] }).findings;
  assert.equal(
    finding?.cure,
    'aws ec2 create-route --region us-east-1 --route-table-id rtb-1 --destination-cidr-block 0.0.0.0/0 --gateway-id igw-1',
  );
  const elsewhere = {
    destination: { kind: 'prefix-list', prefixListId: 'pl-1' },
    target: { kind: 'network-interface', networkInterfaceId: 'eni-9' },
    state: 'active',
  } as const;
  assert.match(
    problems({ routeTables: [{ ...table, routes: [...table.routes, elsewhere] }] })[0] ?? '',
    /sends 203\.0\.113\.10 to eni-9/,
  );
  const blackhole = { ...elsewhere, state: 'blackhole' } as const;
  assert.match(problems({ routeTables: [{ ...table, routes: [...table.routes, blackhole] }] })[0] ?? '', /blackhole/);
});

test('[NACL2] the lower number decides, and the cure comes before it', () => {
  const deny = { ...all, ruleNumber: 50, action: 'deny', protocol: 6, ports: { from: 22, to: 22 } } as const;
  const [finding] = find({ networkAcls: [{ ...acl, ingress: [deny, all] }] }).findings;
  assert.match(finding?.problem ?? '', /denies port 22 inbound by rule 50/);
  assert.match(finding?.cure ?? '', /--ingress --rule-number 49 .*From=22,To=22/);
});

test('[N8] answers to ephemeral ports need the ACL too, all of them', () => {
  const narrow = { ...all, protocol: 6, ports: { from: 1024, to: 40_000 } } as const;
  assert.match(
    problems({ networkAcls: [{ ...acl, egress: [narrow] }] })[0] ?? '',
    /ephemeral ports \(\d+\) outbound by its last rule/,
  );
  assert.deepEqual(
    problems({ networkAcls: [{ ...acl, egress: [{ ...narrow, ports: { from: 1024, to: 65_535 } }] }] }),
    [],
  );
});

test('[S2] no group lets port 22 in; a prefix list may', () => {
  const group = (ingress: Vpc['securityGroups'][number]['ingress']) => ({
    securityGroups: [{ groupId: 'sg-1', ingress, egress: [] } as const],
  });
  const [finding] = find(group([])).findings;
  assert.equal(
    finding?.cure,
    'aws ec2 authorize-security-group-ingress --region us-east-1 --group-id sg-1 --protocol tcp --port 22 --cidr 203.0.113.10/32',
  );
  assert.deepEqual(
    problems(group([{ ruleId: 'sgr-2', protocol: -1, peer: { kind: 'prefix-list', prefixListId: 'pl-1' } }])),
    [],
  );
  assert.equal(
    problems(
      group([
        { ruleId: 'sgr-3', protocol: 17, ports: { from: 22, to: 22 }, peer: { kind: 'cidr', cidr: '0.0.0.0/0' } },
      ]),
    ).length,
    1,
  );
});

test('all reasons are named at once', () => {
  assert.equal(
    problems({ networkAcls: [{ ...acl, ingress: [], egress: [] }], securityGroups: [], routeTables: [] }).length,
    4,
  );
});

test('an instance that does not run is told to start', () => {
  const [finding] = find({ networkInterfaces: [] }, 'stopped').findings;
  assert.deepEqual(finding, { problem: 'i-1 is stopped.', cure: 'aws ec2 start-instances --instance-ids i-1' });
});
