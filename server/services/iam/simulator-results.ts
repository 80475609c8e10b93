// How does the policy simulator tell what the engine decided? The shapes were recorded on AWS in 2025 and 2026: `*` has no details, one resource is told twice,
// and of several the action's own result is what they come to together.

import type {
  EvaluationResult,
  PolicyEvaluationDecisionType,
  PolicySourceType,
  ResourceSpecificResult,
  Statement,
} from '@aws-sdk/client-iam';
import { statementSpans } from '@postern/policy/positions.ts';
import type { Citation, Decision, PolicySource } from '@postern/policy/types.ts';
import { resourceForm } from '../../service-reference.ts';

/** A policy with its text, which the positions are counted in. */
export interface SimulatedPolicy extends PolicySource {
  readonly text: string;
}

type Outcome = PolicyEvaluationDecisionType;

const outcomes = {
  allow: 'allowed',
  'explicit-deny': 'explicitDeny',
  'implicit-deny': 'implicitDeny',
  'not-applicable': 'implicitDeny',
} as const satisfies Record<Decision['layers'][number]['outcome'], Outcome>;

/** What the engine says of one action on one resource. */
export function describe(
  action: string,
  resource: string,
  decision: Decision,
  policies: readonly SimulatedPolicy[],
  missing: readonly string[],
  crossAccount: boolean,
): EvaluationResult {
  const outcome: Outcome = decision.allowed ? 'allowed' : decision.explicit ? 'explicitDeny' : 'implicitDeny';
  const of = (layer: Decision['layers'][number]['layer']) => decision.layers.find((one) => one.layer === layer);
  // An allowed request is shown with all that allowed it, on either side.
  const matched = decision.allowed
    ? [...(of('identity')?.citations ?? []), ...(of('resource')?.citations ?? [])]
    : // An organization's policies are not shown to its members.
      decision.citations.filter(({ layer }) => layer !== 'scp');
  const statements = matched.map((citation) => describeStatement(citation, policies));
  const boundary = of('boundary');
  const boundaryDetail = boundary && {
    PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: boundary.outcome === 'allow' },
  };
  const scp = of('scp');
  const organizationDetail = scp && {
    OrganizationsDecisionDetail: { AllowedByOrganizations: scp.outcome === 'allow' },
  };
  const details: Record<string, Outcome> = {};
  const resourceLayer = of('resource');
  if (crossAccount) {
    details['IAM Policy'] = outcomes[of('identity')?.outcome ?? 'not-applicable'];
    details['Resource Policy'] = outcomes[resourceLayer?.outcome ?? 'not-applicable'];
  }
  // With resources named, what is missing is told with each of them; for `*`, here.
  const everywhere = resource === '*';
  return {
    EvalActionName: action,
    EvalResourceName: resource,
    EvalDecision: outcome,
    ...(!everywhere && { EvalDecisionDetails: details }),
    MatchedStatements: statements,
    MissingContextValues: everywhere ? [...missing] : [],
    ...boundaryDetail,
    ...organizationDetail,
    ...(!everywhere && {
      ResourceSpecificResults: [
        {
          EvalResourceName: resource,
          EvalResourceDecision: outcome,
          MatchedStatements: statements,
          MissingContextValues: [...missing],
          ...(crossAccount && { EvalDecisionDetails: details }),
          ...boundaryDetail,
        },
      ],
    }),
  };
}

function describeStatement({ layer, policyId, statement }: Citation, policies: readonly SimulatedPolicy[]): Statement {
  // Not by its id: one of the account's own policies may be named like one of AWS's.
  const policy = policies.find((one) => one.document.statements.includes(statement));
  const span = statementSpans(policy?.text ?? '')[statement.index];
  const place = (position: { line: number; column: number }) => ({ Line: position.line, Column: position.column });
  return {
    SourcePolicyId: policyId,
    // The SDK's enum says user, aws-managed and so on; the service answers these words (recorded).
    SourcePolicyType: (layer === 'boundary'
      ? 'Permissions Boundary Policy'
      : layer === 'resource'
        ? 'Resource Policy'
        : 'IAM Policy') as string as PolicySourceType,
    ...(span && { StartPosition: place(span.start), EndPosition: place(span.end) }),
  };
}

/** The results of an action's resources as one: denied when one of them is, with every statement that matched. */
export function combined(action: string, partition: string, results: readonly EvaluationResult[]): EvaluationResult {
  const [first, ...others] = results;
  if (first && others.length === 0) return first;
  const worst = (['explicitDeny', 'implicitDeny'] as const).find((outcome) =>
    results.some(({ EvalDecision }) => EvalDecision === outcome),
  );
  const statements = results.flatMap(({ MatchedStatements = [] }) => MatchedStatements);
  const boundaries = results.flatMap(({ PermissionsBoundaryDecisionDetail: detail }) => detail ?? []);
  return {
    EvalActionName: action,
    // Recorded for S3's objects: the form of the resource, though AWS has other names for its parts.
    EvalResourceName: resourceForm(action, first?.EvalResourceName ?? '', partition) ?? '*',
    EvalDecision: worst ?? 'allowed',
    EvalDecisionDetails: {},
    MatchedStatements: [...new Map(statements.map((one) => [JSON.stringify(one), one])).values()],
    MissingContextValues: [],
    ...(boundaries.length > 0 && {
      PermissionsBoundaryDecisionDetail: {
        AllowedByPermissionsBoundary: boundaries.every((one) => one.AllowedByPermissionsBoundary === true),
      },
    }),
    ...(first?.OrganizationsDecisionDetail && { OrganizationsDecisionDetail: first.OrganizationsDecisionDetail }),
    ResourceSpecificResults: results.flatMap(specific),
  };
}

/** `*` among others has no result of its own kind yet. */
function specific(result: EvaluationResult): ResourceSpecificResult[] {
  const { ResourceSpecificResults, EvalResourceName, EvalDecision, MatchedStatements, MissingContextValues } = result;
  if (ResourceSpecificResults) return ResourceSpecificResults;
  return [{ EvalResourceName, EvalResourceDecision: EvalDecision, MatchedStatements, MissingContextValues }];
}
