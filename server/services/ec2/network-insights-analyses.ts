// Analyses of Network Insights paths: Reachability Analyzer. The work is network/insights, over the Snapshot of the moment that the call begins; here the ends
// are found, and what the caller may not see is left out.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StartNetworkInsightsAnalysis.html (read 2026-11-21). An analysis is `running` in the answer of the
// call that starts it, and ended at the next look. AWS forgets one after 120 days, so Postern does.
// Other accounts are looked into when an end or AdditionalAccounts names them and network-insights-sharing.ts permits it.

import type {
  DeleteNetworkInsightsAnalysisRequest,
  DeleteNetworkInsightsAnalysisResult,
  DescribeNetworkInsightsAnalysesRequest,
  DescribeNetworkInsightsAnalysesResult,
  NetworkInsightsAnalysis,
  StartNetworkInsightsAnalysisRequest,
  StartNetworkInsightsAnalysisResult,
} from '@aws-sdk/client-ec2';
import { type Analysis, analyse, TooManyFlows } from '@postern/network/insights/analyse.ts';
import type { Explanation } from '@postern/network/insights/explanation.ts';
import { type Place, type Question, vpcsOf } from '@postern/network/insights/question.ts';
import type { Snapshot, VpcId } from '@postern/network/snapshot.ts';
import { indexNetwork } from '@postern/network/walk/network-index.ts';
import { protocols } from '@postern/network/walk/packet.ts';
import { buildSnapshot } from '../../control/snapshot.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { NetworkInsightsAnalysisRow, NetworkInsightsPathRow } from '../../store/rows/network-insights.ts';
import { invalidValue, notFound } from './errors.ts';
import { applyFilters, type FilterTable } from './filters.ts';
import { oncePerToken } from './idempotency.ts';
import { componentsOf, placeOf, readArn } from './network-insights-ends.ts';
import { idsOf, toExplanation, toPathComponents } from './network-insights-output.ts';
import { unseenByCaller } from './network-insights-permissions.ts';
import { mayLookInto } from './network-insights-sharing.ts';
import { paginate } from './pagination.ts';
import { enforceQuota } from './quotas.ts';
import { ec2Arn, findRow, requireRow, scopeOf, selectRows } from './rows.ts';
import { tagsFromSpecifications, toTags } from './tags.ts';

const kept = 120 * 86_400_000;

function isKept(call: Call, row: NetworkInsightsAnalysisRow): boolean {
  return call.now.getTime() - Date.parse(row.startedAt) < kept;
}

function toAnalysis(call: Call, row: NetworkInsightsAnalysisRow): NetworkInsightsAnalysis {
  const { result, components } = row;
  return {
    ...toStarted(call, row),
    Status: result === undefined ? 'failed' : 'succeeded',
    ...(row.failure !== undefined && { StatusMessage: row.failure }),
    ...(result && {
      NetworkPathFound: result.isFound,
      ...(result.isFound && {
        ForwardPathComponents: toPathComponents(result.forward, components),
        ReturnPathComponents: toPathComponents(result.back, components),
      }),
      ...(!result.isFound && { Explanations: result.explanations.map((each) => toExplanation(each, components)) }),
      ...(result.alternatives.length > 0 && {
        AlternatePathHints: result.alternatives.map((id) => ({ ComponentId: id, ComponentArn: components[id]?.arn })),
      }),
    }),
    ...(row.suggestedAccounts.length > 0 && {
      SuggestedAccounts: row.suggestedAccounts,
      WarningMessage: `The path might go on in accounts that were not included: ${row.suggestedAccounts.join(', ')}`,
    }),
    Tags: toTags(row.tags),
  };
}

/** As the call that starts it shows it: whatever comes of it, it runs. */
function toStarted(call: Call, row: NetworkInsightsAnalysisRow): NetworkInsightsAnalysis {
  const { additionalAccounts, filterInArns, filterOutArns } = row;
  return {
    NetworkInsightsAnalysisId: row.id,
    NetworkInsightsAnalysisArn: ec2Arn(call, 'network-insights-analysis', row.id),
    NetworkInsightsPathId: row.pathId,
    ...(additionalAccounts.length > 0 && { AdditionalAccounts: additionalAccounts }),
    ...(filterInArns.length > 0 && { FilterInArns: filterInArns }),
    ...(filterOutArns.length > 0 && { FilterOutArns: filterOutArns }),
    StartDate: new Date(row.startedAt),
    Status: 'running',
    Tags: toTags(row.tags),
  };
}

const filters: FilterTable<NetworkInsightsAnalysisRow> = {
  'path-found': (row) => row.result?.isFound,
  status: (row) => (row.result === undefined ? 'failed' : 'succeeded'),
};

function start(call: Call, path: NetworkInsightsPathRow, input: StartNetworkInsightsAnalysisRequest): string {
  const { AdditionalAccounts: additionalAccounts = [] } = input;
  const malformed = additionalAccounts.find((account) => !/^\d{12}$/.test(account));
  if (malformed !== undefined) throw invalidValue(malformed, 'additionalAccount', 'It must be an account ID.');
  const filterInArns = readArns(input.FilterInArns, 'filterInArn');
  const filterOutArns = readArns(input.FilterOutArns, 'filterOutArn');
  const tags = tagsFromSpecifications(input.TagSpecifications, 'network-insights-analysis');
  forgetOld(call);
  const scope = scopeOf(call);
  enforceQuota(call, 'networkInsightsAnalysesPerRegion', () => call.tx.list('network-insights-analysis', scope).length);
  const id = call.tx.newId('nia');
  const base = { ...scope, id, pathId: path.id, additionalAccounts, filterInArns, filterOutArns, tags };
  const startedAt = call.now.toISOString();
  const failure = unseenByCaller(call);
  const outcome: Outcome =
    failure === undefined ? run(call, path, base) : { failure, components: {}, suggestedAccounts: [] };
  call.tx.put('network-insights-analysis', { ...base, startedAt, ...outcome });
  return id;
}

function readArns(arns: readonly string[] | undefined, name: string): string[] {
  const wrong = arns?.find((arn) => !/^arn:aws[\w-]*:[\w-]+:[\w-]*:\d{12}:.+$/.test(arn));
  if (wrong !== undefined) throw invalidValue(wrong, name, 'It must be an ARN.');
  return [...(arns ?? [])];
}

type Outcome = Pick<NetworkInsightsAnalysisRow, 'failure' | 'result' | 'components' | 'suggestedAccounts'>;

function run(
  call: Call,
  path: NetworkInsightsPathRow,
  {
    additionalAccounts,
    filterInArns,
    filterOutArns,
  }: Pick<NetworkInsightsAnalysisRow, 'additionalAccounts' | 'filterInArns' | 'filterOutArns'>,
): Outcome {
  const accounts = new Set([call.accountId, ...additionalAccounts, path.source.accountId]);
  if (path.destination) accounts.add(path.destination.accountId);
  const whole = buildSnapshot(call.tx, 0);
  const isVisible = (accountId: string) => accounts.has(accountId) && mayLookInto(call, accountId);
  const ends = [path.source, ...(path.destination ? [path.destination] : [])].map((end) =>
    placeOf(call, end, isVisible),
  );
  const wrong = ends.filter((each): each is Explanation => 'code' in each);
  const [source, destination = addressOf(path)] = ends.filter((each): each is Place => !('code' in each));
  if (wrong.length > 0 || source === undefined || source.kind === 'address' || destination === undefined) {
    const result = { isFound: false, forward: [], back: [], explanations: wrong, alternatives: [] };
    return { result, components: named(call, result), suggestedAccounts: [] };
  }
  const question: Question = {
    source,
    destination,
    protocol: protocols[path.protocol],
    ...headersOf(path, source, whole),
    through: filterInArns.map(idOfArn),
    without: filterOutArns.map(idOfArn),
  };
  const visible = whole.vpcs.filter((vpc) => vpc.region === call.region && isVisible(vpc.ownerId));
  const network = indexNetwork({ ...whole, vpcs: visible });
  try {
    const found = analyse(network, question);
    const result = { ...found, explanations: found.explanations.map((each) => withOwner(each, whole, network.vpc)) };
    const suggestedAccounts = result.isFound ? [] : unseenAccounts(call, question, whole, network.vpc);
    const components = named(call, result, [...filterInArns, ...filterOutArns]);
    return { result, components, suggestedAccounts };
  } catch (error) {
    if (!(error instanceof TooManyFlows)) throw error;
    return { failure: error.message, components: {}, suggestedAccounts: [] };
  }
}

function idOfArn(arn: string): string {
  return readArn(arn)?.id ?? arn;
}

function addressOf({ filterAtSource }: NetworkInsightsPathRow): Place | undefined {
  const address = filterAtSource?.destinationAddress;
  return address === undefined ? undefined : { kind: 'address', address };
}

/** The older parameters say the same as filters. A public DestinationIp is what a packet at an internet gateway has. */
function headersOf(
  path: NetworkInsightsPathRow,
  source: Place,
  { vpcs }: Snapshot,
): Pick<Question, 'atSource' | 'atDestination'> {
  const { sourceIp, destinationIp, destinationPort: port } = path;
  const isPublic =
    source.kind === 'internet-gateway' &&
    vpcs.some((vpc) =>
      vpc.networkInterfaces.some((card) => card.privateAddresses.some((each) => each.publicAddress === destinationIp)),
    );
  const destinationPorts = port === undefined ? undefined : { from: port, to: port };
  const older = {
    sourceAddress: sourceIp,
    destinationPorts,
    ...(destinationIp !== undefined && isPublic && { destinationAddress: destinationIp }),
  };
  return {
    atSource: path.filterAtSource ?? older,
    atDestination: path.filterAtDestination ?? (isPublic ? {} : { destinationAddress: destinationIp }),
  };
}

/** @param asked ARNs of what the path was to pass or not: it need not exist */
function named(
  call: Call,
  { forward, back, explanations, alternatives }: Analysis,
  asked: readonly string[] = [],
): Outcome['components'] {
  const given = Object.fromEntries(asked.map((arn) => [idOfArn(arn), { arn }]));
  return { ...given, ...componentsOf(call, [...idsOf([...forward, ...back], explanations), ...alternatives]) };
}

type VpcOf = (vpcId: VpcId) => unknown;

/** Of a peering whose other side is out of sight: whose it is. */
function withOwner(reason: Explanation, whole: Snapshot, seen: VpcOf): Explanation {
  const unseen = whole.peeringConnections
    .filter((each) => each.vpcPeeringConnectionId === reason.vpcPeeringConnection)
    .flatMap(({ requester, accepter }) => [requester.vpcId, accepter.vpcId])
    .find((vpcId) => seen(vpcId) === undefined);
  const vpc = whole.vpcs.find((each) => each.vpcId === unseen);
  return vpc === undefined ? reason : { ...reason, componentAccount: vpc.ownerId, componentRegion: vpc.region };
}

/** Accounts with a VPC that is peered with one of the ends' and that this analysis does not look into. */
function unseenAccounts(call: Call, { source, destination }: Question, whole: Snapshot, seen: VpcOf): string[] {
  const ends: readonly VpcId[] = [...vpcsOf(source), ...vpcsOf(destination)];
  const peers = whole.peeringConnections
    .map(({ requester, accepter }) => [requester.vpcId, accepter.vpcId])
    .filter((both) => both.some((vpcId) => ends.includes(vpcId)))
    .flat();
  const unseen = whole.vpcs.filter((vpc) => peers.includes(vpc.vpcId) && seen(vpc.vpcId) === undefined);
  return [...new Set(unseen.filter((vpc) => vpc.region === call.region).map((vpc) => vpc.ownerId))];
}

/** Rows that nobody can see any more, of every account. */
function forgetOld(call: Call): void {
  for (const row of call.tx.list('network-insights-analysis'))
    if (!isKept(call, row)) call.tx.delete('network-insights-analysis', row.id);
}

function requireAnalysis(call: Call, id: string | undefined): NetworkInsightsAnalysisRow {
  const row = requireRow(call, 'network-insights-analysis', id, 'networkInsightsAnalysisId');
  if (!isKept(call, row)) throw notFound('network-insights-analysis', [row.id]);
  return row;
}

export const networkInsightsAnalyses = {
  StartNetworkInsightsAnalysis: operation<StartNetworkInsightsAnalysisRequest, StartNetworkInsightsAnalysisResult>({
    authorize: 'auto',
    run: (call, input) => {
      const path = requireRow(call, 'network-insights-path', input.NetworkInsightsPathId, 'networkInsightsPathId');
      const known = (ids: readonly string[]) => ids.every((id) => findRow(call, 'network-insights-analysis', id));
      const [id] = oncePerToken(call, input.ClientToken, input, known, () => [start(call, path, input)]);
      return { NetworkInsightsAnalysis: toStarted(call, requireRow(call, 'network-insights-analysis', id)) };
    },
  }),

  DescribeNetworkInsightsAnalyses: operation<
    DescribeNetworkInsightsAnalysesRequest,
    DescribeNetworkInsightsAnalysesResult
  >({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const { NetworkInsightsAnalysisIds: ids, NetworkInsightsPathId: pathId } = input;
      const path = pathId ? requireRow(call, 'network-insights-path', pathId) : undefined;
      const [begin, end] = [input.AnalysisStartTime?.getTime() ?? 0, input.AnalysisEndTime?.getTime() ?? Infinity];
      const rows = selectRows(call, 'network-insights-analysis', ids).filter((row) => {
        const at = Date.parse(row.startedAt);
        return isKept(call, row) && (path === undefined || row.pathId === path.id) && begin <= at && at <= end;
      });
      const filtered = applyFilters(rows, input.Filters, filters);
      const bounds = { min: 1, max: 100, ids: { values: ids, parameter: 'networkInsightsAnalysisId' } };
      const { page, ...next } = paginate(filtered, input, bounds, (row) => row.id);
      return { NetworkInsightsAnalyses: page.map((row) => toAnalysis(call, row)), ...next };
    },
  }),

  DeleteNetworkInsightsAnalysis: operation<DeleteNetworkInsightsAnalysisRequest, DeleteNetworkInsightsAnalysisResult>({
    authorize: 'auto',
    run: (call, input) => {
      const { id } = requireAnalysis(call, input.NetworkInsightsAnalysisId);
      call.tx.delete('network-insights-analysis', id);
      return { NetworkInsightsAnalysisId: id };
    },
  }),
} satisfies Record<string, Operation>;
