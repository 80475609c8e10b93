// Analyses of network access scopes: Network Access Analyzer. The work is network/insights/findings.ts, over the Snapshot of the moment that the call begins.
// https://docs.aws.amazon.com/vpc/latest/network-access-analyzer/how-network-access-analyzer-works.html (read 2026-11-21): one account and Region.

import type {
  DeleteNetworkInsightsAccessScopeAnalysisRequest,
  DeleteNetworkInsightsAccessScopeAnalysisResult,
  DescribeNetworkInsightsAccessScopeAnalysesRequest,
  DescribeNetworkInsightsAccessScopeAnalysesResult,
  GetNetworkInsightsAccessScopeAnalysisFindingsRequest,
  GetNetworkInsightsAccessScopeAnalysisFindingsResult,
  NetworkInsightsAccessScopeAnalysis,
  StartNetworkInsightsAccessScopeAnalysisRequest,
  StartNetworkInsightsAccessScopeAnalysisResult,
} from '@aws-sdk/client-ec2';
import { findPaths } from '@postern/network/insights/findings.ts';
import { indexNetwork } from '@postern/network/walk/network-index.ts';
import { buildSnapshot } from '../../control/snapshot.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type {
  NetworkInsightsAccessScopeAnalysisRow,
  NetworkInsightsAccessScopeRow,
} from '../../store/rows/network-insights.ts';
import { applyFilters } from './filters.ts';
import { oncePerToken } from './idempotency.ts';
import { requireScope } from './network-insights-access-scopes.ts';
import { componentsOf } from './network-insights-ends.ts';
import { idsOf, toPathComponents } from './network-insights-output.ts';
import { unseenByCaller } from './network-insights-permissions.ts';
import { paginate } from './pagination.ts';
import { enforceQuota } from './quotas.ts';
import { ec2Arn, findRow, requireRow, scopeOf, selectRows } from './rows.ts';
import { tagsFromSpecifications, toTags } from './tags.ts';

const kind = 'network-insights-access-scope-analysis';
const nothingFound = { paths: [], isCut: false, interfaceCount: 0 } as const;

function start(
  call: Call,
  { id: scopeId, scope }: NetworkInsightsAccessScopeRow,
  input: StartNetworkInsightsAccessScopeAnalysisRequest,
): string {
  const tags = tagsFromSpecifications(input.TagSpecifications, kind);
  enforceQuota(call, 'networkInsightsAccessScopeAnalysesPerRegion', () => call.tx.list(kind, scopeOf(call)).length);
  const failure = unseenByCaller(call);
  const whole = buildSnapshot(call.tx, 0);
  const own = whole.vpcs.filter((vpc) => vpc.region === call.region && vpc.ownerId === call.accountId);
  const { paths, isCut, interfaceCount } =
    failure === undefined ? findPaths(indexNetwork({ ...whole, vpcs: own }), scope) : nothingFound;
  const id = call.tx.newId('nisa');
  call.tx.put(kind, {
    ...scopeOf(call),
    id,
    scopeId,
    startedAt: call.now.toISOString(),
    findings: [...paths],
    isCut,
    interfaceCount,
    components: componentsOf(call, idsOf(paths.flat(), [])),
    ...(failure !== undefined && { failure }),
    tags,
  });
  return id;
}

/** As the call that starts it shows it. */
function toStarted(call: Call, row: NetworkInsightsAccessScopeAnalysisRow): NetworkInsightsAccessScopeAnalysis {
  return {
    NetworkInsightsAccessScopeAnalysisId: row.id,
    NetworkInsightsAccessScopeAnalysisArn: ec2Arn(call, kind, row.id),
    NetworkInsightsAccessScopeId: row.scopeId,
    Status: 'running',
    StartDate: new Date(row.startedAt),
    Tags: toTags(row.tags),
  };
}

function toAnalysis(call: Call, row: NetworkInsightsAccessScopeAnalysisRow): NetworkInsightsAccessScopeAnalysis {
  return {
    ...toStarted(call, row),
    Status: row.failure === undefined ? 'succeeded' : 'failed',
    ...(row.failure !== undefined && { StatusMessage: row.failure }),
    EndDate: new Date(row.startedAt),
    FindingsFound: row.failure !== undefined ? 'unknown' : row.findings.length > 0 ? 'true' : 'false',
    AnalyzedEniCount: row.interfaceCount,
    ...(row.isCut && { WarningMessage: 'There may be more paths than those that were found.' }),
  };
}

export const networkInsightsAccessScopeAnalyses = {
  StartNetworkInsightsAccessScopeAnalysis: operation<
    StartNetworkInsightsAccessScopeAnalysisRequest,
    StartNetworkInsightsAccessScopeAnalysisResult
  >({
    authorize: 'auto',
    run: (call, input) => {
      const scope = requireScope(call, input.NetworkInsightsAccessScopeId);
      const known = (ids: readonly string[]) => ids.every((id) => findRow(call, kind, id));
      const [id] = oncePerToken(call, input.ClientToken, input, known, () => [start(call, scope, input)]);
      return { NetworkInsightsAccessScopeAnalysis: toStarted(call, requireRow(call, kind, id)) };
    },
  }),

  DescribeNetworkInsightsAccessScopeAnalyses: operation<
    DescribeNetworkInsightsAccessScopeAnalysesRequest,
    DescribeNetworkInsightsAccessScopeAnalysesResult
  >({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const { NetworkInsightsAccessScopeAnalysisIds: ids, NetworkInsightsAccessScopeId: scopeId } = input;
      const scope = scopeId ? requireScope(call, scopeId) : undefined;
      const [begin, end] = [
        input.AnalysisStartTimeBegin?.getTime() ?? 0,
        input.AnalysisStartTimeEnd?.getTime() ?? Infinity,
      ];
      const rows = selectRows(call, kind, ids).filter((row) => {
        const at = Date.parse(row.startedAt);
        return (scope === undefined || row.scopeId === scope.id) && begin <= at && at <= end;
      });
      const bounds = { min: 1, max: 100, ids: { values: ids, parameter: 'networkInsightsAccessScopeAnalysisId' } };
      const { page, ...next } = paginate(applyFilters(rows, input.Filters, {}), input, bounds, (row) => row.id);
      return { NetworkInsightsAccessScopeAnalyses: page.map((row) => toAnalysis(call, row)), ...next };
    },
  }),

  GetNetworkInsightsAccessScopeAnalysisFindings: operation<
    GetNetworkInsightsAccessScopeAnalysisFindingsRequest,
    GetNetworkInsightsAccessScopeAnalysisFindingsResult
  >({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const id = input.NetworkInsightsAccessScopeAnalysisId;
      const row = requireRow(call, kind, id, 'networkInsightsAccessScopeAnalysisId');
      // The form of AWS's ids was not seen.
      const findings = row.findings.map((hops, index) => ({ id: `AnalysisFinding-${index + 1}`, hops }));
      const { page, ...next } = paginate(findings, input, { min: 1, max: 1000 }, (each) => each.id);
      return {
        NetworkInsightsAccessScopeAnalysisId: row.id,
        AnalysisStatus: row.failure === undefined ? 'succeeded' : 'failed',
        AnalysisFindings: page.map((finding) => ({
          NetworkInsightsAccessScopeAnalysisId: row.id,
          NetworkInsightsAccessScopeId: row.scopeId,
          FindingId: finding.id,
          FindingComponents: toPathComponents(finding.hops, row.components),
        })),
        ...next,
      };
    },
  }),

  DeleteNetworkInsightsAccessScopeAnalysis: operation<
    DeleteNetworkInsightsAccessScopeAnalysisRequest,
    DeleteNetworkInsightsAccessScopeAnalysisResult
  >({
    authorize: 'auto',
    run: (call, input) => {
      const id = input.NetworkInsightsAccessScopeAnalysisId;
      const row = requireRow(call, kind, id, 'networkInsightsAccessScopeAnalysisId');
      call.tx.delete(kind, row.id);
      return { NetworkInsightsAccessScopeAnalysisId: row.id };
    },
  }),
} satisfies Record<string, Operation>;
