// Reads a request's body: whole for the small ones, as a stream for objects. On the way it undoes aws-chunked and checks every hash the client gave.
// Nothing is read, and `100 Continue` is not sent, before somebody wants the first byte: a request can be denied before its body is on the wire.
// The checks end with the stream: whoever stores the bytes must not keep them before 'end'.

import { Readable } from 'node:stream';
import type { Protocol } from '../catalogue/shapes.ts';
import { AwsError } from '../errors.ts';
import { ChunkedDecoder, type ChunkedOptions } from './aws-chunked.ts';
import { type Checksum, checksumAlgorithms } from './checksums.ts';
import type { Identified } from './identify.ts';
import { type FedBody, Intake, type IntakeOptions, smallBytes, type TakenIn } from './intake.ts';
import {
  badDigest,
  badMd5,
  bodyTooLarge,
  incompleteBody,
  invalidDigest,
  missingContentLength,
  severalChecksums,
  signatureRefused,
  unsupportedChecksum,
} from './refusals.ts';
import { emptyHash } from './sigv4.ts';
import { type Soon, soon } from './soon.ts';
import type { Signer } from './verify.ts';

/** What `node:http` gives, or a test. `complete` tells a body that ended from one that was cut off. */
export type BodySource = Readable & { readonly complete?: boolean };

/** More than any request of a service that is not streamed: DynamoDB's batches are the largest, 16 MB. */
export const maxWholeBodyBytes = 18 * 1024 * 1024;

const nothing = Buffer.alloc(0);
const onFirstRead = new WeakMap<Readable, () => void>();

/** Registers what must happen before a body's first byte is read: the listener sends `100 Continue`. */
export function beforeFirstRead(source: Readable, action: () => void): void {
  onFirstRead.set(source, action);
}

function begin(source: Readable): void {
  const action = onFirstRead.get(source);
  if (!action) return;
  onFirstRead.delete(source);
  action();
}

/**
 * Reads a whole body without checking it.
 * @returns the bytes, at once when all of them have come   @throws AwsError when it is longer than `limit` bytes or is cut off
 */
export function readWhole(
  source: BodySource,
  protocol: Protocol,
  limit = maxWholeBodyBytes,
  announced?: string,
): Soon<Buffer> {
  if (announced !== undefined && Number(announced) > limit) throw bodyTooLarge(protocol);
  begin(source);
  if (source.complete === true) {
    const body = (source.read() as Buffer | null) ?? nothing;
    if (body.length > limit) throw bodyTooLarge(protocol);
    return body;
  }
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let size = 0;
    const finish = (error?: Error) => {
      source.off('data', take).off('end', end).off('error', cut).off('close', cut);
      if (error) reject(error);
      else resolve(pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces));
    };
    const take = (piece: Buffer) => {
      size += piece.length;
      if (size > limit) {
        source.pause();
        finish(bodyTooLarge(protocol));
      } else pieces.push(piece);
    };
    const end = () => finish();
    const cut = (error?: unknown) => finish(error instanceof AwsError ? error : incompleteBody(protocol));
    source.on('data', take).on('end', end).on('error', cut).on('close', cut);
    if (source.destroyed && !source.readableEnded) cut();
  });
}

interface Check {
  /** A name of `checksumAlgorithms`. */
  readonly algorithm: string;
  /** @param actual base64   @throws AwsError when the bytes were not what the client said */
  compare(actual: string, trailers: ReadonlyMap<string, string>): void;
}

/**
 * Opens the body of a rest-xml request: decoded and, by its end, checked.
 * @throws AwsError when a header that describes the body is malformed
 */
export function openBody(identified: Identified, signer: Signer, source: BodySource): CheckedBody {
  return new CheckedBody(identified, signer, source);
}

/** The whole of such a body. */
export function readCheckedBody(identified: Identified, signer: Signer, source: BodySource): Soon<Buffer> {
  const { headers } = identified.head;
  const announced = headers['x-amz-decoded-content-length'] ?? headers['content-length'];
  if (announced !== undefined && Number(announced) > maxWholeBodyBytes) throw bodyTooLarge(identified.protocol);
  const declared = headers['x-amz-content-sha256'];
  const empty = headers['transfer-encoding'] === undefined && (announced === undefined || announced === '0');
  if (empty && (declared === undefined || declared === emptyHash || declared === 'UNSIGNED-PAYLOAD')) return nothing;
  return readWhole(openBody(identified, signer, source), identified.protocol);
}

const chunkedForms: Readonly<Record<string, { readonly signed: boolean; readonly trailers: boolean }>> = {
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD': { signed: true, trailers: false },
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER': { signed: true, trailers: true },
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER': { signed: false, trailers: true },
};

export class CheckedBody extends Readable implements FedBody {
  /** The checksums that were verified, by header name, in base64: complete after 'end'. */
  readonly checksums: Readonly<Record<string, string>>;
  readonly #source: BodySource;
  readonly #protocol: Protocol;
  readonly #checks: Check[] = [];
  readonly #chunked: ChunkedOptions | undefined;
  #decoder: ChunkedDecoder | undefined;
  readonly #announced: number | undefined;
  /** Those of the checks, while the body is read as a stream. */
  #states: Checksum[] = [];
  #size = 0;
  #begun = false;

  constructor(identified: Identified, signer: Signer, source: BodySource) {
    super({ highWaterMark: 1 << 20 });
    const { headers } = identified.head;
    const verified: Record<string, string> = {};
    this.checksums = verified;
    this.#source = source;
    this.#protocol = identified.protocol;
    const declared = headers['x-amz-content-sha256'];
    const form = declared === undefined ? undefined : chunkedForms[declared];
    if (form) {
      const signing = form.signed && signer.kind === 'signed' ? { parts: signer.parts, key: signer.key } : undefined;
      this.#chunked = { signing, trailers: form.trailers };
      const announced = headers['x-amz-decoded-content-length'];
      if (announced === undefined) throw missingContentLength();
      if (!/^\d+$/.test(announced))
        throw new AwsError('InvalidArgument', 400, 'x-amz-decoded-content-length must be a number.');
      this.#announced = Number(announced);
    } else if (declared !== undefined && declared !== 'UNSIGNED-PAYLOAD') {
      this.#checks.push(payloadHashCheck(declared));
    }
    const { operation } = identified;
    const md5 = headers['content-md5'];
    if (md5 !== undefined) this.#checks.push(md5Check(md5, operation?.name === 'UploadPart'));
    if (operation?.checksummed) {
      const given = Object.keys(headers).filter(
        (name) => name.startsWith('x-amz-checksum-') && headers[name] !== undefined && !notChecksums.has(name),
      );
      if (given.length > 1) throw severalChecksums();
      for (const name of given) this.#checks.push(checksumCheck(name, headers[name], verified));
    }
    for (const name of trailerNames(form?.trailers ? headers['x-amz-trailer'] : undefined))
      this.#checks.push(checksumCheck(name, undefined, verified));
    // A denied request's body is never read; then nobody listens.
    this.on('error', () => {});
  }

  override _read(): void {
    if (!this.#begun) {
      if (this.#chunked) this.#decoder = new ChunkedDecoder(this.#chunked);
      this.#states = this.#checks.map((check) => stateOf(check.algorithm));
      this.#begin({ take: this.#take, end: this.#end, cut: this.#cut });
    }
    this.#source.resume();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#detach();
    done(error);
  }

  /** The way of objects, instead of reading the stream: a small one that has come is taken at once, a large one is hashed on threads. */
  feed(options: IntakeOptions): Soon<TakenIn> {
    const source = this.#source;
    if (source.complete !== true || source.readableLength > smallBytes || this.#begun)
      return this.#feedAsItComes(options);
    this.#begun = true;
    begin(source);
    const { take, end } = this.#receiver(options);
    const bytes = source.read() as Buffer | null;
    if (bytes) take(bytes);
    return end();
  }

  #feedAsItComes(options: IntakeOptions): Promise<TakenIn> {
    return new Promise((resolve, reject) => {
      let failed = false;
      const fail = (error: unknown) => {
        if (failed) return;
        failed = true;
        this.#detach();
        this.#source.pause();
        receiver.intake.abort().then(() => reject(error), reject);
      };
      const attempt = (action: () => void): boolean => {
        try {
          action();
          return true;
        } catch (error) {
          fail(error);
          return false;
        }
      };
      const receiver = this.#receiver({ onFailure: fail, ...options });
      const end = () => {
        this.#detach();
        attempt(() => {
          const taken = receiver.end();
          if (taken instanceof Promise) taken.then(resolve).catch(fail);
          else resolve(taken);
        });
      };
      const cut = () => {
        if (!this.#source.readableEnded) fail(incompleteBody(this.#protocol));
      };
      this.#begin({ take: (bytes) => attempt(() => receiver.take(bytes)), end, cut });
      this.#source.resume();
    });
  }

  /** Undoes the chunks, hands the bytes to an intake, and checks them at the end. Both throw what is wrong. */
  #receiver(options: IntakeOptions): {
    readonly intake: Intake;
    readonly take: (bytes: Buffer) => void;
    readonly end: () => Soon<TakenIn>;
  } {
    let decoder: ChunkedDecoder | undefined;
    const digests = [...new Set([...options.digests, ...this.#checks.map((check) => check.algorithm)])];
    const onChunk = this.#chunked?.signing?.key ? (digest: string) => decoder?.compareNext(digest) : undefined;
    const intake = new Intake({ onChunk, ...options, digests });
    if (this.#chunked) decoder = new ChunkedDecoder(this.#chunked, () => intake.cut());
    const pass = (piece: Buffer) => {
      this.#count(piece);
      const room = intake.take(piece);
      if (!room) return;
      this.#source.pause();
      room.then(() => this.#source.resume());
    };
    const take = (bytes: Buffer) => (decoder ? decoder.take(bytes, pass) : pass(bytes));
    const end = () => {
      this.#checkEnd(decoder);
      return soon(intake.end(), (taken) => {
        this.#compare((check) => taken.digests[check.algorithm] ?? '', decoder);
        return taken;
      });
    };
    return { intake, take, end };
  }

  #begin({ take, end, cut }: { take: (bytes: Buffer) => void; end: () => void; cut: () => void }): void {
    const source = this.#source;
    this.#begun = true;
    begin(source);
    source.on('data', take).on('end', end).on('error', cut).on('close', cut);
    this.#detach = () => source.off('data', take).off('end', end).off('error', cut).off('close', cut);
    if (source.destroyed) cut();
  }

  #detach: () => void = () => {};

  readonly #take = (bytes: Buffer): void => {
    try {
      if (this.#decoder) this.#decoder.take(bytes, this.#pass);
      else this.#pass(bytes);
    } catch (error) {
      this.#fail(error);
    }
  };

  readonly #pass = (piece: Buffer): void => {
    this.#count(piece);
    for (const state of this.#states) state.update(piece);
    if (!this.push(piece)) this.#source.pause();
  };

  readonly #end = (): void => {
    this.#detach();
    try {
      this.#checkEnd(this.#decoder);
      const digests = this.#states.map((state) => state.digest());
      this.#compare((_check, index) => digests[index] ?? '', this.#decoder);
      this.push(null);
    } catch (error) {
      this.#fail(error);
    }
  };

  readonly #cut = (): void => {
    if (!this.#source.readableEnded) this.#fail(incompleteBody(this.#protocol));
  };

  #count(piece: Buffer): void {
    this.#size += piece.length;
    if (this.#announced !== undefined && this.#size > this.#announced) throw incompleteBody(this.#protocol);
  }

  #checkEnd(decoder: ChunkedDecoder | undefined): void {
    if (decoder && (!decoder.done || this.#size !== this.#announced)) throw incompleteBody(this.#protocol);
  }

  #compare(digestOf: (check: Check, index: number) => string, decoder: ChunkedDecoder | undefined): void {
    for (const [index, check] of this.#checks.entries())
      check.compare(digestOf(check, index), decoder?.trailers ?? noTrailers);
  }

  #fail(error: unknown): void {
    this.#source.pause();
    this.destroy(error as Error);
  }
}

function stateOf(algorithm: string): Checksum {
  const known = checksumAlgorithms[algorithm];
  if (!known) throw new Error(`no implementation of ${algorithm}`);
  return known.create();
}

const noTrailers: ReadonlyMap<string, string> = new Map();
const notChecksums = new Set(['x-amz-checksum-algorithm', 'x-amz-checksum-mode', 'x-amz-checksum-type']);

function trailerNames(header: string | undefined): string[] {
  return (header ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name.startsWith('x-amz-checksum-'));
}

function payloadHashCheck(declared: string): Check {
  if (!/^[0-9a-f]{64}$/.test(declared)) {
    throw new AwsError(
      'InvalidArgument',
      400,
      'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.',
      { fields: { ArgumentName: 'x-amz-content-sha256', ArgumentValue: declared } },
    );
  }
  return {
    algorithm: 'sha256',
    compare(digest) {
      const actual = Buffer.from(digest, 'base64').toString('hex');
      if (actual !== declared) {
        throw signatureRefused('rest-xml', 'wrong-payload-hash', {
          ClientComputedContentSHA256: declared,
          S3ComputedContentSHA256: actual,
        });
      }
    },
  };
}

function md5Check(expected: string, isPart: boolean): Check {
  if (Buffer.from(expected, 'base64').length !== 16) throw invalidDigest('content-md5', expected);
  return {
    algorithm: 'md5',
    compare(actual) {
      if (actual !== expected.trim()) throw badMd5(expected.trim(), actual, isPart);
    },
  };
}

/** @param expected the header's value, or undefined when it comes in the trailer of that name */
function checksumCheck(name: string, expected: string | undefined, verified: Record<string, string>): Check {
  const algorithm = name.slice('x-amz-checksum-'.length);
  const known = Object.hasOwn(checksumAlgorithms, algorithm) ? checksumAlgorithms[algorithm] : undefined;
  if (!known) throw unsupportedChecksum(name);
  const { label, bytes: length } = known;
  const valid = (value: string) => Buffer.from(value, 'base64').length === length;
  if (expected !== undefined && !valid(expected)) throw invalidDigest(name, expected);
  return {
    algorithm,
    compare(actual, trailers) {
      const given = expected ?? trailers.get(name);
      if (given === undefined)
        throw new AwsError(
          'MalformedTrailerError',
          400,
          'The request contained trailing data that was not well-formed or did not conform to our published schema.',
        );
      if (!valid(given)) throw invalidDigest(name, given);
      if (actual !== given.trim()) throw badDigest(label);
      verified[name] = actual;
    },
  };
}
