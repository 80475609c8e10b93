// Network Insights paths: what Reachability Analyzer is asked about. An analysis of one is in network-insights-analyses.ts.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkInsightsPath.html (read 2026-11-21)
// Order of checks: source, destination, protocol, then headers. A filter at the source takes the place of SourceIp and DestinationPort, one at the destination
// that of DestinationIp.

import type {
  CreateNetworkInsightsPathRequest,
  CreateNetworkInsightsPathResult,
  DeleteNetworkInsightsPathRequest,
  DeleteNetworkInsightsPathResult,
  DescribeNetworkInsightsPathsRequest,
  DescribeNetworkInsightsPathsResult,
  NetworkInsightsPath,
  PathFilter,
  PathRequestFilter,
} from '@aws-sdk/client-ec2';
import { ipToNumber } from '@postern/network/cidr.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { NetworkInsightsPathRow, PathFilterRow } from '../../store/rows/network-insights.ts';
import { describe } from './describe.ts';
import { ec2Error, invalidCombination, invalidValue, missingParameter } from './errors.ts';
import type { FilterTable } from './filters.ts';
import { oncePerToken } from './idempotency.ts';
import { readEnd } from './network-insights-ends.ts';
import { enforceQuota } from './quotas.ts';
import { ec2Arn, findRow, requireRow, scopeOf } from './rows.ts';
import { tagsFromSpecifications, toTags } from './tags.ts';

function toPath(call: Call, row: NetworkInsightsPathRow): NetworkInsightsPath {
  return {
    NetworkInsightsPathId: row.id,
    NetworkInsightsPathArn: ec2Arn(call, 'network-insights-path', row.id),
    CreatedDate: new Date(row.createdAt),
    Source: row.source.id,
    SourceArn: row.source.arn,
    ...(row.destination && { Destination: row.destination.id, DestinationArn: row.destination.arn }),
    ...(row.sourceIp !== undefined && { SourceIp: row.sourceIp }),
    ...(row.destinationIp !== undefined && { DestinationIp: row.destinationIp }),
    Protocol: row.protocol,
    ...(row.destinationPort !== undefined && { DestinationPort: row.destinationPort }),
    ...(row.filterAtSource && { FilterAtSource: toFilter(row.filterAtSource) }),
    ...(row.filterAtDestination && { FilterAtDestination: toFilter(row.filterAtDestination) }),
    Tags: toTags(row.tags),
  };
}

function toFilter({ sourceAddress, sourcePorts, destinationAddress, destinationPorts }: PathFilterRow): PathFilter {
  const toRange = ({ from, to }: { from: number; to: number }) => ({ FromPort: from, ToPort: to });
  return {
    ...(sourceAddress !== undefined && { SourceAddress: sourceAddress }),
    ...(sourcePorts && { SourcePortRange: toRange(sourcePorts) }),
    ...(destinationAddress !== undefined && { DestinationAddress: destinationAddress }),
    ...(destinationPorts && { DestinationPortRange: toRange(destinationPorts) }),
  };
}

/** A range is written `22-22`; one port is found by its number too. */
function rangeTexts(range: { from: number; to: number } | undefined): string[] {
  if (range === undefined) return [];
  const { from, to } = range;
  return [`${from}-${to}`, ...(from === to ? [String(from)] : [])];
}

function filtersAt(
  side: 'filter-at-source' | 'filter-at-destination',
  member: 'filterAtSource' | 'filterAtDestination',
) {
  return {
    [`${side}.source-address`]: (row) => row[member]?.sourceAddress,
    [`${side}.source-port-range`]: (row) => rangeTexts(row[member]?.sourcePorts),
    [`${side}.destination-address`]: (row) => row[member]?.destinationAddress,
    [`${side}.destination-port-range`]: (row) => rangeTexts(row[member]?.destinationPorts),
  } satisfies FilterTable<NetworkInsightsPathRow>;
}

const filters: FilterTable<NetworkInsightsPathRow> = {
  destination: (row) => [row.destination?.id, row.destination?.arn],
  ...filtersAt('filter-at-source', 'filterAtSource'),
  ...filtersAt('filter-at-destination', 'filterAtDestination'),
  protocol: (row) => row.protocol,
  source: (row) => [row.source.id, row.source.arn],
};

function makePath(call: Call, input: CreateNetworkInsightsPathRequest): string {
  if (!input.Source) throw missingParameter('source');
  if (!input.Destination && !input.FilterAtSource?.DestinationAddress)
    throw ec2Error(
      'MissingParameter',
      'The request must include either the Destination parameter or the FilterAtSource.DestinationAddress parameter. Add the required parameter and retry the request.',
    );
  const source = readEnd(call, input.Source, 'source');
  const destination = input.Destination ? readEnd(call, input.Destination, 'destination') : undefined;
  const protocol = readProtocol(input.Protocol);
  const headers = readHeaders(input);
  const tags = tagsFromSpecifications(input.TagSpecifications, 'network-insights-path');
  enforceQuota(
    call,
    'networkInsightsPathsPerRegion',
    () => call.tx.list('network-insights-path', scopeOf(call)).length,
  );
  const id = call.tx.newId('nip');
  call.tx.put('network-insights-path', {
    ...scopeOf(call),
    id,
    source,
    ...(destination && { destination }),
    protocol,
    ...headers,
    createdAt: call.now.toISOString(),
    tags,
  });
  return id;
}

function readProtocol(text: string | undefined): 'tcp' | 'udp' {
  if (!text) throw missingParameter('protocol');
  const protocol = text.toLowerCase();
  if (protocol !== 'tcp' && protocol !== 'udp') throw invalidValue(text, 'protocol', 'Valid values are tcp and udp.');
  return protocol;
}

function readHeaders(input: CreateNetworkInsightsPathRequest) {
  const { SourceIp, DestinationIp, DestinationPort, FilterAtSource, FilterAtDestination } = input;
  const refuse = (name: string, filter: string) =>
    invalidCombination(`The parameter ${name} cannot be used with the parameter ${filter}`);
  if (FilterAtSource && SourceIp) throw refuse('sourceIp', 'filterAtSource');
  if (FilterAtSource && DestinationPort !== undefined) throw refuse('destinationPort', 'filterAtSource');
  if (FilterAtDestination && DestinationIp) throw refuse('destinationIp', 'filterAtDestination');
  return {
    ...(SourceIp && { sourceIp: readAddress(SourceIp, 'sourceIp') }),
    ...(DestinationIp && { destinationIp: readAddress(DestinationIp, 'destinationIp') }),
    ...(DestinationPort !== undefined && { destinationPort: readPort(DestinationPort, 'destinationPort') }),
    ...(FilterAtSource && { filterAtSource: readFilter(FilterAtSource, 'filterAtSource') }),
    ...(FilterAtDestination && { filterAtDestination: readFilter(FilterAtDestination, 'filterAtDestination') }),
  };
}

function readFilter(filter: PathRequestFilter, name: string): PathFilterRow {
  const { SourceAddress, SourcePortRange, DestinationAddress, DestinationPortRange } = filter;
  return {
    ...(SourceAddress && { sourceAddress: readAddress(SourceAddress, `${name}.sourceAddress`) }),
    ...(SourcePortRange && { sourcePorts: readRange(SourcePortRange, `${name}.sourcePortRange`) }),
    ...(DestinationAddress && { destinationAddress: readAddress(DestinationAddress, `${name}.destinationAddress`) }),
    ...(DestinationPortRange && { destinationPorts: readRange(DestinationPortRange, `${name}.destinationPortRange`) }),
  };
}

function readAddress(text: string, name: string): string {
  if (ipToNumber(text) === undefined) throw invalidValue(text, name, 'It must be an IPv4 address.');
  return text;
}

function readPort(port: number | undefined, name: string): number {
  if (port === undefined) throw missingParameter(name);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw invalidValue(port, name, 'It must be between 0 and 65535.');
  return port;
}

function readRange(range: { FromPort?: number | undefined; ToPort?: number | undefined }, name: string) {
  const from = readPort(range.FromPort, `${name}.fromPort`);
  const to = readPort(range.ToPort, `${name}.toPort`);
  if (from > to) throw invalidValue(`${from}-${to}`, name, 'The first port must not be greater than the last.');
  return { from, to };
}

export const networkInsightsPaths = {
  CreateNetworkInsightsPath: operation<CreateNetworkInsightsPathRequest, CreateNetworkInsightsPathResult>({
    authorize: 'auto',
    run: (call, input) => {
      const known = (ids: readonly string[]) => ids.every((id) => findRow(call, 'network-insights-path', id));
      const [id] = oncePerToken(call, input.ClientToken, input, known, () => [makePath(call, input)]);
      return { NetworkInsightsPath: toPath(call, requireRow(call, 'network-insights-path', id)) };
    },
  }),

  DescribeNetworkInsightsPaths: operation<DescribeNetworkInsightsPathsRequest, DescribeNetworkInsightsPathsResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const how = { ids: input.NetworkInsightsPathIds, parameter: 'networkInsightsPathId', filters, min: 1, max: 100 };
      const { page, next } = describe(call, 'network-insights-path', input, how);
      return { NetworkInsightsPaths: page.map((row) => toPath(call, row)), ...next };
    },
  }),

  DeleteNetworkInsightsPath: operation<DeleteNetworkInsightsPathRequest, DeleteNetworkInsightsPathResult>({
    authorize: 'auto',
    run: (call, input) => {
      const row = requireRow(call, 'network-insights-path', input.NetworkInsightsPathId, 'networkInsightsPathId');
      const analyses = call.tx.list('network-insights-analysis', scopeOf(call));
      // AWS's wording was not seen.
      if (analyses.some((each) => each.pathId === row.id))
        throw ec2Error('AnalysisExistsForNetworkInsightsPath', `There are analyses of the path '${row.id}'.`);
      call.tx.delete('network-insights-path', row.id);
      return { NetworkInsightsPathId: row.id };
    },
  }),
} satisfies Record<string, Operation>;
