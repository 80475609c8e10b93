import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { table, wrap } from './terminal.ts';

test('text breaks at spaces, and the next lines are indented', () => {
  assert.equal(wrap('one two three four', 9), 'one two\nthree\nfour');
  assert.equal(wrap('one two three', 7, 4), 'one two\n    three');
});

test('a word breaks only when it alone is too long', () => {
  assert.equal(wrap('ab abcdefgh', 5), 'ab\nabcde\nfgh');
});

test('columns are as wide as their widest cell, and colours have no width', () => {
  const red = '\u001b[31mb\u001b[39m';
  assert.equal(
    table([
      ['name', 'what it is'],
      [red, 'x'],
    ]),
    `name  what it is\n${red}     x`,
  );
});

test('the last column wraps under itself at the terminal’s width', () => {
  const text = table([['key', 'aaaa bbbb cccc dddd eeee ffff']], 25);
  assert.equal(text, 'key  aaaa bbbb cccc dddd\n     eeee ffff');
});

test('whoever is not heard to the end does not end with 0', async () => {
  const program = `import('${new URL('./terminal.ts', import.meta.url)}').then(({ answer }) => setInterval(answer, 1, 'a line'))`;
  const child = spawn(process.execPath, ['--import', 'tsx', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout.once('data', () => child.stdout.destroy());
  assert.equal(await new Promise((resolve) => child.on('exit', resolve)), 141);
});
