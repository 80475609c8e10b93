import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outsideAddress, type RecordType, resolve } from './names.ts';
import { noGateways, type Snapshot, type Vpc } from './snapshot.ts';

function vpc(options: Partial<Vpc> = {}): Vpc {
  return {
    vpcId: 'vpc-1',
    ownerId: '123456789012',
    region: 'us-east-1',
    cidrBlocks: ['10.0.0.0/16'],
    enableDnsSupport: true,
    enableDnsHostnames: true,
    subnets: [],
    routeTables: [],
    networkAcls: [],
    securityGroups: [],
    instances: [],
    ...noGateways,
    networkInterfaces: [
      {
        networkInterfaceId: 'eni-1',
        subnetId: 'subnet-1',
        macAddress: '0a:00:00:00:00:01',
        ipv6Addresses: [],
        groupIds: [],
        sourceDestCheck: true,
        privateAddresses: [{ address: '10.0.0.4', primary: true, publicAddress: '198.19.0.7' }],
        attachment: { instanceId: 'i-0abc', deviceIndex: 0 },
      },
    ],
    ...options,
  };
}

const snapshot = (...vpcs: Vpc[]): Snapshot => ({
  revision: 1,
  vpcs,
  peeringConnections: [],
  transitGateways: [],
  prefixLists: [],
});
const world = snapshot(vpc(), vpc({ vpcId: 'vpc-2', region: 'eu-west-1', networkInterfaces: [] }));

function ask(
  name: string,
  type: RecordType = 'A',
  asker: 'vpc-1' | 'vpc-2' | 'internet' = 'vpc-1',
  from = world,
  sourceIp?: string,
): string {
  const resolution = resolve(from, asker, name, type, sourceIp);
  if (resolution === undefined) return 'silent';
  return resolution.rcode === 'NOERROR'
    ? resolution.answers.map((each) => each.data).join(' ') || 'no data'
    : resolution.rcode;
}

test('[W1] service names mean public service addresses, in a VPC as on the internet', () => {
  const cases: Record<string, string> = {
    's3.us-east-1.amazonaws.com': '198.18.1.1',
    's3.amazonaws.com': '198.18.1.1',
    'my.bucket.s3.amazonaws.com': '198.18.1.1',
    'my-bucket.s3.eu-west-1.amazonaws.com': '198.18.5.1',
    'my-bucket.s3-eu-west-1.amazonaws.com': '198.18.5.1',
    's3.dualstack.us-east-2.amazonaws.com': '198.18.2.1',
    'bucket.s3.dualstack.us-east-2.amazonaws.com': '198.18.2.1',
    'S3.Us-East-1.AmazonAWS.com.': '198.18.1.1',
    'ec2.us-west-2.amazonaws.com': '198.18.4.129',
    'ec2.us-west-2.api.aws': '198.18.4.129',
    'iam.amazonaws.com': '198.18.1.130',
    'sts.amazonaws.com': '198.18.1.131',
    'sts.eu-west-1.amazonaws.com': '198.18.5.131',
    'sts-fips.us-east-1.amazonaws.com': '198.18.1.131',
    'dynamodb.us-east-1.amazonaws.com': '198.18.1.65',
    's3.cn-north-1.amazonaws.com.cn': '198.18.30.1',
    'iam.cn-north-1.amazonaws.com.cn': '198.18.30.130',
    'kinesis.us-east-1.amazonaws.com': '198.18.1.200',
    'us-east-1.s3.us-east-1.amazonaws.com': '198.18.1.1',
  };
  for (const [name, expected] of Object.entries(cases)) {
    assert.equal(ask(name), expected, name);
    assert.equal(ask(name, 'A', 'internet'), expected, `${name} on the internet`);
  }
  const dualStack: Record<string, string> = {
    's3.us-east-1.amazonaws.com': 'no data',
    's3.dualstack.us-east-1.amazonaws.com': '2001:db8:0:1::1',
    'bucket.s3.dualstack.us-east-2.amazonaws.com': '2001:db8:0:2::1',
    'ec2.us-west-2.api.aws': '2001:db8:0:4::81',
  };
  for (const [name, expected] of Object.entries(dualStack)) assert.equal(ask(name, 'AAAA'), expected, name);
});

test('[D2] an instance is found by its address name and its id, inside its own VPC only', () => {
  assert.equal(ask('ip-10-0-0-4.ec2.internal'), '10.0.0.4');
  assert.equal(ask('i-0abc.ec2.internal'), '10.0.0.4');
  assert.equal(ask('ip-10-0-0-5.ec2.internal'), 'NXDOMAIN');
  assert.equal(ask('ip-10-0-0-4.eu-west-1.compute.internal'), 'NXDOMAIN');
  assert.equal(ask('ip-10-0-0-4.ec2.internal', 'A', 'vpc-2'), 'NXDOMAIN');
  assert.equal(ask('ip-10-0-0-4.ec2.internal', 'A', 'internet'), 'NXDOMAIN');
});

test('a name by id has an AAAA record where the instance is said to have one', () => {
  const [card] = vpc().networkInterfaces;
  const named = (enableResourceNameDnsAAAARecord: boolean) =>
    snapshot(
      vpc({
        networkInterfaces: card ? [{ ...card, ipv6Addresses: ['2001:db8:1010:101::a', '2001:db8:1010:101::b'] }] : [],
        instances: [
          { instanceId: 'i-0abc', metadata: { enabled: true, hopLimit: 2 }, enableResourceNameDnsAAAARecord },
        ],
      }),
    );
  assert.equal(ask('i-0abc.ec2.internal', 'AAAA', 'vpc-1', named(true)), '2001:db8:1010:101::a');
  assert.equal(ask('i-0abc.ec2.internal', 'AAAA', 'vpc-1', named(false)), 'no data');
  assert.equal(ask('ip-10-0-0-4.ec2.internal', 'AAAA', 'vpc-1', named(true)), 'no data');
});

test('[D3] a public name means the private address inside the VPC and the public one outside', () => {
  const name = 'ec2-198-19-0-7.compute-1.amazonaws.com';
  assert.equal(ask(name), '10.0.0.4');
  assert.equal(ask(name, 'A', 'vpc-2'), '198.19.0.7');
  assert.equal(ask(name, 'A', 'internet'), '198.19.0.7');
  assert.equal(ask(name, 'A', 'vpc-1', snapshot(vpc({ enableDnsHostnames: false }))), '198.19.0.7');
});

const door = (id: string, address: string) => ({
  networkInterfaceId: `eni-${id}` as const,
  subnetId: `subnet-${id}` as const,
  macAddress: '0a:00:00:00:00:09',
  ipv6Addresses: [],
  groupIds: [],
  sourceDestCheck: true,
  privateAddresses: [{ address, primary: true }],
  service: { kind: 'vpc-endpoint', vpcEndpointId: 'vpce-1' } as const,
});

function withEndpoint(service: string, privateDnsNames: string[], star = '', more: Partial<Vpc> = {}): Snapshot {
  const base = `${star}vpce-1-abcdefgh`;
  const domain = `${service}.us-east-1.vpce.amazonaws.com`;
  const endpoint = {
    vpcEndpointId: 'vpce-1',
    service,
    serviceRegion: 'us-east-1',
    networkInterfaceIds: ['eni-a', 'eni-b'],
    dnsNames: [
      { name: `${base}.${domain}`, networkInterfaceIds: ['eni-a', 'eni-b'] },
      { name: `${base}-us-east-1b.${domain}`, networkInterfaceIds: ['eni-b'] },
    ],
    privateDnsNames,
  } as const;
  const networkInterfaces = [door('a', '10.0.0.50'), door('b', '10.0.1.50')];
  return snapshot(vpc({ networkInterfaces, interfaceEndpoints: [endpoint], ...more }), vpc({ vpcId: 'vpc-2' }));
}

test('[X4] an endpoint’s own names mean its private addresses to everybody; a zonal one means one of them', () => {
  const from = withEndpoint('sts', []);
  for (const asker of ['vpc-1', 'vpc-2', 'internet'] as const) {
    assert.equal(ask('vpce-1-abcdefgh.sts.us-east-1.vpce.amazonaws.com', 'A', asker, from), '10.0.0.50 10.0.1.50');
    assert.equal(ask('VPCE-1-abcdefgh-us-east-1b.sts.us-east-1.vpce.amazonaws.com.', 'A', asker, from), '10.0.1.50');
    assert.equal(ask('vpce-1-abcdefgh-us-east-1a.sts.us-east-1.vpce.amazonaws.com', 'A', asker, from), 'NXDOMAIN');
    assert.equal(ask('vpce-1-abcdefgh.ssm.us-east-1.vpce.amazonaws.com', 'A', asker, from), 'NXDOMAIN');
  }
  assert.equal(ask('vpce-1-abcdefgh.sts.us-east-1.vpce.amazonaws.com', 'AAAA', 'vpc-1', from), 'no data');
});

test('[X5] [X6] private DNS takes the service’s name over inside its own VPC only, and needs host names', () => {
  const name = 'sts.us-east-1.amazonaws.com';
  const from = withEndpoint('sts', [name]);
  assert.equal(ask(name, 'A', 'vpc-1', from), '10.0.0.50 10.0.1.50');
  assert.equal(ask(name, 'AAAA', 'vpc-1', from), 'no data');
  assert.equal(ask(name, 'A', 'vpc-2', from), '198.18.1.131');
  assert.equal(ask(name, 'A', 'internet', from), '198.18.1.131');
  assert.equal(ask('sts.eu-west-1.amazonaws.com', 'A', 'vpc-1', from), '198.18.5.131');
  assert.equal(ask('ssm.us-east-1.amazonaws.com', 'A', 'vpc-1', from), '198.18.1.132');
  assert.equal(ask(name, 'A', 'vpc-1', withEndpoint('sts', [name], '', { enableDnsHostnames: false })), '198.18.1.131');
  assert.equal(ask(name, 'A', 'vpc-1', withEndpoint('sts', [])), '198.18.1.131');
});

test('[X8] buckets stand before the names of S3’s endpoints, and the public name is taken over only when asked', () => {
  const quiet = withEndpoint('s3', [], '*.');
  const endpoint = 'vpce-1-abcdefgh.s3.us-east-1.vpce.amazonaws.com';
  for (const prefix of ['bucket', 'my.bucket.bucket', 'control', 'my-ap-123456789012.accesspoint'])
    assert.equal(ask(`${prefix}.${endpoint}`, 'A', 'internet', quiet), '10.0.0.50 10.0.1.50', prefix);
  assert.equal(ask('b.s3.us-east-1.amazonaws.com', 'A', 'vpc-1', quiet), '198.18.1.1');
  const taken = withEndpoint('s3', ['s3.us-east-1.amazonaws.com', '*.s3.us-east-1.amazonaws.com'], '*.');
  assert.equal(ask('b.s3.us-east-1.amazonaws.com', 'A', 'vpc-1', taken), '10.0.0.50 10.0.1.50');
  assert.equal(ask('s3.us-east-1.amazonaws.com', 'A', 'vpc-1', taken), '10.0.0.50 10.0.1.50');
  assert.equal(ask('s3.us-east-2.amazonaws.com', 'A', 'vpc-1', taken), '198.18.2.1');
});

test('[D4] without DNS support the resolver stays silent', () => {
  const off = snapshot(vpc({ enableDnsSupport: false }));
  assert.equal(ask('s3.us-east-1.amazonaws.com', 'A', 'vpc-1', off), 'silent');
  assert.equal(ask('example.com', 'A', 'vpc-1', snapshot()), 'silent');
});

test('addresses have names', () => {
  assert.equal(ask('4.0.0.10.in-addr.arpa', 'PTR'), 'ip-10-0-0-4.ec2.internal');
  assert.equal(ask('4.0.0.10.in-addr.arpa', 'PTR', 'vpc-2'), 'ip-10-0-0-4.eu-west-1.compute.internal');
  assert.equal(ask('4.0.0.10.in-addr.arpa', 'PTR', 'internet'), 'NXDOMAIN');
  assert.equal(ask('7.0.19.198.in-addr.arpa', 'PTR', 'internet'), 'ec2-198-19-0-7.compute-1.amazonaws.com');
  assert.equal(ask('999.0.0.10.in-addr.arpa', 'PTR'), 'NXDOMAIN');
});

test('a name outside AWS always has the same stand-in, and some names never exist', () => {
  assert.match(ask('example.com'), /^(203\.0\.113|198\.51\.100)\.\d+$/);
  assert.equal(ask('example.com'), ask('EXAMPLE.com.', 'A', 'internet'));
  // The last 32 bits are the IPv4 stand-in's.
  assert.match(ask('example.com', 'AAAA'), /^2001:db8:f000::(cb00:71|c633:64)[0-9a-f]{2}$/);
  assert.equal(ask('example.com', 'ANY').split(' ').length, 2);
  for (const name of [
    'nosuch',
    'printer.local',
    'db.corp.internal',
    'a..b',
    'bad name.com',
    `${'a'.repeat(64)}.com`,
    '-x.com',
  ])
    assert.equal(ask(name), 'NXDOMAIN', name);
  for (let n = 0; n < 2000; n++) assert.notEqual(outsideAddress(`host${n}.example`), '203.0.113.10');
});

test('[P8] a peer’s public name means its private address when its side of the peering allows it', () => {
  const name = 'ec2-198-19-0-7.compute-1.amazonaws.com';
  const peer = (options: Partial<Vpc> = {}) => vpc({ vpcId: 'vpc-2', networkInterfaces: [], ...options });
  const peeredWorld = (ours: boolean, theirs: boolean, asker = peer(), swapped = false): Snapshot => {
    const sides = [
      { vpcId: 'vpc-1', allowDnsResolutionFromRemoteVpc: ours },
      { vpcId: 'vpc-2', allowDnsResolutionFromRemoteVpc: theirs },
    ] as const;
    const [requester, accepter] = swapped ? [sides[1], sides[0]] : sides;
    return {
      ...snapshot(vpc(), asker),
      peeringConnections: [{ vpcPeeringConnectionId: 'pcx-1', requester, accepter }],
    };
  };
  assert.equal(ask(name, 'A', 'vpc-2', snapshot(vpc(), peer())), '198.19.0.7');
  assert.equal(ask(name, 'A', 'vpc-2', peeredWorld(false, true)), '198.19.0.7');
  assert.equal(ask(name, 'A', 'vpc-2', peeredWorld(true, false)), '10.0.0.4');
  assert.equal(ask(name, 'A', 'vpc-2', peeredWorld(true, false, peer(), true)), '10.0.0.4');
  assert.equal(ask(name, 'A', 'vpc-2', peeredWorld(true, true, peer({ enableDnsHostnames: false }))), '198.19.0.7');
  assert.equal(ask(name, 'A', 'internet', peeredWorld(true, true)), '198.19.0.7');
  assert.equal(ask(name, 'A', 'vpc-1', peeredWorld(false, false)), '10.0.0.4');
});

test('checkip.amazonaws.com is a web site of the internet, no API', () => {
  assert.equal(ask('checkip.amazonaws.com'), outsideAddress('checkip.amazonaws.com'));
});

test('[D6] where the asking subnet has DNS64, a name with IPv4 addresses alone gets one of the well-known prefix', () => {
  const subnet = (subnetId: `subnet-${string}`, cidrBlock: `${string}/${number}`) =>
    ({ subnetId, cidrBlock, availabilityZone: 'us-east-1a', routeTableId: 'rtb-1', networkAclId: 'acl-1' }) as const;
  const subnets = [{ ...subnet('subnet-1', '10.0.0.0/24'), enableDns64: true }, subnet('subnet-2', '10.0.1.0/24')];
  const dns64 = snapshot(vpc({ subnets }));
  const cases: Record<string, string> = {
    's3.us-east-1.amazonaws.com': '64:ff9b::c612:101',
    'ip-10-0-0-4.ec2.internal': '64:ff9b::a00:4',
    'i-0abc.ec2.internal': '64:ff9b::a00:4',
    's3.dualstack.us-east-1.amazonaws.com': '2001:db8:0:1::1',
    'i-0fff.ec2.internal': 'NXDOMAIN',
    nosuch: 'NXDOMAIN',
    localhost: '::1',
  };
  for (const [name, expected] of Object.entries(cases))
    assert.equal(ask(name, 'AAAA', 'vpc-1', dns64, '10.0.0.9'), expected, name);
  const s3 = 's3.us-east-1.amazonaws.com';
  assert.equal(ask(s3, 'AAAA', 'vpc-1', dns64, '10.0.1.9'), 'no data', 'a subnet without it');
  assert.equal(ask(s3, 'A', 'vpc-1', dns64, '10.0.0.9'), '198.18.1.1');
  assert.equal(ask(s3, 'TXT', 'vpc-1', dns64, '10.0.0.9'), 'no data');
  for (const name of ['github.com', 'api.github.com', 'ipv4.example.com']) {
    assert.equal(ask(name, 'AAAA'), 'no data', name);
    assert.match(ask(name, 'AAAA', 'vpc-1', dns64, '10.0.0.9'), /^64:ff9b::(cb00:71|c633:64)/, name);
  }
  assert.match(ask('example.com', 'AAAA', 'vpc-1', dns64, '10.0.0.9'), /^2001:db8:f000::/);
});

test('[B9] a load balancer’s names mean private addresses of an internal one and public ones of one that faces the internet', () => {
  const card = (id: string, address: string, publicAddress?: string) => ({
    networkInterfaceId: `eni-${id}` as const,
    subnetId: 'subnet-1' as const,
    macAddress: '0a:00:00:00:00:02',
    ipv6Addresses: [],
    groupIds: [],
    sourceDestCheck: true,
    privateAddresses: [{ address, primary: true, ...(publicAddress && { publicAddress }) }],
  });
  const balancer = (scheme: 'internal' | 'internet-facing') => ({
    loadBalancerId: 'net/Lb/1' as const,
    scheme,
    nodes: [],
    dnsNames: [
      { name: 'Lb-1.elb.us-east-1.amazonaws.com', networkInterfaceIds: ['eni-n', 'eni-m'] as const },
      { name: 'us-east-1b.Lb-1.elb.us-east-1.amazonaws.com', networkInterfaceIds: ['eni-m'] as const },
    ],
  });
  const networkInterfaces = [card('n', '10.0.0.5', '198.19.0.5'), card('m', '10.0.1.5', '198.19.0.6')];
  const from = (scheme: 'internal' | 'internet-facing') =>
    snapshot(vpc({ networkInterfaces, networkLoadBalancers: [balancer(scheme)] }));
  const name = 'lb-1.elb.us-east-1.amazonaws.com';
  assert.equal(ask(name, 'A', 'vpc-1', from('internal')), '10.0.0.5 10.0.1.5');
  assert.equal(ask(name, 'A', 'internet', from('internal')), '10.0.0.5 10.0.1.5');
  assert.equal(ask(name, 'A', 'vpc-1', from('internet-facing')), '198.19.0.5 198.19.0.6');
  assert.equal(ask(`us-east-1b.${name}`, 'A', 'internet', from('internet-facing')), '198.19.0.6');
  assert.equal(ask('gone-1.elb.us-east-1.amazonaws.com'), 'NXDOMAIN');
});
