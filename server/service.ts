// What a service is: a table of operations. A handler is a function of (call, input) and returns the output as the SDK's type describes it
// (PascalCase members, Date for timestamps, Uint8Array for blobs). Adding an operation adds a row (design, invariant 4).

import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { AuthorizationRequest, Decision, Principal } from '@postern/policy/types.ts';
import type { RequestPath } from './path.ts';
import type { AccessKeyRow } from './store/rows/iam.ts';
import type { Transaction } from './store/store.ts';

/** What the operator chose at start; the same for every request. */
export interface Settings {
  readonly auth: 'strict' | 'open';
  readonly strictImages: boolean;
  readonly quotas: 'off' | 'aws';
  readonly dataDirectory: string;
}

/** Where an instance's own disk is: a directory of that one machine. */
export function instanceDisk(dataDirectory: string, instanceId: string): string {
  return join(dataDirectory, 'instances', instanceId);
}

/** What every handler may know about its request. */
export interface BaseCall {
  readonly service: string;
  readonly operation: string;
  readonly requestId: string;
  /** From the signature's scope; `us-east-1` for an unsigned request. */
  readonly region: string;
  /** `aws`, `aws-cn`, `aws-us-gov` …: the region's. */
  readonly partition: string;
  /** The caller's account. */
  readonly accountId: string;
  readonly principal: Principal;
  /** The key that signed; absent for an unsigned request. */
  readonly accessKeyId?: string;
  /** What is known of that key: a session may not do everything. Absent for one that `--auth open` let in. */
  readonly accessKey?: AccessKeyRow;
  readonly path: RequestPath;
  /** Of a request that a service of AWS's makes for somebody's resource: aws:SourceAccount and aws:SourceArn. */
  readonly source?: { readonly accountId: string; readonly arn: string };
  /** The time of the request; handlers never read the clock themselves. */
  readonly now: Date;
  readonly settings: Settings;
  /** `Host` as the client sent it, and the lower-cased headers: for S3's links, CORS and conditional requests only. */
  readonly host: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The URL that the client asked for, path and query, still encoded. */
  readonly url: string;
  /**
   * A further permission that the operation needs, e.g. iam:PassRole in RunInstances.
   * @throws AwsError in the service's own form of access denied.
   */
  require(tx: Transaction, action: string, resource: string, context?: Record<string, readonly string[]>): void;
  /** The same as a question: for answers that depend on a permission (T5: 404 or 403). */
  allows(tx: Transaction, action: string, resource: string, context?: Record<string, readonly string[]>): boolean;
}

/** The ordinary handler: synchronous, inside one transaction; it commits when it returns and rolls back when it throws. */
export interface Call extends BaseCall {
  readonly tx: Transaction;
}

/** A handler that moves bytes, or makes what takes its time (a pair of keys): it opens as many transactions as it needs, each answered only after it is durable. */
export interface StreamCall extends BaseCall {
  /** Runs `work` in one transaction; the promise settles after it is durable. */
  transact<T>(work: (tx: Transaction) => T): Promise<T>;
  /** A consistent read without a commit. */
  read<T>(work: (tx: Transaction) => T): T;
}

/** The permission an operation needs, before it runs. */
export interface Permission {
  /** `ec2:RunInstances`; by default service prefix and operation name. */
  readonly action: string;
  /** An ARN or `*`. */
  readonly resource: string;
  /** Service keys of this resource, e.g. `ec2:Vpc`, `aws:ResourceTag/Name`, `s3:prefix`. */
  readonly context?: Readonly<Record<string, readonly string[]>>;
  /**
   * The root of the account that owns the resource is allowed whatever the resource's own policy says, also an explicit deny (T1: s3:GetBucketPolicy,
   * PutBucketPolicy, DeleteBucketPolicy). The authorizer leaves `PolicySet.resource` out for that caller; VPC endpoint policies, SCPs and RCPs still decide.
   */
  readonly ownerRootExempt?: boolean;
  /** Whose it is for this question, where the resource is not there yet or what is asked about is not the resource's owner's (an upload is its initiator's). */
  readonly ownerAccountId?: string;
  /** What the account itself allows its users, without a policy of anybody: it counts as an identity policy of this name. */
  readonly grantedBy?: string;
}

/**
 * What the caller must be allowed to do. `'auto'`: derived from the input by `authorize/` with AWS's own action and resource tables (EC2, IAM).
 * `'none'`: nothing (sts:GetCallerIdentity). A function: the service says so itself; called inside a read transaction, and may throw AwsError (NoSuchBucket).
 */
export type Authorization<I> = 'auto' | 'none' | ((call: Call, input: I) => readonly Permission[]);

export interface TransactionOperation<I, O> {
  readonly kind: 'transaction';
  readonly authorize: Authorization<I>;
  readonly run: (call: Call, input: I) => O;
  /** True when the operation never writes: it is answered without waiting for a commit. */
  readonly readOnly?: boolean;
}

export interface StreamOperation<I, O> {
  readonly kind: 'stream';
  readonly authorize: Authorization<I>;
  /** At once, where nothing has to be waited for. */
  readonly run: (call: StreamCall, input: I) => Promise<O> | O;
  readonly readOnly?: boolean;
}

// biome-ignore lint/suspicious/noExplicitAny: the table is read by name at run time; each row is typed where it is written
export type Operation = TransactionOperation<any, any> | StreamOperation<any, any>;

export interface ResourcePolicy {
  readonly policyText: string;
  readonly id: string;
  readonly ownerAccountId: string;
  readonly trust?: boolean;
  readonly kind?: 'resource' | 'trust';
  /** Those statements of it that a caller of another account needs no policy of its own for (KMS grants), as a document. */
  readonly granted?: string;
}

export interface Service {
  /** The catalogue's name: `ec2`, `s3`, `iam`, `sts` … */
  readonly name: string;
  readonly operations: Readonly<Record<string, Operation>>;
  /** The error that a denial becomes; each service has its own form (F2, F5, F6). */
  readonly denied: (call: BaseCall, request: AuthorizationRequest, decision: Decision) => Error;
  /**
   * The resource-based policy for a resource, if the service has one (a bucket policy). `trust: true` when it must itself allow (E1):
   * a role's trust policy or a key's, which goes to `PolicySet.trust` instead of `resource`; `kind` where its grammar is the other one.
   */
  readonly resourcePolicy?: (
    tx: Transaction,
    resource: string,
    action?: string,
    principal?: Principal,
  ) => ResourcePolicy | undefined;
  /** Who answers a request that is no call; asked with every request of this service, before anything else is looked at. */
  readonly web?: (head: {
    readonly method: string;
    readonly headers: Readonly<Record<string, string | undefined>>;
  }) => WebHandler | undefined;
  /** Further headers of an answer to a browser, whose request names its origin. */
  readonly crossOrigin?: (
    bucket: string,
    method: string,
    headers: Readonly<Record<string, string | undefined>>,
  ) => Readonly<Record<string, string>> | undefined;
  /** Whose resource an ARN is when the ARN has no account in it (S3); undefined when it does not exist. */
  readonly resourceOwner?: (
    tx: Transaction,
    resource: string,
    action?: string,
    principal?: Principal,
  ) => string | undefined;
}

/** A request that is no call of an operation: a browser's preflight, a page of a website, a form. */
export interface WebRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Path and query, still encoded. */
  readonly url: string;
  /** Of the host name, or the first segment of the path; decoded. */
  readonly bucket: string | undefined;
  /** The rest of the path, decoded. */
  readonly key: string;
  readonly body: Readable;
  readonly requestId: string;
  readonly region: string;
  readonly now: Date;
  /** Runs an operation as the holder of a key, or as nobody; every policy is asked, and the trail has it. */
  run<O>(operation: string, input: object, signer?: WebSigner): Promise<O>;
  /** What a key signs with; `accept-any`: signatures are not compared. */
  credentials(
    accessKeyId: string,
    sessionToken: string | undefined,
  ):
    | { readonly secretAccessKey: string; readonly sessionToken?: string; readonly expiration?: Date }
    | 'accept-any'
    | undefined;
}

export interface WebSigner {
  readonly accessKeyId: string;
  readonly sessionToken: string | undefined;
}

export interface WebAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | StreamingBody | undefined;
}

export type WebHandler = (request: WebRequest) => Promise<WebAnswer>;

/** Types a row where it is written: `CreateVpc: operation<CreateVpcRequest, CreateVpcResult>({ … })`. */
export function operation<I, O>(row: Omit<TransactionOperation<I, O>, 'kind'>): TransactionOperation<I, O> {
  return { kind: 'transaction', ...row };
}

export function streamOperation<I, O>(row: Omit<StreamOperation<I, O>, 'kind'>): StreamOperation<I, O> {
  return { kind: 'stream', ...row };
}

/** A member of an output: the answer's status, where it is not the operation's usual one. */
export const answerStatus = Symbol('status of the answer');

/** A member of an output: headers of the answer that the operation's model does not have. */
export const answerHeaders = Symbol('headers of the answer');

/** A streaming output body: bytes of a file, sent without being held in memory. */
export interface FileBody {
  readonly file: string;
  /** First byte and one past the last. */
  readonly start: number;
  readonly end: number;
  /** Present: the file is encrypted. */
  readonly cipher?: FileCipher;
}

/** AES-256 in counter mode. */
export interface FileCipher {
  /** 32 bytes; 64 for two layers. */
  readonly key: Uint8Array;
  /** Of the block of 16 bytes that `start` is in, and how far in it. */
  readonly counter: Uint8Array;
  readonly skip: number;
}

/** Bytes of several files one after the other. */
export interface PiecesBody {
  readonly sizeBytes: number;
  /** To be walked once, and at once; while somebody walks them the files stay where they are. */
  readonly pieces: Iterable<FileBody | Uint8Array>;
}

export type StreamingBody = Readable | FileBody | PiecesBody | Uint8Array;
