// The life of a request, on one page: identify → verify → parse → authorize → run → record → answer.
// Services are looked up in a table; protocols are the edge's. What is thrown on the way is answered in the request's own protocol,
// and every request leaves one event in the trail, whatever became of it.

import { regions } from '@postern/network/addresses.ts';
import { endpointService } from '@postern/network/endpoint-services.ts';
import type { Principal } from '@postern/policy/types.ts';
import type { Authorizer, DecisionRecord, RequestAuthorization } from './authorize/authorize.ts';
import { anonymous, principalOf, rootPrincipal } from './authorize/principal.ts';
import type { OperationModel } from './catalogue/shapes.ts';
import {
  type Answer,
  admit,
  type Credentials,
  contextOf,
  decodePercent,
  type Exchange,
  type Identified,
  identify,
  type Lookup,
  type Mutable,
  newRequestId,
  notImplemented,
  readHost,
  regionRefused,
  render,
  renderError,
  type Signer,
  type Soon,
  serviceRefused,
  signatureRefused,
  soon,
} from './edge/edge.ts';
import { AwsError } from './errors.ts';
import { isoTime } from './iso-time.ts';
import { noteUse } from './last-used.ts';
import type { RequestEvent } from './operator/api.ts';
import type { RequestPath } from './path.ts';
import type { BaseCall, Call, Operation, Service, Settings, StreamCall, WebRequest, WebSigner } from './service.ts';
import { presentedKey } from './sessions.ts';
import type { AccessKeyRow } from './store/rows/iam.ts';
import type { Store, Transaction } from './store/store.ts';

export interface PipelineParts {
  readonly store: Store;
  readonly services: ReadonlyMap<string, Service>;
  readonly authorizer: Authorizer;
  readonly settings: Settings;
  /** The account that `--auth open` lets an unknown key in as; undefined where it must be known. */
  readonly openAccount: (accessKeyId: string) => string | undefined;
  /** Called inside the transaction before a handler of this service runs: default VPC of a region, first state of an account. */
  readonly prepare: (tx: Transaction, service: string, accountId: string, region: string, now: Date) => void;
  /** @param progress what was learned on the way, by reference */
  readonly record: (event: RequestEvent, progress: Progress) => void;
  readonly clock: () => Date;
  readonly log: (text: string) => void;
}

const knownRegions: ReadonlySet<string> = new Set(regions);
export const isRegion = (name: string) => knownRegions.has(name);

/** What is learned on the way, for the answer and for the trail. */
export interface Progress {
  identified: Identified;
  principal: Principal;
  accessKeyId?: string;
  accessKey?: AccessKeyRow;
  asked?: RequestAuthorization;
  input?: unknown;
  output?: Readonly<Record<string, unknown>>;
}

/** The handler of the edge's listener. @returns the answer, at once when nothing had to be waited for; it never rejects */
export function createPipeline(parts: PipelineParts): (exchange: Exchange) => Soon<Answer> {
  return (exchange) => {
    const startedAt = performance.now();
    const now = parts.clock();
    const progress: Progress = { identified: identify(exchange.head), principal: anonymous };
    const requestId = newRequestId(progress.identified.protocol);
    const told = (answer: Answer, failure?: unknown): Answer => {
      const event = eventOf(exchange, progress, requestId, now, answer.status, failure, performance.now() - startedAt);
      parts.record(event, progress);
      return exchange.head.headers.origin === undefined ? answer : forBrowser(parts, exchange, progress, answer);
    };
    const refused = (error: unknown): Answer => {
      if (!(error instanceof AwsError)) parts.log(`request ${requestId}: ${(error as Error).stack ?? String(error)}`);
      return told(renderError(contextOf(progress), error, requestId), error);
    };
    let answer: Soon<Answer>;
    try {
      const { service } = progress.identified;
      const web = service && parts.services.get(service.name)?.web?.(exchange.head);
      answer = web
        ? web(webRequest(parts, exchange, progress, requestId, now))
        : serve(parts, exchange, progress, requestId, now);
    } catch (error) {
      return refused(error);
    }
    return answer instanceof Promise ? answer.then((late) => told(late), refused) : told(answer);
  };
}

/** An answer that a page of another origin may read, where the bucket's rules say so. */
function forBrowser(parts: PipelineParts, { head }: Exchange, progress: Progress, answer: Answer): Answer {
  const { service, labels } = progress.identified;
  // What is no call of an operation, a form or a page of a website, has no labels.
  const bucket = labels['Bucket'] ?? placeOf(head).bucket ?? '';
  if (!service) return answer;
  const further = parts.services.get(service.name)?.crossOrigin?.(bucket, head.method, head.headers);
  return further ? { ...answer, headers: { ...answer.headers, ...further } } : answer;
}

/** Which bucket and key a URL of S3's form means. */
function placeOf(head: Exchange['head']): Pick<WebRequest, 'bucket' | 'key'> {
  const host = readHost(head.headers.host);
  const path = decodePercent(head.path) ?? head.path;
  if (host.bucket !== undefined) return { bucket: host.bucket, key: path.slice(1) };
  const slash = path.indexOf('/', 1);
  if (slash < 0) return { bucket: path.slice(1) || undefined, key: '' };
  return { bucket: path.slice(1, slash) || undefined, key: path.slice(slash + 1) };
}

function webRequest(
  parts: PipelineParts,
  exchange: Exchange,
  progress: Progress,
  requestId: string,
  now: Date,
): WebRequest {
  refuseForeign(parts, exchange.path, progress.identified);
  const { head } = exchange;
  const { service } = progress.identified;
  return {
    method: head.method,
    headers: head.headers,
    url: head.url,
    ...placeOf(head),
    body: exchange.request,
    requestId,
    region: progress.identified.region,
    now,
    credentials: lookupIn(parts),
    async run<O>(name: string, input: object, signer?: WebSigner): Promise<O> {
      const model = service?.operation(name);
      if (!model) throw new Error(`there is no operation ${name}`);
      progress.identified = { ...progress.identified, operation: model, failure: undefined };
      const accessKey = signer && callerOf(parts, progress, signer);
      const { output, durable } = await runOperation(
        parts,
        exchange,
        progress,
        model,
        input,
        requestId,
        now,
        accessKey,
      );
      await durable;
      return output as O;
    },
  };
}

function serve(
  parts: PipelineParts,
  exchange: Exchange,
  progress: Progress,
  requestId: string,
  now: Date,
): Soon<Answer> {
  return soon(admit(exchange, { lookup: lookupIn(parts), now, isRegion }, progress.identified), (admission) => {
    progress.identified = admission.identified;
    const accessKey = admission.signer && identifyCaller(parts, progress, admission.signer);
    if (accessKey) {
      const { service, region } = admission.identified;
      const operation = 'operation' in admission ? admission.operation.name : undefined;
      noteUse(parts.store, accessKey, { service: service?.name ?? 'N/A', region, operation, now });
    }
    refuseForeign(parts, exchange.path, admission.identified);
    if (!('operation' in admission)) throw admission.failure;
    const { operation: model, input } = admission;
    const outcome = runOperation(parts, exchange, progress, model, input, requestId, now, accessKey);
    return soon(outcome, ({ output, durable }) => {
      // Rendered while the disk writes, sent when it has written.
      const answer = render(model, output, requestId);
      return durable ? durable.then(() => answer) : answer;
    });
  });
}

/** What an operation said. It is nobody's to know before it is durable. */
interface Outcome {
  readonly output: Record<string, unknown>;
  readonly durable: Promise<void> | undefined;
}

function runOperation(
  parts: PipelineParts,
  exchange: Exchange,
  progress: Progress,
  model: OperationModel,
  input: unknown,
  requestId: string,
  now: Date,
  accessKey: AccessKeyRow | undefined,
): Soon<Outcome> {
  const service = parts.services.get(model.service.name);
  const row = service?.operations[model.name];
  if (!service || !row) throw notImplemented(model);
  const facts = callFacts(parts, exchange, progress, model, requestId, now);
  const asked = parts.authorizer.open(facts, service, accessKey);
  progress.asked = asked;
  progress.input = input;
  // The facts themselves become the call: a copy of so many members costs as much as asking the policies.
  const call = facts as Mutable<BaseCall>;
  call.require = asked.require;
  call.allows = asked.allows;
  const outcome =
    row.kind === 'transaction'
      ? runTransaction(parts, row, call, asked, input)
      : runStream(parts, row, call, asked, input);
  return soon(outcome, (known) => {
    progress.output = known.output;
    return known;
  });
}

/** Behind a VPC endpoint is one service of one region, whatever the client signs or calls its host: any other is reached by another road. */
export function refuseForeign(parts: PipelineParts, path: RequestPath, identified: Identified): void {
  if (path.kind !== 'endpoint') return;
  const row = parts.store.read((tx) => tx.get('vpc-endpoint', path.vpcEndpointId));
  const expected = row && endpointService(row.serviceName);
  if (!row || !expected) return;
  const { protocol, region, service, scope } = identified;
  const asked = service?.name ?? scope?.service;
  const isIts = service ? service.hosts.includes(expected.host) : asked === undefined || asked === expected.host;
  if (!isIts) throw serviceRefused(protocol, asked ?? '', expected.host);
  if (row.region !== region) throw regionRefused(protocol, region, row.region);
}

export function lookupIn(parts: PipelineParts): Lookup {
  return (accessKeyId, sessionToken) => {
    const row = parts.store.read((tx) => presentedKey(tx, accessKeyId, sessionToken));
    if (!row) return parts.openAccount(accessKeyId) === undefined ? undefined : 'accept-any';
    if (row.status !== 'Active') return undefined;
    const credentials: Credentials = {
      secretAccessKey: row.secretAccessKey,
      ...(row.sessionToken !== undefined && { sessionToken: row.sessionToken }),
      ...(row.expiration !== undefined && { expiration: new Date(row.expiration) }),
    };
    return credentials;
  };
}

/** Fills in who asks. @returns the row of their key; none for an anonymous caller or one let in by `--auth open` */
export function identifyCaller(parts: PipelineParts, progress: Progress, signer: Signer): AccessKeyRow | undefined {
  return signer.kind === 'anonymous' ? undefined : callerOf(parts, progress, signer);
}

function callerOf(
  parts: PipelineParts,
  progress: Progress,
  { accessKeyId, sessionToken }: WebSigner,
): AccessKeyRow | undefined {
  const { partition, protocol } = progress.identified;
  progress.accessKeyId = accessKeyId;
  const row = parts.store.read((tx) => presentedKey(tx, accessKeyId, sessionToken));
  const account = parts.openAccount(accessKeyId);
  const principal = row
    ? parts.store.read((tx) => principalOf(tx, row, partition))
    : account === undefined
      ? undefined
      : rootPrincipal(account, partition);
  if (!principal) throw signatureRefused(protocol, 'unknown-key', { AWSAccessKeyId: accessKeyId });
  progress.principal = principal;
  if (row) progress.accessKey = row;
  return row;
}

export type CallFacts = Omit<BaseCall, 'require' | 'allows'>;

function callFacts(
  parts: PipelineParts,
  exchange: Exchange,
  progress: Progress,
  model: OperationModel,
  requestId: string,
  now: Date,
): CallFacts {
  const { identified, principal } = progress;
  const facts: Mutable<CallFacts> = {
    service: model.service.name,
    operation: model.name,
    requestId,
    region: identified.region,
    partition: identified.partition,
    accountId: principal.accountId,
    principal,
    path: exchange.path,
    now,
    settings: parts.settings,
    host: exchange.head.headers.host ?? '',
    headers: exchange.head.headers,
    url: exchange.head.url,
  };
  if (progress.accessKeyId !== undefined) facts.accessKeyId = progress.accessKeyId;
  if (progress.accessKey) facts.accessKey = progress.accessKey;
  return facts;
}

/** One transaction for both: what was allowed is what is done. */
function runTransaction(
  parts: PipelineParts,
  row: Extract<Operation, { kind: 'transaction' }>,
  base: BaseCall,
  asked: RequestAuthorization,
  input: unknown,
): Outcome {
  const { value, durable } = parts.store.transact((tx) => {
    const call = base as Mutable<Call>;
    call.tx = tx;
    parts.prepare(tx, base.service, base.accountId, base.region, base.now);
    asked.authorize(call, input, row.authorize);
    return row.run(call, input) as Record<string, unknown> | undefined;
  });
  return { output: value ?? {}, durable };
}

function runStream(
  parts: PipelineParts,
  row: Extract<Operation, { kind: 'stream' }>,
  base: BaseCall,
  asked: RequestAuthorization,
  input: unknown,
): Soon<Outcome> {
  const call = base as Mutable<Call & StreamCall>;
  parts.store.read((tx) => {
    call.tx = tx;
    return asked.authorize(call, input, row.authorize);
  });
  call.transact = async (work) => {
    const { value, durable } = parts.store.transact((tx) => {
      parts.prepare(tx, call.service, call.accountId, call.region, call.now);
      return work(tx);
    });
    await durable;
    return value;
  };
  call.read = (work) => parts.store.read(work);
  const output = row.run(call, input) as Soon<Record<string, unknown> | undefined>;
  return soon(output, (known) => ({ output: known ?? {}, durable: undefined }));
}

export function eventOf(
  exchange: Pick<Exchange, 'head' | 'path'>,
  progress: Progress,
  requestId: string,
  now: Date,
  status: number,
  failure: unknown,
  durationMs: number,
): RequestEvent {
  const { identified, principal, asked } = progress;
  // Also of a request that was refused: then it is the key that the client claimed, and the principal is nobody.
  const accessKeyId = progress.accessKeyId ?? identified.scope?.accessKeyId;
  // The decision that ended it, or else the first one, which is the operation's own.
  const decisions = asked?.decisions ?? [];
  const decision = decisions.findLast((one) => !one.allowed && status >= 400) ?? decisions[0];
  const userAgent = exchange.head.headers['user-agent'];
  // Written out: an object spread into another costs as much as ten of its members.
  const event: Mutable<RequestEvent> = {
    time: isoTime(now),
    requestId,
    principalArn: principal.arn,
    accountId: principal.accountId,
    service: identified.service?.name ?? identified.scope?.service ?? 'unknown',
    operation: identified.operation?.name ?? namedOperation(identified) ?? 'unknown',
    region: identified.region,
    path: exchange.path,
    status,
    durationMs,
  };
  if (accessKeyId !== undefined) event.accessKeyId = accessKeyId;
  if (userAgent !== undefined) event.userAgent = userAgent;
  if (decision) {
    event.action = decision.action;
    event.resource = decision.resource;
    event.decision = decisionFields(decision);
  }
  return failure === undefined ? event : { ...event, ...errorFields(failure) };
}

/** What the client called an operation that there is not. */
function namedOperation({ form, head }: Identified): string | undefined {
  const target = head.headers['x-amz-target'];
  const name = form?.find(([key]) => key === 'Action')?.[1] ?? target?.slice(target.lastIndexOf('.') + 1);
  return name !== undefined && /^\w{1,128}$/.test(name) ? name : undefined;
}

function errorFields(failure: unknown): Pick<RequestEvent, 'errorCode' | 'errorMessage' | 'explanation'> {
  return failure instanceof AwsError
    ? {
        errorCode: failure.code,
        errorMessage: failure.message,
        ...(failure.explanation !== undefined && { explanation: failure.explanation }),
      }
    : { errorCode: 'InternalError', errorMessage: 'a bug of Postern; its log has the whole story' };
}

function decisionFields(decision: DecisionRecord): NonNullable<RequestEvent['decision']> {
  const { allowed, layer, explicit } = decision;
  const citation = decision.citations[0];
  const at = allowed ? undefined : decision.layers?.find((one) => one.layer === layer)?.at;
  const place = at === undefined ? undefined : { at };
  if (!citation) return { allowed, layer, explicit, ...place };
  const statement = citation.sid ?? `statement ${citation.index + 1}`;
  return { allowed, layer, explicit, policyId: citation.policyId, statement, ...place };
}
