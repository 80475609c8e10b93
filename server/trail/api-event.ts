// A call as a record of CloudTrail's (L1–L4). https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
// (read 2026-11-22). Gap: of `additionalEventData` S3's alone, and of it not how many bytes went over.

import { randomUUID } from 'node:crypto';
import type { Principal } from '@postern/policy/types.ts';
import type { OperationModel } from '../catalogue/shapes.ts';
import type { RequestEvent } from '../operator/api.ts';
import type { AccessKeyRow } from '../store/rows/iam.ts';
import type { Transaction } from '../store/store.ts';
import { type EventKind, globalRegion } from './event-kinds.ts';
import { requestParameters, responseElements } from './parameters.ts';
import type { Values } from './record-values.ts';
import { anonymousIdentity, identityForOthers, identityOfToken, identityText } from './user-identity.ts';

/** What the pipeline knows of a call when it is answered. */
export interface ServedCall {
  readonly identified: {
    readonly operation: OperationModel | undefined;
    readonly partition: string;
    readonly head: { readonly headers: Readonly<Record<string, string | undefined>> };
  };
  readonly principal: Principal;
  readonly accessKey?: AccessKeyRow;
  readonly asked?: {
    readonly decisions: readonly {
      readonly resource: string;
      readonly question?: { readonly request: { readonly resourceAccountId?: string } };
    }[];
  };
  readonly input?: unknown;
  readonly output?: Values;
}

/** What of it is kept until its record is made: the rest is garbage by then. */
export interface KeptCall {
  readonly kind: EventKind;
  readonly event: RequestEvent;
  readonly operation: OperationModel;
  readonly partition: string;
  readonly principal: Principal;
  readonly accessKey: AccessKeyRow | undefined;
  readonly host: string | undefined;
  readonly isSignedInHeader: boolean;
  readonly resourceAccountId: string | undefined;
  readonly input: unknown;
  readonly output: Values | undefined;
}

export interface EventRecord {
  /** Whose history it is in. */
  readonly accountId: string;
  readonly region: string;
  readonly text: string;
}

/** Whose records name the resource itself, and as what. */
const resourceTypes: readonly (readonly [pattern: RegExp, type: string])[] = [
  [/^arn:[\w-]+:s3:::[^/]+\/./, 'AWS::S3::Object'],
  [/^arn:[\w-]+:s3:::[^/*]+/, 'AWS::S3::Bucket'],
  [/^arn:[\w-]+:iam::\d{12}:role\//, 'AWS::IAM::Role'],
  [/^arn:[\w-]+:kms:[^:]+:\d{12}:key\//, 'AWS::KMS::Key'],
  [/^arn:[\w-]+:dynamodb:[^:]+:\d{12}:table\//, 'AWS::DynamoDB::Table'],
];
const withResources: ReadonlySet<string> = new Set(['s3', 'sts', 'kms', 'dynamodb']);

/** The record of a call, in the history of its caller's account, and of that whose resource it asked for. Nobody's: its key was not known, or its signature not good. */
export function recordsOf(tx: Transaction, call: KeptCall): EventRecord[] {
  const { event, principal, operation } = call;
  const isTokens = operation.name === 'AssumeRoleWithSAML' || operation.name === 'AssumeRoleWithWebIdentity';
  const caller = principal.type === 'anonymous' ? undefined : principal.accountId;
  const owner = isTokens ? accountOfRole(call.input) : call.resourceAccountId;
  const region = call.kind.global ? globalRegion(call.partition) : event.region;
  const recordFor = (accountId: string, identity: string, shared?: string): EventRecord => ({
    accountId,
    region,
    text: recordText(tx, call, accountId, region, identity, shared),
  });
  if (caller === undefined) {
    if (owner === undefined) return [];
    const identity = isTokens ? identityOfToken(operation.name, call.output) : anonymousIdentity;
    return [recordFor(owner, JSON.stringify(identity))];
  }
  const identity = identityText(tx, principal, call.accessKey, event.accessKeyId);
  if (owner === undefined || owner === caller || !tx.get('account', owner)) return [recordFor(caller, identity)];
  const shared = randomUUID();
  const seen = JSON.stringify(identityForOthers(principal));
  return [recordFor(caller, identity, shared), recordFor(owner, seen, shared)];
}

function accountOfRole(input: unknown): string | undefined {
  return /^arn:[\w-]+:iam::(\d{12}):/.exec(String((input as Values | undefined)?.['RoleArn']))?.[1];
}

const quoted = JSON.stringify as (text: string) => string;

/** Written piece by piece: every call has one, and an object for `JSON.stringify` costs three times as much. */
function recordText(
  tx: Transaction,
  call: KeptCall,
  recipientAccountId: string,
  awsRegion: string,
  userIdentity: string,
  sharedEventID: string | undefined,
): string {
  const { kind, event, operation } = call;
  const { path, errorCode } = event;
  const isS3 = kind.eventSource === 's3.amazonaws.com';
  const parameters = requestParameters(operation, call.input, call.host);
  const isAnswered = errorCode === undefined && kind.answers;
  const response = isAnswered ? responseElements(operation, call.output, event.requestId) : null;
  const resources = resourcesOf(call);
  let text = `{"eventVersion":"1.11","userIdentity":${userIdentity},"eventTime":"${event.time.slice(0, 19)}Z"`;
  text += `,"eventSource":"${kind.eventSource}","eventName":"${kind.eventName}","awsRegion":"${awsRegion}"`;
  text += `,"sourceIPAddress":"${path.sourceIp}"`;
  // S3 writes it in brackets.
  if (isS3) text += `,"userAgent":${quoted(`[${event.userAgent ?? ''}]`)}`;
  else if (event.userAgent !== undefined) text += `,"userAgent":${quoted(event.userAgent)}`;
  if (errorCode !== undefined) {
    text += `,"errorCode":${quoted(codeOf(call, errorCode))},"errorMessage":${quoted(event.errorMessage ?? '')}`;
  }
  text += `,"requestParameters":${json(parameters)},"responseElements":${json(response)}`;
  if (isS3) text += `,"additionalEventData":${json(s3Additional(call))}`;
  text += `,"requestID":"${event.requestId}","eventID":"${randomUUID()}","readOnly":${kind.readOnly}`;
  if (resources) text += `,"resources":${json(resources)}`;
  text += `,"eventType":"AwsApiCall","managementEvent":${kind.category === 'Management'}`;
  text += `,"recipientAccountId":"${recipientAccountId}"`;
  if (sharedEventID !== undefined) text += `,"sharedEventID":"${sharedEventID}"`;
  if (path.kind === 'endpoint') {
    const owner = tx.get('vpc-endpoint', path.vpcEndpointId)?.accountId ?? '';
    text += `,"vpcEndpointId":"${path.vpcEndpointId}","vpcEndpointAccountId":"${owner}"`;
  }
  text += `,"eventCategory":"${kind.category}"`;
  if (path.tls) {
    const { version, cipherSuite } = path.tls;
    const host = call.host === undefined ? '' : `,"clientProvidedHostHeader":${quoted(call.host)}`;
    text += `,"tlsDetails":{"tlsVersion":"${version}","cipherSuite":"${cipherSuite}"${host}}`;
  }
  return `${text}}`;
}

const json = (value: unknown) => (value === null ? 'null' : JSON.stringify(value));

/** EC2 says whose mistake it was before the code; the others have the name of the error's shape, and a denial has one name everywhere. */
function codeOf({ event, operation }: KeptCall, code: string): string {
  if (operation.service.protocol === 'ec2-query') return `${event.status >= 500 ? 'Server' : 'Client'}.${code}`;
  return code === 'AccessDeniedException' ? 'AccessDenied' : (operation.service.error(code)?.name ?? code);
}

function s3Additional({ event, isSignedInHeader, principal }: KeptCall): object {
  const { tls } = event.path;
  const signed = principal.type !== 'anonymous';
  return {
    ...(signed && { SignatureVersion: 'SigV4', AuthenticationMethod: isSignedInHeader ? 'AuthHeader' : 'QueryString' }),
    ...(tls && { CipherSuite: tls.cipherSuite }),
  };
}

/** The bucket beside an object, as AWS has it. */
function resourcesOf({ kind, event, operation, principal, resourceAccountId }: KeptCall): object[] | undefined {
  const arn = event.resource;
  if (arn === undefined || !withResources.has(operation.service.name)) return undefined;
  const type = resourceTypes.find(([pattern]) => pattern.test(arn))?.[1];
  if (type === undefined) return undefined;
  const accountId = /^arn:[\w-]+:\w+:[^:]*:(\d{12}):/.exec(arn)?.[1] ?? resourceAccountId ?? principal.accountId;
  // A list of a bucket's objects.
  if (type === 'AWS::S3::Bucket' && kind.category === 'Data')
    return [
      { type: 'AWS::S3::Object', ARNPrefix: `${arn}/` },
      { accountId, type, ARN: arn },
    ];
  if (type !== 'AWS::S3::Object') return [{ accountId, type, ARN: arn }];
  return [
    { type, ARN: arn },
    { accountId, type: 'AWS::S3::Bucket', ARN: arn.slice(0, arn.indexOf('/')) },
  ];
}
