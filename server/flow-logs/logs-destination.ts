// Records into a log group, as the flow log's role: a stream for each interface. https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-cwl.html (read 2026-11-22)
// The role is taken for each delivery, and what it may do is asked as of anybody; a group that is not there is made, as LogGroupName may name a new one.

import type { ServiceCaller, ServiceRequest } from '../as-service.ts';
import { principalOf } from '../authorize/principal.ts';
import { AwsError } from '../errors.ts';
import { flowLogRole, flowLogsService } from '../flow-log-role.ts';
import type { FlowLogRow } from '../store/rows/flow-logs.ts';
import type { AccessKeyRow } from '../store/rows/iam.ts';
import type { Store } from '../store/store.ts';
import type { FlowRecord } from './records.ts';

export interface StreamDelivery {
  readonly log: FlowLogRow;
  readonly partition: string;
  readonly networkInterfaceId: string;
  readonly records: readonly FlowRecord[];
  readonly now: Date;
  readonly requestId: string;
}

/** A batch may be of so many events (API_PutLogEvents.html); lines are short, so its bytes are below their bound. */
const eventsAtOnce = 2000;

export function logGroupOf({ logGroupName, destination }: FlowLogRow): string {
  return logGroupName ?? /:log-group:([^:]+)/.exec(destination ?? '')?.[1] ?? '';
}

/** Rejects as CloudWatch Logs answers the role, or with AccessDenied when it cannot be taken. */
export async function deliverToLogGroup(store: Store, call: ServiceCaller, delivery: StreamDelivery): Promise<void> {
  const { log, records, networkInterfaceId } = delivery;
  const session = sessionOf(store, delivery);
  const ask = (operation: string, input: object) => call({ ...session, operation }, input);
  const named = {
    logGroupName: logGroupOf(log),
    logStreamName: `${networkInterfaceId}-${log.trafficType.toLowerCase()}`,
  };
  const events = records
    .map(({ atMs: timestamp, line: message }) => ({ timestamp: Math.floor(timestamp / 1000) * 1000, message }))
    .sort((a, b) => a.timestamp - b.timestamp);
  for (let first = 0; first < events.length; first += eventsAtOnce) {
    const put = () => ask('PutLogEvents', { ...named, logEvents: events.slice(first, first + eventsAtOnce) });
    try {
      await put();
    } catch (error) {
      if (!isNotFound(error)) throw error;
      await makeStream(ask, named);
      await put();
    }
  }
}

async function makeStream(
  ask: (operation: string, input: object) => Promise<unknown>,
  named: { readonly logGroupName: string; readonly logStreamName: string },
): Promise<void> {
  try {
    await ask('CreateLogStream', named);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await ask('CreateLogGroup', { logGroupName: named.logGroupName });
    await ask('CreateLogStream', named);
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof AwsError && error.code === 'ResourceNotFoundException';
}

/** Nobody is given its key, so it is in no store. @throws AwsError AccessDenied */
function sessionOf(
  store: Store,
  { log, partition, now, requestId }: StreamDelivery,
): Omit<ServiceRequest, 'operation'> {
  const { accountId, region } = log;
  return store.read((tx) => {
    const role = flowLogRole(tx, log.deliverLogsPermissionArn ?? '', { accountId, region, partition }, log.id);
    if (!role) throw new AwsError('AccessDenied', 403, `${flowLogsService} may not assume the role of ${log.id}`);
    const accessKey: AccessKeyRow = {
      ...{ id: '', accountId, region: 'global', secretAccessKey: '', status: 'Active', createDate: now.toISOString() },
      owner: {
        ...{ kind: 'role-session', roleName: role.roleName, roleId: role.roleId, sessionName: log.id },
        ...{ sessionPolicies: [], sessionPolicyArns: [], tags: {} },
      },
    };
    const principal = principalOf(tx, accessKey, partition);
    if (!principal) throw new AwsError('AccessDenied', 403, `the account of ${log.id} is closed`);
    return { principal, accessKey, service: 'logs', region, partition, requestId, now };
  });
}
