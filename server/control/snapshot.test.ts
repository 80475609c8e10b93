import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Snapshot, Vpc } from '@postern/network/snapshot.ts';
import { ensureRegion } from '../services/ec2/default-vpc.ts';
import { ec2 } from '../services/ec2/index.ts';
import type { RouteRow } from '../store/rows/ec2.ts';
import type { Store } from '../store/store.ts';
import { makeStore, runOperation, testNow } from '../testing.ts';
import { liveVpcs } from './relevance.ts';
import { buildSnapshot } from './snapshot.ts';

const account = '123456789012';

function world(): Store {
  return makeStore((tx) => {
    ensureRegion(tx, account, 'us-east-1', testNow);
  });
}

function snapshot(store: Store): Snapshot {
  return store.read((tx) => buildSnapshot(tx, store.revision));
}

function vpcOf(store: Store): Vpc {
  const [vpc] = snapshot(store).vpcs;
  assert.ok(vpc);
  return vpc;
}

async function launch(store: Store, input: object = {}): Promise<string> {
  const request = { ImageId: 'ami-0123456789abcdef0', InstanceType: 't3.small', MinCount: 1, MaxCount: 1, ...input };
  const { Instances } = await runOperation<{ Instances?: { InstanceId?: string }[] }>(
    store,
    ec2,
    'RunInstances',
    request,
  );
  return Instances?.[0]?.InstanceId ?? '';
}

function setState(store: Store, id: string, state: 'running' | 'stopped'): void {
  store.transact((tx) => {
    const row = tx.get('instance', id);
    if (row) tx.put('instance', { ...row, state });
  });
}

/** Adds a route to the main table and returns its state in the Snapshot. */
function stateOfRoute(store: Store, target: RouteRow['target']): string | undefined {
  store.transact((tx) => {
    const [table] = tx.list('route-table');
    assert.ok(table);
    const route: RouteRow = { destination: { kind: 'cidr', cidr: '192.0.2.0/24' }, target, origin: 'CreateRoute' };
    tx.put('route-table', { ...table, routes: [...table.routes.slice(0, 1), route] });
  });
  return vpcOf(store).routeTables[0]?.routes.at(-1)?.state;
}

test('the default VPC: every subnet has the main table, the default ACL and its zone; the prefix lists of AWS are there', () => {
  const store = world();
  const vpc = vpcOf(store);
  assert.equal(snapshot(store).revision, store.revision);
  assert.equal(vpc.subnets.length, 6);
  assert.ok(vpc.subnets.every((subnet) => subnet.routeTableId === vpc.routeTables[0]?.routeTableId));
  assert.ok(vpc.subnets.every((subnet) => subnet.networkAclId === vpc.networkAcls[0]?.networkAclId));
  assert.deepEqual(vpc.dhcpOptions, { domainName: 'ec2.internal', domainNameServers: ['AmazonProvidedDNS'] });
  assert.deepEqual(
    vpc.routeTables[0]?.routes.map((route) => [route.target.kind, route.state]),
    [['local', 'active'], ['internet-gateway', 'active']], // biome-ignore format: pairs
  );
  assert.deepEqual(snapshot(store).prefixLists, [
    { prefixListId: 'pl-63a5400a', cidrs: ['198.18.1.0/26'] },
    { prefixListId: 'pl-02cd2c6b', cidrs: ['198.18.1.64/26'] },
  ]);
});

test('[R11] an explicit association wins over the main table; [N3] an ACL association over the default ACL', () => {
  const store = world();
  const [subnet] = store.read((tx) => tx.list('subnet'));
  assert.ok(subnet);
  store.transact((tx) => {
    const common = { accountId: account, region: 'us-east-1', vpcId: subnet.vpcId, tags: {} };
    const associations = [{ associationId: 'a-1', main: false, subnetId: subnet.id }];
    tx.put('route-table', { ...common, id: 'rtb-1', routes: [], associations });
    const entry = {
      egress: false,
      protocol: 6,
      action: 'allow',
      cidrBlock: '10.0.0.0/8',
      portRange: { from: 22, to: 22 },
    } as const;
    tx.put('network-acl', {
      ...common,
      id: 'acl-1',
      isDefault: false,
      entries: [
        { ...entry, ruleNumber: 200 },
        { ...entry, ruleNumber: 100, action: 'deny' },
        { ruleNumber: 101, egress: false, protocol: -1, action: 'allow', ipv6CidrBlock: '::/0' },
      ],
      associations: [{ associationId: 'b-1', subnetId: subnet.id }],
    });
  });
  const vpc = vpcOf(store);
  assert.equal(vpc.subnets[0]?.routeTableId, 'rtb-1');
  assert.equal(vpc.subnets[0]?.networkAclId, 'acl-1');
  assert.notEqual(vpc.subnets[1]?.routeTableId, 'rtb-1');
  const acl = vpc.networkAcls.find((one) => one.networkAclId === 'acl-1');
  assert.deepEqual(acl?.ingress.map((entry) => [entry.ruleNumber, entry.action]), [[100, 'deny'], [101, 'allow'], [200, 'allow']]); // biome-ignore format: pairs
  assert.deepEqual(acl?.egress, []);
});

test('[R8] a route is a blackhole when its target is gone, detached, unattached or stopped', async () => {
  const store = world();
  const id = await launch(store);
  const [networkInterface] = store.read((tx) => tx.list('network-interface'));
  const [gateway] = store.read((tx) => tx.list('internet-gateway'));
  assert.ok(networkInterface && gateway);
  const toInterface = { kind: 'network-interface', networkInterfaceId: networkInterface.id } as const;
  assert.equal(stateOfRoute(store, toInterface), 'active');
  setState(store, id, 'stopped');
  assert.equal(stateOfRoute(store, toInterface), 'blackhole');
  assert.equal(stateOfRoute(store, { kind: 'network-interface', networkInterfaceId: 'eni-1' }), 'blackhole');
  assert.equal(stateOfRoute(store, { kind: 'gateway-endpoint', vpcEndpointId: 'vpce-1' }), 'blackhole');
  const toGateway = { kind: 'internet-gateway', internetGatewayId: gateway.id } as const;
  assert.equal(stateOfRoute(store, toGateway), 'active');
  store.transact((tx) => {
    const { vpcId: _vpcId, ...detached } = gateway;
    tx.put('internet-gateway', detached);
  });
  assert.equal(stateOfRoute(store, toGateway), 'blackhole');
  assert.equal(vpcOf(store).internetGatewayId, undefined);
});

test('[I2] a private address has the public one of the launch, or its Elastic IP instead', async () => {
  const store = world();
  await launch(store);
  const [networkInterface] = store.read((tx) => tx.list('network-interface'));
  assert.ok(networkInterface);
  const publicAddress = () => vpcOf(store).networkInterfaces[0]?.privateAddresses[0]?.publicAddress;
  assert.equal(publicAddress(), networkInterface.privateAddresses[0]?.autoPublicIp?.publicIp);
  store.transact(
    (tx) =>
    tx.put('address', {
      id: 'eipalloc-1', accountId: account, region: 'us-east-1', publicIp: '198.19.9.9', domain: 'vpc', associationId: 'eipassoc-1',
      networkInterfaceId: networkInterface.id, privateIp: '172.31.0.4', tags: {},
    }), // biome-ignore format: a row
  );
  assert.equal(publicAddress(), '198.19.9.9');
});

test('an interface is attached while its instance is pending or running, and only then', async () => {
  const store = world();
  const id = await launch(store);
  const attachment = () => vpcOf(store).networkInterfaces[0]?.attachment;
  assert.deepEqual(attachment(), { instanceId: id, deviceIndex: 0 });
  setState(store, id, 'running');
  assert.deepEqual(attachment(), { instanceId: id, deviceIndex: 0 });
  assert.equal(vpcOf(store).instances.length, 1);
  setState(store, id, 'stopped');
  assert.equal(attachment(), undefined);
  assert.deepEqual(vpcOf(store).instances, []);
});

test('[S10] rules: every port is the whole range, icmp and icmpv6 have type and code, a block may be an IPv6 one', () => {
  const store = world();
  const [group] = store.read((tx) => tx.list('security-group'));
  assert.ok(group);
  store.transact((tx) => {
    for (const rule of tx.list('security-group-rule')) tx.delete('security-group-rule', rule.id);
    const common = {
      accountId: account,
      region: 'us-east-1',
      groupId: group.id,
      vpcId: group.vpcId,
      isEgress: false,
      tags: {},
    };
    const peer = { kind: 'cidr', cidr: '0.0.0.0/0' } as const;
    tx.put('security-group-rule', { ...common, id: 'sgr-1', protocol: 6, fromPort: 22, toPort: 23, peer });
    tx.put('security-group-rule', { ...common, id: 'sgr-2', protocol: 17, fromPort: -1, toPort: -1, peer });
    tx.put('security-group-rule', { ...common, id: 'sgr-3', protocol: 1, fromPort: 8, toPort: -1, peer });
    tx.put('security-group-rule', {
      ...common,
      id: 'sgr-4',
      protocol: -1,
      peer: { kind: 'security-group', groupId: group.id, ownerId: account },
    });
    const peer6 = { kind: 'cidr6', cidr: '::/0' } as const;
    tx.put('security-group-rule', { ...common, id: 'sgr-5', protocol: -1, peer: peer6 });
    tx.put('security-group-rule', { ...common, id: 'sgr-6', protocol: 58, fromPort: 128, toPort: 0, peer: peer6 });
  });
  const peer = { kind: 'cidr', cidr: '0.0.0.0/0' };
  assert.deepEqual(vpcOf(store).securityGroups[0], {
    groupId: group.id,
    ingress: [
      { ruleId: 'sgr-1', protocol: 6, peer, ports: { from: 22, to: 23 } },
      { ruleId: 'sgr-2', protocol: 17, peer, ports: { from: 0, to: 65535 } },
      { ruleId: 'sgr-3', protocol: 1, peer, icmp: { type: 8, code: -1 } },
      { ruleId: 'sgr-4', protocol: -1, peer: { kind: 'security-group', groupId: group.id } },
      { ruleId: 'sgr-5', protocol: -1, peer: { kind: 'cidr', cidr: '::/0' } },
      { ruleId: 'sgr-6', protocol: 58, peer: { kind: 'cidr', cidr: '::/0' }, icmp: { type: 128, code: 0 } },
    ],
    egress: [],
  });
});

test('[X1] [X4] [X5] [X8] an interface endpoint: its interfaces, its names, and the names that it takes over', async () => {
  const store = world();
  const vpc = vpcOf(store);
  const [a, b] = vpc.subnets;
  const create = (ServiceName: string, more: object = {}) =>
    runOperation<{ VpcEndpoint?: { VpcEndpointId?: string } }>(store, ec2, 'CreateVpcEndpoint', {
      VpcId: vpc.vpcId,
      ServiceName: `com.amazonaws.us-east-1.${ServiceName}`,
      ...more,
    });
  const { VpcEndpoint: sts } = await create('sts', {
    VpcEndpointType: 'Interface',
    SubnetIds: [a?.subnetId, b?.subnetId],
  });
  const [endpoint] = vpcOf(store).interfaceEndpoints;
  assert.ok(endpoint);
  const { dnsNames, networkInterfaceIds, ...rest } = endpoint;
  assert.deepEqual(rest, {
    vpcEndpointId: sts?.VpcEndpointId,
    service: 'sts',
    serviceRegion: 'us-east-1',
    privateDnsNames: ['sts.us-east-1.amazonaws.com'],
  });
  assert.deepEqual(
    dnsNames.map((each) => each.networkInterfaceIds),
    [networkInterfaceIds, [networkInterfaceIds[0]], [networkInterfaceIds[1]]],
  );
  const interfaces = vpcOf(store).networkInterfaces;
  assert.deepEqual(
    interfaces.map((each) => [each.networkInterfaceId, each.service, each.attachment, each.groupIds]),
    networkInterfaceIds.map((id) => [
      id,
      { kind: 'vpc-endpoint', vpcEndpointId: endpoint.vpcEndpointId },
      undefined,
      [vpc.securityGroups[0]?.groupId],
    ]),
  );
  await create('s3');
  const { VpcEndpoint: s3 } = await create('s3', { VpcEndpointType: 'Interface', PrivateDnsEnabled: true });
  const taken = () => vpcOf(store).interfaceEndpoints.find((each) => each.service === 's3')?.privateDnsNames.length;
  assert.equal(taken(), 0, 'for inbound resolver endpoints only');
  await runOperation(store, ec2, 'ModifyVpcEndpoint', {
    VpcEndpointId: s3?.VpcEndpointId,
    DnsOptions: { PrivateDnsOnlyForInboundResolverEndpoint: false },
  });
  assert.equal(taken(), 6);
  assert.equal(vpcOf(store).gatewayEndpoints.length, 1);
});

test('[X6] what is in a VPC with an interface endpoint and no instance concerns the network: a peer may be there', async () => {
  const store = world();
  const vpc = vpcOf(store);
  assert.equal(store.read(liveVpcs).size, 0);
  const input = { VpcId: vpc.vpcId, ServiceName: 'com.amazonaws.us-east-1.sts', VpcEndpointType: 'Interface' };
  await runOperation(store, ec2, 'CreateVpcEndpoint', { ...input, SubnetIds: [vpc.subnets[0]?.subnetId] });
  assert.deepEqual([...store.read(liveVpcs)], [vpc.vpcId]);
});
