// The aws-chunked framing of an upload: chunks, each signed or not, and trailers. A state machine over pieces; it holds one line at most.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html, …/sigv4-streaming-trailers.html (read 2026-11-21).

import { createHash, type Hash } from 'node:crypto';
import { hmacHex, sha256Hex } from './hashes.ts';
import { malformedChunk, signatureRefused } from './refusals.ts';
import { emptyHash, type SignatureParts, sameSignature, scopeText } from './sigv4.ts';

export interface ChunkSigning {
  readonly parts: SignatureParts;
  /** Undefined when signatures are not compared (`--auth open`). */
  readonly key: Buffer | undefined;
}

export interface ChunkedOptions {
  /** Undefined for STREAMING-UNSIGNED-PAYLOAD-TRAILER. */
  readonly signing: ChunkSigning | undefined;
  readonly trailers: boolean;
}

type State = 'size' | 'data' | 'data-end' | 'trailer' | 'done';

const maxLineBytes = 8192;
const maxTrailers = 20;

export class ChunkedDecoder {
  readonly trailers = new Map<string, string>();
  readonly #options: ChunkedOptions;
  #state: State = 'size';
  #line: Buffer[] = [];
  #lineBytes = 0;
  #left = 0;
  #hash: Hash | undefined;
  #expected = '';
  #previous: string;
  readonly #cut: (() => void) | undefined;
  /** Chunks whose digests are still to come: what each was signed with, and after. */
  readonly #uncompared: { readonly previous: string; readonly signature: string }[] = [];

  /** @param cut told where a signed chunk ends, when somebody else hashes the data and tells `compareNext`; without it the decoder hashes itself */
  constructor(options: ChunkedOptions, cut?: () => void) {
    this.#options = options;
    this.#cut = cut;
    this.#previous = options.signing?.parts.signature ?? '';
  }

  get done(): boolean {
    return this.#state === 'done';
  }

  /**
   * Takes the next bytes and hands on the data in them, without a copy.
   * @throws AwsError when the framing or a chunk's signature is wrong
   */
  take(bytes: Buffer, data: (piece: Buffer) => void): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#state === 'data') {
        const piece = bytes.subarray(at, at + this.#left);
        at += piece.length;
        this.#left -= piece.length;
        this.#hash?.update(piece);
        data(piece);
        if (this.#left === 0) this.#state = 'data-end';
        continue;
      }
      if (this.#state === 'done') throw malformedChunk('There are bytes after the last chunk.');
      const end = bytes.indexOf(10, at);
      const part = bytes.subarray(at, end < 0 ? bytes.length : end);
      this.#lineBytes += part.length;
      if (this.#lineBytes > maxLineBytes) throw malformedChunk('A chunk header or trailer is too long.');
      this.#line.push(part);
      if (end < 0) return;
      at = end + 1;
      const line = Buffer.concat(this.#line).toString('latin1').replace(/\r$/, '');
      this.#line = [];
      this.#lineBytes = 0;
      this.#takeLine(line);
    }
  }

  #takeLine(line: string): void {
    switch (this.#state) {
      case 'size':
        this.#startChunk(line);
        return;
      case 'data-end':
        if (line !== '') throw malformedChunk('A chunk is longer than its size says.');
        this.#endChunk();
        this.#state = 'size';
        return;
      default:
        this.#takeTrailer(line);
    }
  }

  #startChunk(line: string): void {
    const match = /^([0-9a-fA-F]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line);
    if (!match) throw malformedChunk('A chunk header is malformed.');
    const { signing } = this.#options;
    if (signing && match[2] === undefined) throw malformedChunk('A chunk has no signature.');
    this.#expected = match[2] ?? '';
    this.#left = Number.parseInt(match[1] ?? '', 16);
    this.#hash = signing?.key && !this.#cut ? createHash('sha256') : undefined;
    if (this.#left > 0) {
      this.#state = 'data';
      return;
    }
    this.#endChunk();
    this.#state = 'trailer';
  }

  #endChunk(): void {
    if (!this.#options.signing?.key) return;
    this.#uncompared.push({ previous: this.#previous, signature: this.#expected });
    this.#previous = this.#expected;
    if (this.#hash) this.compareNext(this.#hash.digest('base64'));
    else this.#cut?.();
  }

  /**
   * Checks the signature of the next chunk, in order.
   * @param digest SHA-256 of its data, in base64   @throws AwsError SignatureDoesNotMatch
   */
  compareNext(digest: string): void {
    const chunk = this.#uncompared.shift();
    const { signing } = this.#options;
    if (!chunk || !signing?.key) return;
    const hash = Buffer.from(digest, 'base64').toString('hex');
    const text = `AWS4-HMAC-SHA256-PAYLOAD\n${signing.parts.timestamp}\n${scopeText(signing.parts.scope)}\n${chunk.previous}\n${emptyHash}\n${hash}`;
    this.#checkSignature(signing.key, text, chunk.signature);
  }

  #checkSignature(key: Buffer, text: string, given: string): void {
    if (!sameSignature(hmacHex(key, text), given)) {
      throw signatureRefused('rest-xml', 'wrong-signature', {
        AWSAccessKeyId: this.#options.signing?.parts.scope.accessKeyId,
        StringToSign: text,
        SignatureProvided: given,
      });
    }
  }

  #takeTrailer(line: string): void {
    if (line !== '') {
      const colon = line.indexOf(':');
      if (!this.#options.trailers || colon <= 0 || this.trailers.size >= maxTrailers)
        throw malformedChunk('A trailer is malformed.');
      const name = line.slice(0, colon).trim().toLowerCase();
      if (this.trailers.has(name)) throw malformedChunk('A trailer is given twice.');
      this.trailers.set(name, line.slice(colon + 1).trim());
      return;
    }
    const { signing, trailers } = this.#options;
    if (trailers && signing?.key) this.#checkTrailers(signing.key, signing.parts);
    this.#state = 'done';
  }

  #checkTrailers(key: Buffer, parts: SignatureParts): void {
    const given = this.trailers.get('x-amz-trailer-signature');
    if (given === undefined) throw malformedChunk('The trailers have no signature.');
    let canonical = '';
    for (const [name, value] of this.trailers)
      if (name !== 'x-amz-trailer-signature') canonical += `${name}:${value}\n`;
    const text = `AWS4-HMAC-SHA256-TRAILER\n${parts.timestamp}\n${scopeText(parts.scope)}\n${this.#previous}\n${sha256Hex(canonical)}`;
    this.#checkSignature(key, text, given);
  }
}
