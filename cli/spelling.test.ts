import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandName, defaultDataDirectory, spell } from './spelling.ts';

const inClone = `${process.cwd()}/dist/postern.mjs`;

test('the command is named as it is typed: from a clone, from elsewhere, installed', () => {
  assert.equal(commandName(undefined, inClone), './dist/postern.mjs');
  assert.equal(commandName(undefined, '/opt/a b/postern.mjs'), "'/opt/a b/postern.mjs'");
  assert.equal(commandName(undefined, '/usr/bin/postern'), 'postern');
  assert.equal(commandName(undefined, '/x/node_modules/.bin/postern'), 'npx postern');
});

test('a cloud that is not in the default place is named', () => {
  assert.equal(commandName('/tmp/other', inClone), './dist/postern.mjs --data /tmp/other');
  assert.equal(commandName(defaultDataDirectory(), inClone), './dist/postern.mjs');
});

test('a cure never names a bare aws, which could reach the real one', () => {
  assert.equal(
    spell('aws ec2 associate-address --allocation-id $(aws ec2 allocate-address)', './p'),
    './p aws ec2 associate-address --allocation-id $(./p aws ec2 allocate-address)',
  );
  assert.equal(spell('postern up --port 0', './p --data /d'), './p --data /d up --port 0');
  assert.equal(spell('sudo apt-get install -y awscli', './p'), 'sudo apt-get install -y awscli');
});

test('a cure that names another directory does not name this one', () => {
  assert.equal(spell('postern up --data /e', './p --data /d'), './p up --data /e');
});
