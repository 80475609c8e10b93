// Session Manager: who has a shell where. StartSession writes a row; the message gateway tells the agent, and joins the agent's data channel and the client's.
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartSession.html (read 2026-11-21). Order of checks: document, permission, connection.

import { randomBytes } from 'node:crypto';
import type {
  DescribeSessionsRequest,
  DescribeSessionsResponse,
  ResumeSessionRequest,
  ResumeSessionResponse,
  Session,
  StartSessionRequest,
  StartSessionResponse,
  TerminateSessionRequest,
  TerminateSessionResponse,
} from '@aws-sdk/client-ssm';
import type { OpenChannels } from '../../open-channels.ts';
import { type BaseCall, type Call, operation, type Permission } from '../../service.ts';
import type { SsmSessionRow } from '../../store/rows/ssm.ts';
import type { Transaction } from '../../store/store.ts';
import { defaultSession, documentArn, documentFor, parametersFor } from './documents.ts';
import { doesNotExist, invalid, invalidDocument, pageOf, targetNotConnected } from './errors.ts';
import { onInstance } from './managed-instances.ts';

/** AWS keeps them for 30 days. */
const keptMs = 30 * 86_400_000;

/** The part of an ARN by which sessions are named, so that policies can say `session/${aws:username}-*`. */
function nameOf({ principal }: BaseCall): string {
  return principal.arn.split(/[:/]/).at(-1) ?? 'root';
}

/** Where the client's end of the data channel is: the name that it asked by, so that a client outside finds the loopback endpoint. */
function streamUrl(call: BaseCall, sessionId: string): string {
  const path = `/v1/data-channel/${encodeURIComponent(sessionId)}?role=publish_subscribe`;
  const isAws = /\.amazonaws\.com(\.cn)?$/.test(call.host);
  if (isAws) return `wss://ssmmessages.${call.region}.amazonaws.com${call.partition === 'aws-cn' ? '.cn' : ''}${path}`;
  return `${call.path.secure ? 'wss' : 'ws'}://${call.host}${path}`;
}

const newToken = () => randomBytes(48).toString('base64url');

function startSession(channels: OpenChannels, call: Call, input: StartSessionRequest): StartSessionResponse {
  const { tx, accountId, region, now } = call;
  const document = sessionDocument(input.DocumentName);
  const parameters = parametersFor(document, input.Parameters);
  const target = input.Target ?? '';
  const node = tx.get('ssm-managed-instance', target);
  const isOwn = node?.accountId === accountId && node.region === region;
  if (!isOwn || !channels.control(target)) throw targetNotConnected(target);
  const before = new Date(now.getTime() - keptMs).toISOString();
  for (const row of tx.list('ssm-session', { accountId, region }))
    if ((row.endedAt ?? row.startedAt) < before) tx.delete('ssm-session', row.id);
  const row: SsmSessionRow = {
    id: `${nameOf(call)}-0${randomBytes(8).toString('hex')}`,
    accountId,
    region,
    target,
    documentName: document.name,
    parameters,
    reason: input.Reason ?? '',
    owner: call.principal.arn,
    ownerUserId: call.principal.userId,
    clientToken: newToken(),
    startedAt: now.toISOString(),
    state: 'Connecting',
  };
  tx.put('ssm-session', row);
  return { SessionId: row.id, TokenValue: row.clientToken, StreamUrl: streamUrl(call, row.id) };
}

/** @throws AwsError InvalidDocument */
export function sessionDocument(name: string | undefined) {
  if (name === undefined || name === defaultSession.name) return defaultSession;
  const document = documentFor(name);
  if (document.type !== 'Session')
    throw invalidDocument(`Document type ${document.type} is not supported for sessions.`);
  return document;
}

function sessionOf({ tx, accountId, region }: Call, id: string): SsmSessionRow | undefined {
  const row = tx.get('ssm-session', id);
  return row?.accountId === accountId && row.region === region ? row : undefined;
}

function resumeSession(channels: OpenChannels, call: Call, input: ResumeSessionRequest): ResumeSessionResponse {
  const row = sessionOf(call, input.SessionId ?? '');
  if (!row || row.state === 'Terminated') throw doesNotExist(`Session ${input.SessionId} does not exist.`);
  if (!channels.control(row.target)) throw targetNotConnected(row.target);
  const clientToken = newToken();
  call.tx.put('ssm-session', { ...row, clientToken });
  return { SessionId: row.id, TokenValue: clientToken, StreamUrl: streamUrl(call, row.id) };
}

/** One that is not there, or has ended, is as good as ended. */
function terminateSession(call: Call, input: TerminateSessionRequest): TerminateSessionResponse {
  const row = sessionOf(call, input.SessionId ?? '');
  if (row) endSession(call.tx, row, call.now);
  return { SessionId: input.SessionId };
}

export function endSession(tx: Transaction, row: SsmSessionRow, now: Date): void {
  if (row.state !== 'Terminated')
    tx.put('ssm-session', { ...row, state: 'Terminated', endedAt: now.toISOString(), clientToken: '' });
}

/** Filter key → does the session have the value? */
const filters: Readonly<Record<string, (row: SsmSessionRow, value: string) => boolean>> = {
  InvokedAfter: (row, value) => Date.parse(row.startedAt) > timeOf(value),
  InvokedBefore: (row, value) => Date.parse(row.startedAt) < timeOf(value),
  Owner: (row, value) => row.owner === value,
  SessionId: (row, value) => row.id === value,
  Status: (row, value) => row.state === value,
  Target: (row, value) => row.target === value,
  AccessType: (_row, value) => value === 'Standard',
};

function timeOf(value: string): number {
  const time = Date.parse(value);
  if (Number.isNaN(time)) throw invalid(`${value} is not a time.`);
  return time;
}

function describeSessions(call: Call, input: DescribeSessionsRequest): DescribeSessionsResponse {
  const { tx, accountId, region } = call;
  if (input.State !== 'Active' && input.State !== 'History') throw invalid('State must be Active or History.');
  const fits = (row: SsmSessionRow) =>
    (input.Filters ?? []).every(({ key, value = '' }) => {
      const test = key !== undefined && Object.hasOwn(filters, key) ? filters[key] : undefined;
      if (!test) throw invalid(`The filter ${key} is not known.`);
      return test(row, value);
    });
  const all = tx
    .list('ssm-session', { accountId, region })
    .filter((row) => (row.state === 'Terminated') === (input.State === 'History') && fits(row))
    .sort((a, b) => b.startedAt.localeCompare(a.startedAt));
  const { page, next } = pageOf(all, input, 1, 200);
  return { Sessions: page.map(shown), ...next };
}

function shown(row: SsmSessionRow): Session {
  return {
    SessionId: row.id,
    Target: row.target,
    Status: row.state,
    StartDate: new Date(row.startedAt),
    ...(row.endedAt !== undefined && { EndDate: new Date(row.endedAt) }),
    DocumentName: row.documentName,
    Owner: row.owner,
    ...(row.reason !== '' && { Reason: row.reason }),
    OutputUrl: {},
  };
}

/** The default document is not asked about unless it is named: `ssm:SessionDocumentAccessCheck` is not known here. */
function startPermissions(call: Call, input: StartSessionRequest): readonly Permission[] {
  const name = input.DocumentName;
  const resource =
    name === defaultSession.name
      ? `arn:${call.partition}:ssm:${call.region}:${call.accountId}:document/${name}`
      : documentArn(call, name ?? '');
  return [
    onInstance(call, input.Target ?? ''),
    ...(name === undefined ? [] : [{ action: `ssm:${call.operation}`, resource }]),
  ];
}

function onSession(call: Call, id: string | undefined): readonly Permission[] {
  const row = sessionOf(call, id ?? '');
  return [
    {
      action: `ssm:${call.operation}`,
      resource: `arn:${call.partition}:ssm:${call.region}:${call.accountId}:session/${id}`,
      ...(row && {
        context: {
          'ssm:resourceTag/aws:ssmmessages:session-id': [row.ownerUserId],
          'ssm:resourceTag/aws:ssmmessages:target-id': [row.target],
        },
      }),
    },
  ];
}

export const sessionOperations = (channels: OpenChannels) => ({
  StartSession: operation<StartSessionRequest, StartSessionResponse>({
    authorize: startPermissions,
    run: (call, input) => startSession(channels, call, input),
  }),
  ResumeSession: operation<ResumeSessionRequest, ResumeSessionResponse>({
    authorize: (call, input) => onSession(call, input.SessionId),
    run: (call, input) => resumeSession(channels, call, input),
  }),
  TerminateSession: operation<TerminateSessionRequest, TerminateSessionResponse>({
    authorize: (call, input) => onSession(call, input.SessionId),
    run: terminateSession,
  }),
  DescribeSessions: operation<DescribeSessionsRequest, DescribeSessionsResponse>({
    authorize: 'auto',
    run: describeSessions,
    readOnly: true,
  }),
});
