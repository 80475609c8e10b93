// Network access scopes: which paths Network Access Analyzer looks for. An analysis of one is in network-insights-access-scope-analyses.ts.
// https://docs.aws.amazon.com/vpc/latest/network-access-analyzer/working-with-network-access-scopes.html (read 2026-11-21): a condition has a source, a destination,
// or things to pass; a resource statement has ids or types, not both; a header statement has addresses or prefix lists. Resources are not looked up here: what does
// not exist is met by no path. AWS's wordings were not seen.

import type {
  AccessScopePathRequest,
  CreateNetworkInsightsAccessScopeRequest,
  CreateNetworkInsightsAccessScopeResult,
  DeleteNetworkInsightsAccessScopeRequest,
  DeleteNetworkInsightsAccessScopeResult,
  DescribeNetworkInsightsAccessScopesRequest,
  DescribeNetworkInsightsAccessScopesResult,
  GetNetworkInsightsAccessScopeContentRequest,
  GetNetworkInsightsAccessScopeContentResult,
  NetworkInsightsAccessScope,
  NetworkInsightsAccessScopeContent,
  PacketHeaderStatementRequest,
  PathStatementRequest,
  ResourceStatementRequest,
} from '@aws-sdk/client-ec2';
import { ipToNumber, normalizeCidr } from '@postern/network/cidr.ts';
import type {
  HeaderStatement,
  PathStatement,
  ResourceStatement,
  Scope,
  ScopePath,
} from '@postern/network/insights/access-scope.ts';
import type { Cidr, PortRange, PrefixListId } from '@postern/network/snapshot.ts';
import { protocols } from '@postern/network/walk/packet.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { NetworkInsightsAccessScopeRow } from '../../store/rows/network-insights.ts';
import { describe } from './describe.ts';
import { invalidCombination, invalidValue, missingParameter } from './errors.ts';
import { oncePerToken } from './idempotency.ts';
import { readArn } from './network-insights-ends.ts';
import { enforceQuota } from './quotas.ts';
import { ec2Arn, findRow, requireRow, scopeOf } from './rows.ts';
import { tagsFromSpecifications, toTags } from './tags.ts';

type Use = 'source' | 'destination' | 'through';
const ends: readonly Use[] = ['source', 'destination'];
const anywhere: readonly Use[] = [...ends, 'through'];

/** Where a type may be named. Those that Postern has none of are met by no path. */
const resourceTypes: Readonly<Record<string, readonly Use[]>> = {
  'AWS::EC2::InternetGateway': ends,
  'AWS::EC2::NetworkInterface': ends,
  'AWS::EC2::NatGateway': ['through'],
  'AWS::EC2::TransitGatewayAttachment': anywhere,
  'AWS::EC2::VPCEndpoint': ['destination', 'through'],
  'AWS::EC2::VPCEndpointService': anywhere,
  'AWS::EC2::VPCPeeringConnection': anywhere,
  'AWS::EC2::VPNGateway': ends,
  'AWS::ElasticLoadBalancing::LoadBalancer': ['through'],
  'AWS::ElasticLoadBalancingV2::LoadBalancer': ['through'],
  'AWS::NetworkFirewall::NetworkFirewall': ['through'],
  // The list of types and the examples spell it differently.
  'AWS::NetworkFirewall::Firewall': ['through'],
};

/** The same of ids, by their prefixes. */
const idUses: Readonly<Record<string, readonly Use[]>> = {
  i: ends,
  igw: ends,
  eni: ends,
  sg: ends,
  subnet: ends,
  vpc: ends,
  vgw: ends,
  nat: ['through'],
  'tgw-attach': anywhere,
  'vpce-svc': anywhere,
  vpce: anywhere,
  pcx: anywhere,
};

function readScope(input: CreateNetworkInsightsAccessScopeRequest): Scope {
  if (!input.MatchPaths || input.MatchPaths.length === 0) throw missingParameter('matchPath');
  return {
    match: input.MatchPaths.map((path) => readPath(path, 'matchPath')),
    exclude: (input.ExcludePaths ?? []).map((path) => readPath(path, 'excludePath')),
  };
}

function readPath({ Source, Destination, ThroughResources = [] }: AccessScopePathRequest, name: string): ScopePath {
  if (!Source && !Destination && ThroughResources.length === 0)
    throw missingParameter(`${name}.source or ${name}.destination`);
  const through = ThroughResources.map(({ ResourceStatement }) => {
    if (!ResourceStatement) throw missingParameter(`${name}.throughResource.resourceStatement`);
    return readResource(ResourceStatement, `${name}.throughResource`, 'through');
  });
  return {
    ...(Source && { source: readStatement(Source, `${name}.source`, 'source') }),
    ...(Destination && { destination: readStatement(Destination, `${name}.destination`, 'destination') }),
    through,
  };
}

function readStatement(statement: PathStatementRequest, name: string, use: Use): PathStatement {
  const { ResourceStatement: resource, PacketHeaderStatement: header } = statement;
  if (!resource && !header) throw missingParameter(`${name}.resourceStatement or ${name}.packetHeaderStatement`);
  return {
    ...(resource && { resource: readResource(resource, `${name}.resourceStatement`, use) }),
    ...(header && { header: readHeader(header, `${name}.packetHeaderStatement`) }),
  };
}

function readResource(
  { Resources = [], ResourceTypes = [] }: ResourceStatementRequest,
  name: string,
  use: Use,
): ResourceStatement {
  if (Resources.length > 0 && ResourceTypes.length > 0)
    throw invalidCombination(`The parameter ${name}.resource cannot be used with the parameter ${name}.resourceType`);
  if (Resources.length === 0 && ResourceTypes.length === 0)
    throw missingParameter(`${name}.resource or ${name}.resourceType`);
  const wrong = ResourceTypes.find((type) => !resourceTypes[type]?.includes(use));
  if (wrong !== undefined) throw invalidValue(wrong, `${name}.resourceType`, `It is not supported as ${use}.`);
  if (ResourceTypes.length > 0) return { types: [...ResourceTypes] };
  return { ids: Resources.map((text) => readResourceId(text, name, use)) };
}

/** Resource groups, load balancers and firewalls have ARNs of their own services: there are none, and no path meets them. */
function readResourceId(text: string, name: string, use: Use): string {
  if (/^arn:aws[\w-]*:(resource-groups|elasticloadbalancing|network-firewall):/.test(text)) return text;
  const id = readArn(text)?.id ?? text;
  const prefix = /^([a-z]+(?:-[a-z]+)?)-[0-9a-f]{8,17}$/.exec(id)?.[1];
  if (prefix === undefined || !idUses[prefix]?.includes(use))
    throw invalidValue(text, `${name}.resource`, `It is not supported as ${use}.`);
  return id;
}

function readHeader(header: PacketHeaderStatementRequest, name: string): HeaderStatement {
  const { SourceAddresses, DestinationAddresses, SourcePrefixLists, DestinationPrefixLists } = header;
  if (Object.values(header).every((value) => value === undefined || value.length === 0)) throw missingParameter(name);
  for (const [addresses, lists, side] of [
    [SourceAddresses, SourcePrefixLists, 'source'],
    [DestinationAddresses, DestinationPrefixLists, 'destination'],
  ] as const)
    if (addresses?.length && lists?.length)
      throw invalidCombination(
        `The parameter ${name}.${side}Address cannot be used with the parameter ${name}.${side}PrefixList`,
      );
  const each = <T>(values: readonly string[] | undefined, member: string, read: (text: string) => T | undefined) =>
    values?.length
      ? values.map((text) => {
          const value = read(text);
          if (value === undefined) throw invalidValue(text, `${name}.${member}`, 'It is not valid.');
          return value;
        })
      : undefined;
  return defined({
    protocols: each(header.Protocols, 'protocol', readProtocol),
    sources: each(SourceAddresses, 'sourceAddress', readCidr),
    sourcePrefixLists: each(SourcePrefixLists, 'sourcePrefixList', readPrefixList),
    sourcePorts: each(header.SourcePorts, 'sourcePort', readPorts),
    destinations: each(DestinationAddresses, 'destinationAddress', readCidr),
    destinationPrefixLists: each(DestinationPrefixLists, 'destinationPrefixList', readPrefixList),
    destinationPorts: each(header.DestinationPorts, 'destinationPort', readPorts),
  });
}

function defined<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

function readProtocol(text: string): number | undefined {
  const name = text.toLowerCase();
  return name === 'tcp' || name === 'udp' ? protocols[name] : undefined;
}

function readCidr(text: string): Cidr | undefined {
  return ipToNumber(text) === undefined ? normalizeCidr(text) : `${text}/32`;
}

function readPrefixList(text: string): PrefixListId | undefined {
  const id = readArn(text)?.id ?? text;
  return /^pl-[0-9a-f]{8,17}$/.test(id) ? (id as PrefixListId) : undefined;
}

/** `22` or `22-80`. */
function readPorts(text: string): PortRange | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const from = Number(match[1]);
  const to = match[2] === undefined ? from : Number(match[2]);
  return from <= to && to <= 65_535 ? { from, to } : undefined;
}

function make(call: Call, input: CreateNetworkInsightsAccessScopeRequest): string {
  const scope = readScope(input);
  const tags = tagsFromSpecifications(input.TagSpecifications, 'network-insights-access-scope');
  const kind = 'network-insights-access-scope';
  enforceQuota(call, 'networkInsightsAccessScopesPerRegion', () => call.tx.list(kind, scopeOf(call)).length);
  const id = call.tx.newId('nis');
  const { MatchPaths, ExcludePaths } = input;
  const content = JSON.stringify({ MatchPaths, ExcludePaths });
  call.tx.put(kind, { ...scopeOf(call), id, content, scope, createdAt: call.now.toISOString(), tags });
  return id;
}

function toScope(call: Call, row: NetworkInsightsAccessScopeRow): NetworkInsightsAccessScope {
  return {
    NetworkInsightsAccessScopeId: row.id,
    NetworkInsightsAccessScopeArn: ec2Arn(call, 'network-insights-access-scope', row.id),
    CreatedDate: new Date(row.createdAt),
    UpdatedDate: new Date(row.createdAt),
    Tags: toTags(row.tags),
  };
}

function toContent(row: NetworkInsightsAccessScopeRow): NetworkInsightsAccessScopeContent {
  const content = JSON.parse(row.content) as Omit<NetworkInsightsAccessScopeContent, 'NetworkInsightsAccessScopeId'>;
  return { NetworkInsightsAccessScopeId: row.id, ...content };
}

export function requireScope(call: Call, id: string | undefined): NetworkInsightsAccessScopeRow {
  return requireRow(call, 'network-insights-access-scope', id, 'networkInsightsAccessScopeId');
}

export const networkInsightsAccessScopes = {
  CreateNetworkInsightsAccessScope: operation<
    CreateNetworkInsightsAccessScopeRequest,
    CreateNetworkInsightsAccessScopeResult
  >({
    authorize: 'auto',
    run: (call, input) => {
      const known = (ids: readonly string[]) => ids.every((id) => findRow(call, 'network-insights-access-scope', id));
      const [id] = oncePerToken(call, input.ClientToken, input, known, () => [make(call, input)]);
      const row = requireScope(call, id);
      return { NetworkInsightsAccessScope: toScope(call, row), NetworkInsightsAccessScopeContent: toContent(row) };
    },
  }),

  DescribeNetworkInsightsAccessScopes: operation<
    DescribeNetworkInsightsAccessScopesRequest,
    DescribeNetworkInsightsAccessScopesResult
  >({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const ids = input.NetworkInsightsAccessScopeIds;
      const how = { ids, parameter: 'networkInsightsAccessScopeId', filters: {}, min: 1, max: 100 };
      const { page, next } = describe(call, 'network-insights-access-scope', input, how);
      return { NetworkInsightsAccessScopes: page.map((row) => toScope(call, row)), ...next };
    },
  }),

  GetNetworkInsightsAccessScopeContent: operation<
    GetNetworkInsightsAccessScopeContentRequest,
    GetNetworkInsightsAccessScopeContentResult
  >({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const row = requireScope(call, input.NetworkInsightsAccessScopeId);
      return { NetworkInsightsAccessScopeContent: toContent(row) };
    },
  }),

  /** Its analyses go with it: without the scope nothing says what they looked for. */
  DeleteNetworkInsightsAccessScope: operation<
    DeleteNetworkInsightsAccessScopeRequest,
    DeleteNetworkInsightsAccessScopeResult
  >({
    authorize: 'auto',
    run: (call, input) => {
      const row = requireScope(call, input.NetworkInsightsAccessScopeId);
      for (const each of call.tx.list('network-insights-access-scope-analysis', scopeOf(call)))
        if (each.scopeId === row.id) call.tx.delete('network-insights-access-scope-analysis', each.id);
      call.tx.delete('network-insights-access-scope', row.id);
      return { NetworkInsightsAccessScopeId: row.id };
    },
  }),
} satisfies Record<string, Operation>;
