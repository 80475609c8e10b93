// Who has used which service, and which policies let them? GenerateServiceLastAccessedDetails and what reads its reports.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_access-advisor.html (read 2026-11-21). A report names the services that the entity's
// policies allow something of, and with ACTION_LEVEL the tracked actions that they allow; a request counts when its signature was good, allowed or not.
// Reports are done at once and kept for seven days. Gaps: organizations' reports are refused; resource-based policies are not looked at, as at AWS.

import { randomUUID } from 'node:crypto';
import type {
  EntityDetails,
  GenerateServiceLastAccessedDetailsRequest,
  GenerateServiceLastAccessedDetailsResponse,
  GetServiceLastAccessedDetailsRequest,
  GetServiceLastAccessedDetailsResponse,
  GetServiceLastAccessedDetailsWithEntitiesRequest,
  GetServiceLastAccessedDetailsWithEntitiesResponse,
  ListPoliciesGrantingServiceAccessRequest,
  ListPoliciesGrantingServiceAccessResponse,
  PolicyGrantingServiceAccess,
  PolicyOwnerEntityType,
  ServiceLastAccessed,
  TrackedActionLastAccessed,
} from '@aws-sdk/client-iam';
import { parsePolicy } from '@postern/policy/document.ts';
import { compileActions } from '@postern/policy/match.ts';
import type { Statement } from '@postern/policy/types.ts';
import { groupArn, nameKey, roleArn, timestamp, userArn } from '../../identities.ts';
import { type Authorization, type Call, operation } from '../../service.ts';
import { serviceReference } from '../../service-reference.ts';
import type { AccessReportRow, ServiceAccessRow } from '../../store/rows/iam.ts';
import { trackedActionsOf } from '../../tracked-actions.ts';
import { constraints, page, required } from './checks.ts';
import { groupsOf } from './entities.ts';
import { noSuchMember } from './errors.ts';
import { allHolders, type Holder, holderName } from './holders.ts';
import { onEverything } from './permissions.ts';
import { lookUpPolicy } from './policies.ts';

type ReportedActions = NonNullable<AccessReportRow['services'][number]['actions']>;

const keptForMs = 7 * 24 * 60 * 60 * 1000;
const typeOf = { user: 'USER', group: 'GROUP', role: 'ROLE' } as const satisfies Record<
  Holder['kind'],
  PolicyOwnerEntityType
>;

// ---- what policies grant

interface Granted {
  /** Of which a policy allows something; every one that there is for `*`. */
  readonly namespaces: ReadonlySet<string>;
  /** @param action with its prefix, in lower case */
  readonly allows: (action: string) => boolean;
}

function grantedBy(text: string): Granted {
  const parsed = parsePolicy(text, { kind: 'identity', maxSize: Number.POSITIVE_INFINITY });
  const allowing = (parsed.ok ? parsed.document.statements : []).filter(({ effect }) => effect === 'Allow');
  const matchers = allowing.map(({ actions, notActions }) => {
    const matches = compileActions(notActions ?? actions ?? []);
    return notActions ? (action: string) => !matches(action) : matches;
  });
  return {
    namespaces: namespacesOf(allowing),
    allows: (action) => matchers.some((matches) => matches(action)),
  };
}

function namespacesOf(allowing: readonly Statement[]): ReadonlySet<string> {
  const known = serviceReference().names;
  const granted = new Set<string>();
  for (const { actions, notActions } of allowing) {
    if (notActions || actions?.includes('*')) return new Set(known.keys());
    for (const action of actions ?? []) granted.add(action.slice(0, action.indexOf(':')).toLowerCase());
  }
  return new Set([...granted].filter((namespace) => known.has(namespace)));
}

interface Grant extends Granted {
  readonly policy: PolicyGrantingServiceAccess;
}

function managedGrant(call: Call, arn: string): Grant[] {
  const policy = lookUpPolicy(call, arn);
  const version = policy?.versions.find((one) => one.versionId === policy.defaultVersionId);
  if (!policy || !version) return [];
  const described = { PolicyName: policy.policyName, PolicyType: 'MANAGED', PolicyArn: arn } as const;
  return [{ policy: described, ...grantedBy(version.document) }];
}

/** The policies of a user with those of its groups, of a group or of a role. */
function grantsOf(call: Call, holder: Holder): Grant[] {
  const groups =
    holder.kind === 'user' ? groupsOf(call, holder.row).map((row): Holder => ({ kind: 'group', row })) : [];
  return [holder, ...groups].flatMap((one) => [
    ...Object.entries(one.row.inlinePolicies).map(
      ([PolicyName, text]): Grant => ({
        policy: { PolicyName, PolicyType: 'INLINE', EntityType: typeOf[one.kind], EntityName: holderName(one) },
        ...grantedBy(text),
      }),
    ),
    ...one.row.attachedPolicyArns.flatMap((arn) => managedGrant(call, arn)),
  ]);
}

// ---- whom a report is about

function arnOf(call: Call, holder: Holder): string {
  switch (holder.kind) {
    case 'user':
      return userArn(call.partition, holder.row);
    case 'group':
      return groupArn(call.partition, holder.row);
    case 'role':
      return roleArn(call.partition, holder.row);
  }
}

function uniqueIdOf(holder: Holder): string {
  return holder.kind === 'user' ? holder.row.userId : holder.kind === 'group' ? holder.row.groupId : holder.row.roleId;
}

/** The users and roles behind a user, a role, a group or a policy; of these the first two are themselves. */
function entitiesBehind(call: Call, holders: readonly Holder[]): Holder[] {
  const found = new Map<string, Holder>();
  for (const holder of holders) {
    if (holder.kind !== 'group') found.set(uniqueIdOf(holder), holder);
    else {
      for (const name of holder.row.userNames) {
        const row = call.tx.get('user', nameKey(call.accountId, name));
        if (row) found.set(row.userId, { kind: 'user', row });
      }
    }
  }
  return [...found.values()];
}

interface Subject {
  readonly entities: readonly Holder[];
  readonly grants: readonly Grant[];
}

/** @throws AwsError NoSuchEntity for an ARN of nobody and nothing in this account */
function findSubject(call: Call, arn: string): Subject {
  const all = allHolders(call);
  const policy = lookUpPolicy(call, arn);
  if (policy) {
    const attached = all.filter(({ row }) => row.attachedPolicyArns.includes(arn));
    return { entities: entitiesBehind(call, attached), grants: managedGrant(call, arn) };
  }
  const holder = all.find((one) => arnOf(call, one) === arn);
  if (!holder) throw noSuchMember(`ARN ${arn} is not found`);
  return { entities: entitiesBehind(call, [holder]), grants: grantsOf(call, holder) };
}

function checkedArn(value: string | undefined): string {
  const arn = required('arn', value);
  constraints().length('arn', arn, 20, 2048).done();
  return arn;
}

// ---- reports

function generate(
  call: Call,
  input: GenerateServiceLastAccessedDetailsRequest,
): GenerateServiceLastAccessedDetailsResponse {
  const arn = checkedArn(input.Arn);
  constraints().oneOf('granularity', input.Granularity, ['SERVICE_LEVEL', 'ACTION_LEVEL']).done();
  const { entities, grants } = findSubject(call, arn);
  const namespaces = [...new Set(grants.flatMap((grant) => [...grant.namespaces]))].sort();
  const accesses = call.tx.list('service-access', { accountId: call.accountId });
  const services = namespaces.map((namespace) => {
    const uses = accesses
      .filter((access) => access.namespace === namespace)
      .flatMap((access) => {
        const entity = entities.find((one) => uniqueIdOf(one) === access.entityId);
        return entity ? [{ access, arn: arnOf(call, entity) }] : [];
      });
    return {
      namespace,
      entities: uses
        .map(({ access: { date, lastRegion }, arn }) => ({ arn, date, region: lastRegion }))
        .sort(latestFirst),
      total: entities.length,
      ...(input.Granularity === 'ACTION_LEVEL' && { actions: actionUses(namespace, grants, uses) }),
    };
  });
  forgetOldReports(call);
  const row: AccessReportRow = {
    id: randomUUID(),
    accountId: call.accountId,
    region: 'global',
    entityArn: arn,
    createdAt: timestamp(call.now),
    services,
    ...(input.Granularity === 'ACTION_LEVEL' && { granularity: input.Granularity }),
  };
  call.tx.put('access-report', row);
  return { JobId: row.id };
}

const latestFirst = (a: { date: string }, b: { date: string }) => (a.date < b.date ? 1 : -1);

/** The tracked actions that a policy allows, and who asked for each last. */
function actionUses(
  namespace: string,
  grants: readonly Grant[],
  uses: readonly { readonly access: ServiceAccessRow; readonly arn: string }[],
): ReportedActions {
  const allowed = (name: string) => grants.some((grant) => grant.allows(`${namespace}:${name}`.toLowerCase()));
  return trackedActionsOf(namespace)
    .filter(allowed)
    .map((name) => {
      const [last] = uses
        .flatMap(({ access, arn }) => {
          const use = access.actions?.[name];
          return use ? [{ arn, ...use }] : [];
        })
        .sort(latestFirst);
      return last ? { name, last } : { name };
    });
}

function forgetOldReports(call: Call): void {
  for (const row of call.tx.list('access-report', { accountId: call.accountId })) {
    if (call.now.getTime() - Date.parse(row.createdAt) > keptForMs) call.tx.delete('access-report', row.id);
  }
}

function findReport(call: Call, jobId: string | undefined): AccessReportRow {
  const id = required('jobId', jobId);
  constraints().length('jobId', id, 36, 36).done();
  const row = call.tx.get('access-report', id);
  if (row?.accountId !== call.accountId) throw noSuchMember(`Job ${id} cannot be found.`);
  return row;
}

function details(call: Call, input: GetServiceLastAccessedDetailsRequest): GetServiceLastAccessedDetailsResponse {
  const row = findReport(call, input.JobId);
  const { items, end } = page(row.services, input, ({ namespace }) => namespace);
  return {
    JobStatus: 'COMPLETED',
    JobType: row.granularity ?? 'SERVICE_LEVEL',
    JobCreationDate: new Date(row.createdAt),
    JobCompletionDate: new Date(row.createdAt),
    ServicesLastAccessed: items.map(
      ({ namespace, entities: [latest, ...others], actions }): ServiceLastAccessed => ({
        ServiceName: serviceReference().names.get(namespace) ?? namespace,
        ServiceNamespace: namespace,
        TotalAuthenticatedEntities: latest ? others.length + 1 : 0,
        ...(latest && {
          LastAuthenticated: new Date(latest.date),
          LastAuthenticatedEntity: latest.arn,
          LastAuthenticatedRegion: latest.region,
        }),
        ...(actions && { TrackedActionsLastAccessed: actions.map(describeAction) }),
      }),
    ),
    ...end,
  };
}

function describeAction({ name, last }: ReportedActions[number]): TrackedActionLastAccessed {
  if (!last) return { ActionName: name };
  return {
    ActionName: name,
    LastAccessedEntity: last.arn,
    LastAccessedTime: new Date(last.date),
    LastAccessedRegion: last.region,
  };
}

function detailsWithEntities(
  call: Call,
  input: GetServiceLastAccessedDetailsWithEntitiesRequest,
): GetServiceLastAccessedDetailsWithEntitiesResponse {
  const row = findReport(call, input.JobId);
  const namespace = required('serviceNamespace', input.ServiceNamespace);
  const service = row.services.find((one) => one.namespace === namespace);
  if (!service) throw noSuchMember(`Service ${namespace} is not in the report.`);
  const holders = allHolders(call);
  const listed = service.entities.flatMap(({ arn, date }): EntityDetails[] => {
    const holder = holders.find((one) => arnOf(call, one) === arn);
    if (!holder) return [];
    const EntityInfo = {
      Arn: arn,
      Name: holderName(holder),
      Type: typeOf[holder.kind],
      Id: uniqueIdOf(holder),
      Path: holder.row.path,
    };
    return [{ EntityInfo, LastAuthenticated: new Date(date) }];
  });
  const { items, end } = page(listed, input, ({ EntityInfo }) => EntityInfo?.Arn ?? '');
  return {
    JobStatus: 'COMPLETED',
    JobCreationDate: new Date(row.createdAt),
    JobCompletionDate: new Date(row.createdAt),
    EntityDetailsList: [...items],
    ...end,
  };
}

function listGranting(
  call: Call,
  input: ListPoliciesGrantingServiceAccessRequest,
): ListPoliciesGrantingServiceAccessResponse {
  const arn = checkedArn(input.Arn);
  const namespaces = required('serviceNamespaces', input.ServiceNamespaces);
  constraints().count('serviceNamespaces', namespaces, 200).done();
  const holder = allHolders(call).find((one) => arnOf(call, one) === arn);
  if (!holder) throw noSuchMember(`ARN ${arn} is not found`);
  const grants = grantsOf(call, holder);
  const { items, end } = page([...new Set(namespaces)], { Marker: input.Marker }, (namespace) => namespace);
  return {
    PoliciesGrantingServiceAccess: items.map((ServiceNamespace) => ({
      ServiceNamespace,
      Policies: grants.filter((grant) => grant.namespaces.has(ServiceNamespace)).map((grant) => grant.policy),
    })),
    ...end,
  };
}

/** On the entity or policy that is asked about. */
const onArn: Authorization<{ readonly Arn?: string | undefined }> = (call, input) => [
  { action: `iam:${call.operation}`, resource: checkedArn(input.Arn) },
];

export const accessAdvisor = {
  GenerateServiceLastAccessedDetails: operation<
    GenerateServiceLastAccessedDetailsRequest,
    GenerateServiceLastAccessedDetailsResponse
  >({ authorize: onArn, run: generate }),
  GetServiceLastAccessedDetails: operation<GetServiceLastAccessedDetailsRequest, GetServiceLastAccessedDetailsResponse>(
    { authorize: onEverything, run: details, readOnly: true },
  ),
  GetServiceLastAccessedDetailsWithEntities: operation<
    GetServiceLastAccessedDetailsWithEntitiesRequest,
    GetServiceLastAccessedDetailsWithEntitiesResponse
  >({ authorize: onEverything, run: detailsWithEntities, readOnly: true }),
  ListPoliciesGrantingServiceAccess: operation<
    ListPoliciesGrantingServiceAccessRequest,
    ListPoliciesGrantingServiceAccessResponse
  >({ authorize: onArn, run: listGranting, readOnly: true }),
};
