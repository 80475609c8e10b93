// Reads multipart/form-data up to its file, and the file as a stream. https://www.rfc-editor.org/rfc/rfc7578 (read 2026-11-21)
// S3 takes one file, as the last part that counts; what comes before it is at most 20 KB of fields.

import type { Readable } from 'node:stream';
import { AwsError } from '../../errors.ts';
import { invalidArgument } from './errors.ts';

const maxFieldBytes = 20 * 1024;

export interface FormUpload {
  /** By name in lower case. */
  readonly fields: ReadonlyMap<string, string>;
  readonly fileName: string | undefined;
  readonly fileType: string | undefined;
  /** To be read to its end. */
  readonly file: AsyncGenerator<Buffer>;
}

const malformed = () =>
  new AwsError('MalformedPOSTRequest', 400, 'The body of your POST request is not well-formed multipart/form-data.');

/** @throws MalformedPOSTRequest, MaxPostPreDataLengthExceeded, InvalidArgument (no file) */
export async function readForm(contentType: string, body: Readable): Promise<FormUpload> {
  const boundary = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType);
  const mark = boundary?.[1] ?? boundary?.[2];
  if (!mark || mark.length > 200) throw malformed();
  const delimiter = Buffer.from(`\r\n--${mark}`);
  const source = received(body);
  // The first boundary has no line before it; with one it looks like the others.
  let pending: Buffer = Buffer.from('\r\n');
  let before = 0;
  const more = async (): Promise<boolean> => {
    const { value, done } = await source.next();
    if (done) return false;
    pending = pending.length === 0 ? value : Buffer.concat([pending, value]);
    return true;
  };
  const upTo = async (text: Buffer): Promise<Buffer> => {
    for (let from = 0; ; ) {
      const at = pending.indexOf(text, from);
      if (at >= 0) {
        const piece = pending.subarray(0, at);
        pending = pending.subarray(at + text.length);
        before += piece.length;
        if (before > maxFieldBytes) throw tooLong();
        return piece;
      }
      if (before + pending.length > maxFieldBytes + delimiter.length) throw tooLong();
      from = Math.max(0, pending.length - text.length);
      if (!(await more())) throw malformed();
    }
  };
  await upTo(delimiter);
  const fields = new Map<string, string>();
  for (;;) {
    const rest = (await upTo(Buffer.from('\r\n'))).toString('latin1').trim();
    if (rest === '--') throw invalidArgument('POST requires exactly one file upload per request.', 'file', '0');
    // The blank line that ends the part's headers may follow at once.
    pending = Buffer.concat([Buffer.from('\r\n'), pending]);
    const head = (await upTo(Buffer.from('\r\n\r\n'))).toString('utf8');
    const disposition = /^content-disposition:\s*form-data(.*)$/im.exec(head)?.[1];
    const name = disposition && /;\s*name="([^"]*)"/i.exec(disposition)?.[1];
    if (name === undefined || name === '') throw malformed();
    if (name.toLowerCase() === 'file') {
      const fileName = /;\s*filename="([^"]*)"/i.exec(disposition ?? '')?.[1];
      const fileType = /^content-type:\s*(.+)$/im.exec(head)?.[1]?.trim();
      return {
        fields,
        fileName: fileName?.replace(/^.*[\\/]/, ''),
        fileType,
        file: contents(delimiter, pending, source),
      };
    }
    fields.set(name.toLowerCase(), (await upTo(delimiter)).toString('utf8'));
  }
}

/** The body as it comes. @throws IncompleteBody when the connection is cut */
async function* received(body: Readable): AsyncGenerator<Buffer, undefined> {
  try {
    for await (const piece of body) yield piece as Buffer;
  } catch (cause) {
    if (cause instanceof AwsError) throw cause;
    const text = 'You did not provide the number of bytes specified by the Content-Length HTTP header.';
    throw new AwsError('IncompleteBody', 400, text);
  }
}

function tooLong(): AwsError {
  return new AwsError(
    'MaxPostPreDataLengthExceededError',
    400,
    'Your POST request fields preceding the upload file were too large.',
  );
}

/** The bytes up to the delimiter; the rest of the body is read and dropped. */
async function* contents(delimiter: Buffer, first: Buffer, source: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  let pending = first;
  for (;;) {
    const at = pending.indexOf(delimiter);
    if (at >= 0) {
      if (at > 0) yield pending.subarray(0, at);
      while (!(await source.next()).done);
      return;
    }
    // The delimiter may begin in what is held back.
    const safe = pending.length - delimiter.length + 1;
    if (safe > 0) {
      yield pending.subarray(0, safe);
      pending = pending.subarray(safe);
    }
    const { value, done } = await source.next();
    if (done) throw malformed();
    pending = pending.length === 0 ? value : Buffer.concat([pending, value]);
  }
}
