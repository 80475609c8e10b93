// PostObject: the upload of a file by an HTML form, with a policy that its maker signed.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html (read 2026-11-21). Order: the fields of the signature are there, the signature, the policy has not
// expired, the conditions, every field is covered; then the put is authorized as any put of the key's holder. The size is checked as it comes.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { Readable } from 'node:stream';
import type { PutObjectOutput } from '@aws-sdk/client-s3';
import { AwsError } from '../../errors.ts';
import type { WebAnswer, WebRequest, WebSigner } from '../../service.ts';
import { algorithms, suffixOf } from './checksums.ts';
import { literalWord } from './encoded-words.ts';
import { bareAccessDenied, entityTooLarge, invalidArgument, malformedXml } from './errors.ts';
import { type FormUpload, readForm } from './form-data.ts';
import { maxBodyBytes } from './objects.ts';

export async function postObject(request: WebRequest): Promise<WebAnswer> {
  const { bucket } = request;
  if (bucket === undefined || request.key !== '')
    throw new AwsError('MethodNotAllowed', 405, 'The specified method is not allowed against this resource.', {
      fields: { Method: 'POST', ResourceType: 'OBJECT' },
    });
  const form = await readForm(request.headers['content-type'] ?? '', request.body);
  const given = form.fields.get('key');
  if (given === undefined)
    throw invalidArgument(
      "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.",
      'key',
      '',
    );
  // A file without a name, as a plain field, leaves the variable where it is (recorded).
  const key = form.fileName === undefined ? given : given.replaceAll('$' + '{filename}', form.fileName);
  const signer = signerOf(form.fields);
  const range = signer && checkPolicy(request, form.fields, signer, { bucket, key });
  const put = await request.run<PutObjectOutput>('PutObject', inputOf(form, bucket, key, range), signer);
  return answer(request, form.fields, bucket, key, put);
}

interface Signer extends WebSigner {
  readonly policy: string;
  readonly signature: string;
  /** Version 4: date, region and service of the signing key. */
  readonly scope?: readonly [date: string, region: string, service: string];
}

function needed(fields: ReadonlyMap<string, string>, name: string): string {
  const value = fields.get(name.toLowerCase());
  if (value === undefined)
    throw invalidArgument(
      `Bucket POST must contain a field named '${name}'.  If it is specified, please check the order of the fields.`,
      name,
      '',
    );
  return value;
}

/** @returns undefined for a form without a signature, which is anybody's   @throws InvalidArgument */
function signerOf(fields: ReadonlyMap<string, string>): Signer | undefined {
  const version4 = ['x-amz-signature', 'x-amz-credential', 'x-amz-algorithm'].some((name) => fields.has(name));
  const version2 = fields.has('signature') || fields.has('awsaccesskeyid');
  if (!version4 && !version2) {
    // Recorded: a policy that nobody signed.
    if (fields.has('policy')) throw bareAccessDenied('the form has a policy and no signature');
    return undefined;
  }
  const policy = needed(fields, 'Policy');
  const sessionToken = fields.get('x-amz-security-token');
  if (!version4)
    return {
      policy,
      accessKeyId: needed(fields, 'AWSAccessKeyId'),
      signature: needed(fields, 'Signature'),
      sessionToken,
    };
  const algorithm = needed(fields, 'X-Amz-Algorithm');
  const credential = needed(fields, 'X-Amz-Credential').split('/');
  needed(fields, 'X-Amz-Date');
  const signature = needed(fields, 'X-Amz-Signature');
  const [accessKeyId = '', date = '', region = '', service = '', end] = credential;
  if (algorithm !== 'AWS4-HMAC-SHA256' || credential.length !== 5 || end !== 'aws4_request' || service !== 's3')
    throw invalidArgument('The x-amz-credential field is malformed.', 'x-amz-credential', credential.join('/'));
  return { policy, accessKeyId, signature, sessionToken, scope: [date, region, service] };
}

function hmac(key: string | Buffer, text: string, hash = 'sha256'): Buffer {
  return createHmac(hash, key).update(text).digest();
}

const invalidToken = () => new AwsError('InvalidToken', 400, 'The provided token is malformed or otherwise invalid.');

/** @throws InvalidAccessKeyId, InvalidToken, SignatureDoesNotMatch */
function checkSignature(request: WebRequest, signer: Signer): void {
  const known = request.credentials(signer.accessKeyId, signer.sessionToken);
  if (!known && signer.sessionToken) throw invalidToken();
  if (!known)
    throw new AwsError('InvalidAccessKeyId', 403, 'The AWS Access Key Id you provided does not exist in our records.', {
      fields: { AWSAccessKeyId: signer.accessKeyId },
    });
  if (known === 'accept-any') return;
  if ((known.sessionToken ?? '') !== (signer.sessionToken ?? '')) throw invalidToken();
  const { secretAccessKey: secret } = known;
  const expected = signer.scope
    ? hmac(
        [...signer.scope, 'aws4_request'].reduce<Buffer>((key, part) => hmac(key, part), Buffer.from(`AWS4${secret}`)),
        signer.policy,
      ).toString('hex')
    : hmac(secret, signer.policy, 'sha1').toString('base64');
  const [a, b] = [Buffer.from(expected), Buffer.from(signer.signature)];
  if (a.length !== b.length || !timingSafeEqual(a, b))
    throw new AwsError(
      'SignatureDoesNotMatch',
      403,
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
      {
        fields: {
          AWSAccessKeyId: signer.accessKeyId,
          StringToSign: signer.policy,
          SignatureProvided: signer.signature,
          StringToSignBytes: (Buffer.from(signer.policy).toString('hex').match(/../g) ?? []).join(' '),
        },
      },
    );
  if (known.expiration && known.expiration <= request.now)
    throw new AwsError('ExpiredToken', 400, 'The provided token has expired.');
}

function invalidPolicy(reason: string): AwsError {
  return new AwsError('InvalidPolicyDocument', 400, `Invalid Policy: ${reason}`);
}

function refused(reason: string): AwsError {
  return new AwsError('AccessDenied', 403, `Invalid according to Policy: ${reason}`);
}

interface SizeRange {
  readonly least: number;
  readonly most: number;
}

type Condition = readonly [operator: string, name: unknown, value: unknown];

/** Fields that no condition need name. */
const free = new Set(['x-amz-signature', 'signature', 'awsaccesskeyid', 'policy', 'file']);

/** @returns how large the file may be */
function checkPolicy(
  request: WebRequest,
  fields: ReadonlyMap<string, string>,
  signer: Signer,
  { bucket, key }: { readonly bucket: string; readonly key: string },
): SizeRange | undefined {
  checkSignature(request, signer);
  const { expiration, conditions } = parsePolicy(signer.policy);
  if (expiration <= request.now) throw refused('Policy expired.');
  const covered = new Set(free);
  let range: SizeRange | undefined;
  const given = (name: string) => (name === 'bucket' ? bucket : name === 'key' ? key : fields.get(name));
  for (const condition of conditions) {
    const [operator, name, value] = condition;
    const failed = () => refused(`Policy Condition failed: ${written(condition)}`);
    if (operator === 'content-length-range') {
      const [least, most] = [sizeOf(name), sizeOf(value)];
      if (least === undefined || most === undefined) throw failed();
      range = { least, most };
      continue;
    }
    if (typeof name !== 'string' || typeof value !== 'string' || !name.startsWith('$')) throw failed();
    const field = name.slice(1).toLowerCase();
    covered.add(field);
    const actual = given(field) ?? '';
    if (operator === 'eq' ? actual !== value : !startsWith(field, actual, value)) throw failed();
  }
  for (const name of fields.keys())
    if (!covered.has(name) && !name.startsWith('x-ignore-')) throw refused(`Extra input fields: ${name}`);
  return range;
}

/** A content type may be a list, of which each has to fit. */
function startsWith(field: string, actual: string, prefix: string): boolean {
  const values = field === 'content-type' ? actual.split(',').map((one) => one.trim()) : [actual];
  return values.every((one) => one.startsWith(prefix));
}

/** As S3 writes a condition in its refusals: with blanks after the commas and numbers as texts. */
function written(condition: Condition): string {
  return `[${condition.map((one) => JSON.stringify(String(one))).join(', ')}]`;
}

function sizeOf(value: unknown): number | undefined {
  const size =
    typeof value === 'number' ? value : typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : undefined;
  return size !== undefined && Number.isInteger(size) && size >= 0 ? size : undefined;
}

const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?$/;

/** @throws InvalidPolicyDocument */
function parsePolicy(encoded: string): { readonly expiration: Date; readonly conditions: readonly Condition[] } {
  let document: unknown;
  try {
    document = JSON.parse(Buffer.from(encoded, 'base64').toString('utf8'));
  } catch {
    throw invalidPolicy('Invalid JSON.');
  }
  const { expiration, conditions } = (document ?? {}) as { expiration?: unknown; conditions?: unknown };
  if (typeof expiration !== 'string') throw invalidPolicy('Policy missing expiration.');
  const time = new Date(expiration);
  if (!isoTime.test(expiration) || Number.isNaN(time.getTime()))
    throw invalidPolicy(`Invalid 'expiration' value: '${expiration}'`);
  if (!Array.isArray(conditions)) throw invalidPolicy('Policy missing conditions.');
  return { expiration: time, conditions: conditions.map(conditionOf) };
}

function conditionOf(given: unknown): Condition {
  if (Array.isArray(given)) {
    const operator = String(given[0]).toLowerCase();
    if (given.length !== 3 || !/^(eq|starts-with|content-length-range)$/.test(operator))
      throw invalidPolicy(`Invalid Condition: ${JSON.stringify(given)}`);
    return [operator, given[1], given[2]];
  }
  const entries = Object.entries((given ?? {}) as Record<string, unknown>);
  const [entry] = entries;
  if (entries.length !== 1 || !entry)
    throw invalidPolicy('Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.');
  return ['eq', `$${entry[0]}`, entry[1]];
}

const members: readonly (readonly [field: string, member: string])[] = [
  ['acl', 'ACL'],
  ['cache-control', 'CacheControl'],
  ['content-disposition', 'ContentDisposition'],
  ['content-encoding', 'ContentEncoding'],
  ['expires', 'Expires'],
  ['x-amz-storage-class', 'StorageClass'],
  ['x-amz-website-redirect-location', 'WebsiteRedirectLocation'],
  ['x-amz-server-side-encryption', 'ServerSideEncryption'],
  ['x-amz-server-side-encryption-aws-kms-key-id', 'SSEKMSKeyId'],
  ['x-amz-server-side-encryption-customer-algorithm', 'SSECustomerAlgorithm'],
  ['x-amz-server-side-encryption-customer-key', 'SSECustomerKey'],
  ['x-amz-server-side-encryption-customer-key-md5', 'SSECustomerKeyMD5'],
  ['x-amz-server-side-encryption-context', 'SSEKMSEncryptionContext'],
  ['x-amz-object-lock-mode', 'ObjectLockMode'],
  ['x-amz-object-lock-legal-hold', 'ObjectLockLegalHoldStatus'],
  ['x-amz-checksum-algorithm', 'ChecksumAlgorithm'],
  ...algorithms.map((algorithm) => [`x-amz-checksum-${suffixOf(algorithm)}`, `Checksum${algorithm}`] as const),
];

function inputOf(form: FormUpload, bucket: string, key: string, range: SizeRange | undefined): object {
  const { fields } = form;
  const tagging = fields.get('tagging');
  const until = fields.get('x-amz-object-lock-retain-until-date');
  const bucketKey = fields.get('x-amz-server-side-encryption-bucket-key-enabled');
  const Metadata: Record<string, string> = {};
  for (const [name, value] of fields)
    if (name.startsWith('x-amz-meta-')) Metadata[name.slice('x-amz-meta-'.length)] = literalWord(asHeader(value));
  return {
    Bucket: bucket,
    Key: key,
    Body: Readable.from(sized(form.file, range), { objectMode: false }),
    Metadata,
    ...(fields.has('content-type') && { ContentType: latinOf(fields.get('content-type') ?? '') }),
    ...Object.fromEntries(
      members.flatMap(([field, member]) => (fields.has(field) ? [[member, latinOf(fields.get(field) ?? '')]] : [])),
    ),
    ...(tagging !== undefined && { Tagging: taggingHeader(tagging) }),
    ...(until !== undefined && { ObjectLockRetainUntilDate: lockDate(until) }),
    ...(bucketKey !== undefined && { BucketKeyEnabled: bucketKey.toLowerCase() === 'true' }),
  };
}

/** @throws InvalidArgument, whose wording is without a source */
function lockDate(text: string): Date {
  const date = new Date(text);
  if (!Number.isNaN(date.getTime())) return date;
  throw invalidArgument(
    'The retain until date must be provided in ISO 8601 format',
    'x-amz-object-lock-retain-until-date',
    text,
  );
}

/** A form is UTF-8 and a header bytes: it will be answered in one, with the bytes that came. */
function asHeader(value: string): string {
  return Buffer.from(value, 'utf8').toString('latin1');
}

/** A header of the object's own holds no more than ISO-8859-1; a blank stands for the rest (recorded). */
function latinOf(value: string): string {
  return value.replace(/[^\t\x20-\x7e\xa0-\xff]/gu, ' ');
}

/** The form has tags as XML, the header of a put as a query. What is XML and no tag set is none (recorded). @throws MalformedXML */
function taggingHeader(xml: string): string {
  if (!xml.trim().startsWith('<')) throw malformedXml();
  const text = (value: string | undefined) =>
    encodeURIComponent(
      (value ?? '').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&'),
    );
  return [...xml.matchAll(/<Tag>\s*<Key>([^<]*)<\/Key>\s*<Value>([^<]*)<\/Value>\s*<\/Tag>/g)]
    .map(([, key, value]) => `${text(key)}=${text(value)}`)
    .join('&');
}

async function* sized(file: AsyncGenerator<Buffer>, range: SizeRange | undefined): AsyncGenerator<Buffer> {
  const most = range?.most ?? maxBodyBytes;
  let sizeBytes = 0;
  for await (const piece of file) {
    sizeBytes += piece.length;
    // The whole size is told, so the rest is counted before it is refused.
    if (sizeBytes <= most) yield piece;
  }
  if (sizeBytes > most) throw entityTooLarge(sizeBytes, most);
  if (range && sizeBytes < range.least)
    throw new AwsError('EntityTooSmall', 400, 'Your proposed upload is smaller than the minimum allowed size', {
      fields: { ProposedSize: String(sizeBytes), MinSizeAllowed: String(range.least) },
    });
}

function answer(
  request: WebRequest,
  fields: ReadonlyMap<string, string>,
  bucket: string,
  key: string,
  put: PutObjectOutput,
): WebAnswer {
  const etag = put.ETag ?? '';
  const host = request.headers.host ?? '';
  const path = host.startsWith(`${bucket}.`) ? '' : `/${encodeURIComponent(bucket)}`;
  // AWS's own names are told with TLS.
  const scheme = /\.amazonaws\.com(\.cn)?$/.test(host) ? 'https' : 'http';
  const location = `${scheme}://${host}${path}/${encodeURIComponent(key)}`;
  const checksum = algorithms.flatMap((algorithm): [string, string][] => {
    const value = put[`Checksum${algorithm}`];
    return value === undefined ? [] : [[`x-amz-checksum-${suffixOf(algorithm)}`, value]];
  });
  const headers = {
    ...Object.fromEntries(checksum),
    ...(put.ChecksumType !== undefined && { 'x-amz-checksum-type': put.ChecksumType }),
    ETag: etag,
    Location: location,
    'x-amz-request-id': request.requestId,
    ...(put.VersionId !== undefined && { 'x-amz-version-id': put.VersionId }),
  };
  const target = fields.get('success_action_redirect') ?? fields.get('redirect');
  if (target !== undefined && URL.canParse(target)) {
    const url = new URL(target);
    url.searchParams.set('bucket', bucket);
    url.searchParams.set('key', key);
    url.searchParams.set('etag', etag);
    return { status: 303, headers: { ...headers, Location: url.href }, body: undefined };
  }
  const wanted = fields.get('success_action_status');
  if (wanted === '200') return { status: 200, headers, body: undefined };
  if (wanted !== '201') return { status: 204, headers, body: undefined };
  const text = (value: string) => value.replace(/[<>&"]/g, (one) => `&#${one.charCodeAt(0)};`);
  return {
    status: 201,
    headers: { ...headers, 'Content-Type': 'application/xml' },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse><Location>${text(location)}</Location><Bucket>${text(bucket)}</Bucket><Key>${text(key)}</Key><ETag>${text(etag)}</ETag></PostResponse>`,
  };
}
