// AwsError: a caller's mistake, with AWS's own code, status and wording. Named constructors live beside the service that uses them;
// the edge renders one in the protocol of the request. Anything else that is thrown is a bug and is answered InternalError, 500.

export class AwsError extends Error {
  /** AWS's error code as the protocol spells it, e.g. `InvalidVpcID.NotFound`. */
  readonly code: string;
  /** HTTP status, 4xx or 5xx. */
  readonly status: number;
  /** Extra members of the error body, e.g. `{ BucketName }`; S3 and the modelled JSON errors have them. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Extra response headers, e.g. `Allow`. */
  readonly headers: Readonly<Record<string, string>>;
  /** What AWS would not say, e.g. which resources hold this one. For the operator's request log only, never in an answer. */
  readonly explanation: string | undefined;

  constructor(
    code: string,
    status: number,
    message: string,
    extra: { fields?: Record<string, unknown>; headers?: Record<string, string>; explanation?: string } = {},
  ) {
    super(message);
    this.name = 'AwsError';
    this.code = code;
    this.status = status;
    this.fields = extra.fields ?? {};
    this.headers = extra.headers ?? {};
    this.explanation = extra.explanation;
  }
}
