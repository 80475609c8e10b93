// Endpoint services over rows: Y1–Y6. Packets are in tests/flows/load-balancer-cases.ts.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { buildSnapshot } from '../../control/snapshot.ts';
import { awsError, rootPrincipal, runOperation, testNow } from '../../testing.ts';
import { elasticLoadBalancing } from '../elastic-load-balancing/index.ts';
import { ensureRegion } from './default-vpc.ts';
import { makeGroup, makeSubnet, makeVpc, makeWorld, type World } from './testing.ts';

const consumerId = '222222222222';
const consumer = { accountId: consumerId, principal: rootPrincipal(consumerId) };

let world: World;
let balancerArn: string;
let serviceId: string;
let serviceName: string;

const elb = <O = Record<string, unknown>>(name: string, input: object) =>
  runOperation<O>(world.store, elasticLoadBalancing, name, input);

async function makeBalancer(name: string, more: object = {}): Promise<string> {
  const vpcId = await makeVpc(world);
  const subnetId = await makeSubnet(world, vpcId);
  const { LoadBalancers } = await elb<{ LoadBalancers: { LoadBalancerArn: string }[] }>('CreateLoadBalancer', {
    Name: name, Type: 'network', Scheme: 'internal', Subnets: [subnetId], ...more,
  }); // biome-ignore format: one call
  return LoadBalancers[0]?.LoadBalancerArn ?? '';
}

interface Configuration {
  ServiceId: string;
  ServiceName: string;
  ServiceState: string;
  AvailabilityZones: string[];
  AcceptanceRequired: boolean;
  BaseEndpointDnsNames: string[];
}

beforeEach(async () => {
  world = makeWorld();
  world.store.transact((tx) => ensureRegion(tx, consumerId, 'us-east-1', testNow));
  balancerArn = await makeBalancer('lb');
  const { ServiceConfiguration } = await world.run<{ ServiceConfiguration: Configuration }>('CreateVpcEndpointServiceConfiguration', { NetworkLoadBalancerArns: [balancerArn] }); // biome-ignore format: one call
  ({ ServiceId: serviceId, ServiceName: serviceName } = ServiceConfiguration);
});

/** The consumer's default subnets by zone. */
const subnetIn = (zone: string) =>
  world.store.read((tx) => tx.list('subnet', { accountId: consumerId }).find((each) => each.availabilityZone === zone));

interface Endpoint {
  VpcEndpointId: string;
  State: string;
  DnsEntries: { DnsName: string }[];
}

async function connect(more: object = {}): Promise<Endpoint> {
  const subnet = subnetIn('us-east-1a');
  const input = {
    VpcId: subnet?.vpcId,
    VpcEndpointType: 'Interface',
    ServiceName: serviceName,
    SubnetIds: [subnet?.id],
    ...more,
  };
  return (await world.run<{ VpcEndpoint: Endpoint }>('CreateVpcEndpoint', input, consumer)).VpcEndpoint;
}

const permit = (...AddAllowedPrincipals: string[]) =>
  world.run('ModifyVpcEndpointServicePermissions', { ServiceId: serviceId, AddAllowedPrincipals });
const stateOf = async (id: string) =>
  (await world.run<{ VpcEndpoints: Endpoint[] }>('DescribeVpcEndpoints', { VpcEndpointIds: [id] }, consumer))
    .VpcEndpoints[0]?.State;
/** Whether packets through the consumer's endpoint lead anywhere. */
const leads = () =>
  world.store
    .read((tx) => buildSnapshot(tx, 1))
    .vpcs.flatMap((vpc) => vpc.interfaceEndpoints)
    .map((each) => each.behind?.length);
const change = (name: string, id: string) =>
  world.run<{ Unsuccessful: { Error: { Code: string } }[] }>(name, { ServiceId: serviceId, VpcEndpointIds: [id] });

test('[Y1] [Y6] a service has the zones of its balancer, a name and a domain', async () => {
  const { ServiceConfigurations } = await world.run<{ ServiceConfigurations: Configuration[] }>('DescribeVpcEndpointServiceConfigurations', { ServiceIds: [serviceId] }); // biome-ignore format: one call
  const [found] = ServiceConfigurations;
  assert.equal(serviceName, `com.amazonaws.vpce.us-east-1.${serviceId}`);
  assert.deepEqual(
    [found?.ServiceState, found?.AvailabilityZones, found?.AcceptanceRequired],
    ['Available', ['us-east-1a'], true],
  );
  assert.deepEqual(found?.BaseEndpointDnsNames, [`${serviceId}.us-east-1.vpce.amazonaws.com`]);
  await permit('*');
  const elsewhere = subnetIn('us-east-1b');
  await assert.rejects(connect({ SubnetIds: [elsewhere?.id] }), awsError('InvalidParameter'));
  const { DnsEntries } = await connect();
  assert.match(
    DnsEntries[0]?.DnsName ?? '',
    new RegExp(`^vpce-\\w+-\\w{8}\\.${serviceId}\\.us-east-1\\.vpce\\.amazonaws\\.com$`),
  );
});

test('[Y2] nobody of another account finds a service that does not permit it, and taking the permission away breaks nothing', async () => {
  const named = { ServiceNames: [serviceName] };
  await assert.rejects(world.run('DescribeVpcEndpointServices', named, consumer), awsError('InvalidServiceName'));
  await assert.rejects(connect(), awsError('InvalidServiceName'));
  await assert.rejects(permit('222222222222'), awsError('InvalidPrincipal'));
  const principal = `arn:aws:iam::${consumerId}:root`;
  await permit(principal);
  const { ServiceDetails } = await world.run<{ ServiceDetails: { Owner: string; AcceptanceRequired: boolean }[] }>('DescribeVpcEndpointServices', named, consumer); // biome-ignore format: one call
  assert.deepEqual(
    ServiceDetails.map((each) => [each.Owner, each.AcceptanceRequired]),
    [['123456789012', true]],
  );
  const { AllowedPrincipals } = await world.run<{ AllowedPrincipals: { Principal: string; PrincipalType: string }[] }>('DescribeVpcEndpointServicePermissions', { ServiceId: serviceId }); // biome-ignore format: one call
  assert.deepEqual(
    AllowedPrincipals.map((each) => [each.Principal, each.PrincipalType]),
    [[principal, 'Account']],
  );
  const { VpcEndpointId } = await connect();
  await change('AcceptVpcEndpointConnections', VpcEndpointId);
  await world.run('ModifyVpcEndpointServicePermissions', {
    ServiceId: serviceId,
    RemoveAllowedPrincipals: [principal],
  });
  assert.deepEqual([await stateOf(VpcEndpointId), leads()], ['available', [1]]);
});

test('[Y3] a connection carries packets from its acceptance to its rejection, and without acceptance at once', async () => {
  await permit('*');
  const { VpcEndpointId, State } = await connect();
  assert.deepEqual([State, await stateOf(VpcEndpointId), leads()], ['pendingAcceptance', 'pendingAcceptance', [0]]);
  const { VpcEndpointConnections } = await world.run<{ VpcEndpointConnections: { VpcEndpointOwner: string; VpcEndpointState: string }[] }>('DescribeVpcEndpointConnections', { Filters: [{ Name: 'service-id', Values: [serviceId] }] }); // biome-ignore format: one call
  assert.deepEqual(
    VpcEndpointConnections.map((each) => [each.VpcEndpointOwner, each.VpcEndpointState]),
    [[consumerId, 'pendingAcceptance']],
  );
  assert.deepEqual((await change('AcceptVpcEndpointConnections', VpcEndpointId)).Unsuccessful, []);
  assert.deepEqual([await stateOf(VpcEndpointId), leads()], ['available', [1]]);
  assert.equal(
    (await change('AcceptVpcEndpointConnections', VpcEndpointId)).Unsuccessful[0]?.Error.Code,
    'InvalidState',
  );
  await change('RejectVpcEndpointConnections', VpcEndpointId);
  assert.deepEqual([await stateOf(VpcEndpointId), leads()], ['rejected', [0]]);
  assert.equal(
    (await change('AcceptVpcEndpointConnections', 'vpce-00000000000000001')).Unsuccessful[0]?.Error.Code,
    'InvalidVpcEndpointId.NotFound',
  );
  await world.run('ModifyVpcEndpointServiceConfiguration', { ServiceId: serviceId, AcceptanceRequired: false });
  assert.equal(await stateOf((await connect()).VpcEndpointId), 'available');
});

test('[Y4] a service with connections and a balancer behind a service stay', async () => {
  await permit('*');
  const { VpcEndpointId } = await connect();
  const remove = () =>
    world.run<{ Unsuccessful: { Error: { Code: string } }[] }>('DeleteVpcEndpointServiceConfigurations', {
      ServiceIds: [serviceId],
    });
  assert.equal((await remove()).Unsuccessful[0]?.Error.Code, 'ExistingVpcEndpointConnections');
  const modify = (more: object) =>
    world.run('ModifyVpcEndpointServiceConfiguration', { ServiceId: serviceId, ...more });
  await assert.rejects(
    modify({ RemoveNetworkLoadBalancerArns: [balancerArn] }),
    awsError('ExistingVpcEndpointConnections'),
  );
  await assert.rejects(elb('DeleteLoadBalancer', { LoadBalancerArn: balancerArn }), awsError('ResourceInUse'));
  const other = await makeBalancer('other');
  await modify({ AddNetworkLoadBalancerArns: [other], RemoveNetworkLoadBalancerArns: [balancerArn] });
  await elb('DeleteLoadBalancer', { LoadBalancerArn: balancerArn });
  await world.run('DeleteVpcEndpoints', { VpcEndpointIds: [VpcEndpointId] }, consumer);
  assert.deepEqual((await remove()).Unsuccessful, []);
  await assert.rejects(
    world.run('DescribeVpcEndpointServiceConfigurations', { ServiceIds: [serviceId] }),
    awsError('InvalidVpcEndpointServiceId.NotFound'),
  );
});

test('[Y5] a balancer whose groups are to decide about what comes through endpoints is refused, and so is the rest that is not served', async () => {
  const vpcId = await makeVpc(world);
  const group = await makeGroup(world, vpcId);
  const LoadBalancerArn = await makeBalancer('grouped', {
    SecurityGroups: [group],
    Subnets: [await makeSubnet(world, vpcId, '10.0.7.0/24')],
  });
  const create = (more: object) =>
    world.run<{ ServiceConfiguration: Configuration }>('CreateVpcEndpointServiceConfiguration', more);
  await assert.rejects(create({ NetworkLoadBalancerArns: [LoadBalancerArn] }), awsError('UnsupportedOperation'));
  const enforce = (how: string) =>
    elb('SetSecurityGroups', {
      LoadBalancerArn,
      SecurityGroups: [group],
      EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic: how,
    });
  await enforce('off');
  await create({ NetworkLoadBalancerArns: [LoadBalancerArn] });
  await assert.rejects(enforce('on'), awsError('OperationNotPermitted'));
  await assert.rejects(
    create({ NetworkLoadBalancerArns: [balancerArn], PrivateDnsName: 'a.example.com' }),
    awsError('UnsupportedOperation'),
  );
  await assert.rejects(create({ GatewayLoadBalancerArns: ['arn:x'] }), awsError('UnsupportedOperation'));
  await assert.rejects(create({}), awsError('MissingParameter'));
  await assert.rejects(create({ NetworkLoadBalancerArns: [`${balancerArn}0`] }), awsError('InvalidParameter'));
});

test('a service has tags by its id', async () => {
  await world.run('CreateTags', { Resources: [serviceId], Tags: [{ Key: 'Name', Value: 'mine' }] });
  const { ServiceConfigurations } = await world.run<{ ServiceConfigurations: { Tags: object[] }[] }>('DescribeVpcEndpointServiceConfigurations'); // biome-ignore format: one call
  assert.deepEqual(ServiceConfigurations[0]?.Tags, [{ Key: 'Name', Value: 'mine' }]);
});
