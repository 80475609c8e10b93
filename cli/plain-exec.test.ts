import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainExec } from './plain-exec.ts';

test('an exec as programs call it is read without a parser', () => {
  const lines: readonly [line: string, instanceId: string, command: string, data?: string][] = [
    ['exec i-1 -- true', 'i-1', 'true'],
    ['exec i-1 ls -l --json', 'i-1', 'ls -l --json'],
    ['exec --data /d i-1 -- sh -c x', 'i-1', 'sh -c x', '/d'],
    ['exec i-1 -- -t', 'i-1', '-t'],
  ];
  for (const [line, instanceId, command, data] of lines)
    assert.deepEqual(
      plainExec(line.split(' ')),
      { instanceId, command: command.split(' '), options: data === undefined ? {} : { data } },
      line,
    );
});

test('every other line is the parser’s', () => {
  const lines = [
    '',
    'up',
    'exec',
    'exec i-1',
    'exec i-1 --',
    'exec -t i-1 sh',
    'exec i-1 -t sh',
    'exec i-1 --data /d sh',
  ];
  lines.push('exec --help', 'exec --data', 'exec --data /d', 'exec --data -t i-1 sh', '--data /d exec i-1 sh');
  for (const line of lines) assert.equal(plainExec(line.split(' ')), undefined, line);
});
