// A cloud of our own, described as AWS describes a real account: every answer in a file, as the AWS CLI prints it. Used by tests only.

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { World } from '../services/ec2/testing.ts';
import { iam } from '../services/iam/index.ts';
import { runOperation } from '../testing.ts';

const described = [
  'Vpcs', 'Subnets', 'RouteTables', 'NetworkAcls', 'SecurityGroups', 'SecurityGroupRules', 'NetworkInterfaces', 'Instances', 'InternetGateways',
  'EgressOnlyInternetGateways', 'NatGateways', 'VpcEndpoints', 'VpcPeeringConnections', 'PrefixLists', 'ManagedPrefixLists', 'DhcpOptions', 'InstanceConnectEndpoints',
  'SecurityGroupVpcAssociations', 'VpcBlockPublicAccessOptions', 'VpcBlockPublicAccessExclusions', 'TransitGateways', 'VpnGateways',
] as const; // biome-ignore format: a list

/** @returns the directory; the caller removes it */
export async function dump(world: World, options: { readonly without?: readonly string[] } = {}): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'postern-import-'));
  const write = (name: string, answer: unknown) =>
    writeFileSync(join(directory, `${name}.json`), `${JSON.stringify(answer, null, 2)}\n`);
  for (const name of described) {
    if (options.without?.includes(name)) continue;
    write(name, await world.run(`Describe${name}`));
  }
  const { Vpcs = [] } = await world.run<{ Vpcs?: { VpcId?: string }[] }>('DescribeVpcs');
  for (const { VpcId } of Vpcs) {
    for (const Attribute of ['enableDnsSupport', 'enableDnsHostnames'])
      write(`${VpcId}-${Attribute}`, await world.run('DescribeVpcAttribute', { VpcId, Attribute }));
  }
  const { PrefixLists = [] } = await world.run<{ PrefixLists?: { PrefixListId?: string }[] }>(
    'DescribeManagedPrefixLists',
  );
  for (const { PrefixListId } of PrefixLists)
    write(`${PrefixListId}`, await world.run('GetManagedPrefixListEntries', { PrefixListId }));
  write('iam', await runOperation(world.store, iam, 'GetAccountAuthorizationDetails', {}, { region: 'us-east-1' }));
  return directory;
}
