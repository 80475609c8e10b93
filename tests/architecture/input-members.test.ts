// Nothing of a call is silently ignored: every member of every served operation's input is read by what its row reaches, or is listed with a reason.
// Static, by name (declarations.ts): a member that is read for another purpose on the way counts as read.

import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadService } from '@postern/server/catalogue/catalogue.ts';
import { createServices } from '@postern/server/services.ts';
import { Store } from '@postern/server/store/store.ts';
import { reachedFrom, readerOf, rowsOf, sourcesIn } from './declarations.ts';
import { everywhere, ofOperation } from './members-without-effect.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const folders = {
  iam: 'iam',
  sts: 'sts',
  organizations: 'organizations',
  kms: 'kms',
  logs: 'logs',
  s3: 's3',
  's3-control': 's3',
};

const store = new Store(':memory:');
const { all, s3 } = createServices({ store, dataDirectory: join(tmpdir(), 'postern-members'), log: () => {} });
s3.close();
store.close();

/** Operation → members that nobody reads. */
function unreadMembers(service: string, folder: string): Map<string, string[]> {
  const files = sourcesIn(join(root, 'server', 'services', folder));
  const model = loadService(service);
  const unread = new Map<string, string[]>();
  for (const name of Object.keys(all.get(service)?.operations ?? {})) {
    const rows = rowsOf(root, files, name);
    assert.ok(rows.length > 0, `${service} ${name} has no row that can be found`);
    // What names the resources for a permission names members of every operation.
    const code = rows.map((row) => reachedFrom(root, row.file, row.code.replace('authorize: onNamed', ''))).join('\n');
    const isRead = readerOf(code);
    const headers = code.toLowerCase();
    const members = (model.operation(name)?.input?.members ?? []).filter(
      ({ name: member, traits: { httpHeader } }) =>
        !isRead(member) && (httpHeader === undefined || !headers.includes(httpHeader.toLowerCase())),
    );
    unread.set(
      name,
      members.map((member) => member.name),
    );
  }
  return unread;
}

for (const [service, folder] of Object.entries(folders)) {
  test(`every member of an input of ${service} is read, refused or listed`, () => {
    const listed = ofOperation[service] ?? {};
    const common = everywhere[service] ?? {};
    const ignored: string[] = [];
    const idle: string[] = [];
    for (const [operation, members] of unreadMembers(service, folder)) {
      const known = listed[operation] ?? {};
      for (const member of members)
        if (!Object.hasOwn(known, member) && !Object.hasOwn(common, member)) ignored.push(`${operation}.${member}`);
      for (const member of Object.keys(known)) if (!members.includes(member)) idle.push(`${operation}.${member}`);
    }
    assert.deepEqual(ignored, [], 'taken and read by nobody: serve it, refuse it, or say why it has no effect');
    assert.deepEqual(idle, [], 'listed as without effect, and read after all');
  });
}
