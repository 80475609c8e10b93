// One S3 service on a fresh store and in a directory of its own, for tests.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import { decipherOf } from '../../edge/decipher.ts';
import type { BaseCall, StreamingBody } from '../../service.ts';
import { makeStore, runOperation } from '../../testing.ts';
import { createS3 } from './index.ts';

/** The directory and the timers go with the test. */
export function makeS3(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'postern-s3-'));
  const store = makeStore();
  const s3 = createS3(store, directory);
  t.after(() => {
    s3.close();
    store.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return {
    store,
    directory,
    s3,
    run: <O = Record<string, never>>(name: string, input: object, overrides: Partial<BaseCall> = {}) =>
      runOperation<O>(store, s3.service, name, input, overrides),
    /** Every file under `objects/`. */
    files: () =>
      readdirSync(directory, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.parentPath !== directory)
        .map((entry) => join(entry.parentPath, entry.name)),
  };
}

export function body(...pieces: (string | Uint8Array)[]): Readable {
  return Readable.from(
    pieces.map((piece) => Buffer.from(piece)),
    { objectMode: false },
  );
}

/** The bytes of an answer. */
export async function bytesOf(content: StreamingBody | undefined): Promise<Buffer> {
  if (content === undefined) return Buffer.alloc(0);
  if (content instanceof Uint8Array) return Buffer.from(content);
  if (content instanceof Readable) return Buffer.concat(await content.toArray());
  if ('pieces' in content) return Buffer.concat(await Promise.all(Array.from(content.pieces, bytesOf)));
  const stretch = readFileSync(content.file).subarray(content.start, content.end);
  if (!content.cipher) return stretch;
  return Buffer.from(decipherOf(content.cipher).update(stretch));
}
