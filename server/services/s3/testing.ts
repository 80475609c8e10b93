// One S3 service on a fresh store and in a directory of its own, for tests.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import { decipherOf } from '../../edge/decipher.ts';
import type { RequestPath } from '../../path.ts';
import type { BaseCall, StreamingBody } from '../../service.ts';
import { makeStore, runAs, runOperation, testAccountId, testNow } from '../../testing.ts';
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

/** A policy of these statements. */
export const document = (...Statement: object[]) => JSON.stringify({ Version: '2012-10-17', Statement });

/** Users by name, each with the statements of its own policy, in this account or another. */
export async function withUsers(
  { store, s3 }: Pick<ReturnType<typeof makeS3>, 'store' | 's3'>,
  users: Record<string, object[]>,
  accountId = testAccountId,
) {
  await store.transact((tx) => {
    for (const [userName, statements] of Object.entries(users)) {
      const of = { accountId, region: 'global' };
      tx.put('user', {
        ...of,
        id: `${accountId}/${userName}`,
        path: '/',
        userName,
        userId: `AIDA${userName}`,
        createDate: testNow.toISOString(),
        attachedPolicyArns: [],
        inlinePolicies: statements.length > 0 ? { own: document(...statements) } : {},
        tags: {},
      });
      tx.put('access-key', {
        ...of,
        id: `AKIA${userName}`,
        secretAccessKey: 'x',
        status: 'Active',
        createDate: testNow.toISOString(),
        owner: { kind: 'user', userName },
      });
    }
  }).durable;
  return <O = Record<string, unknown>>(name: string, operation: string, input: object, path?: RequestPath) =>
    runAs<O>(
      store,
      `AKIA${name}`,
      operation in s3.service.operations ? s3.service : s3.control,
      operation,
      input,
      path && { path },
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
