// A report as JUnit XML, in the form that Jenkins, GitLab and GitHub's actions read. What is unknown is an error there: JUnit has no word for it, and a skipped
// test would be green.

import { evidenceLines } from './lines.ts';
import type { Result } from './report.ts';

/** @param file as it was named */
export function toJunit(file: string, results: readonly Result[]): string {
  const count = (...outcomes: Result['outcome'][]) => results.filter((each) => outcomes.includes(each.outcome)).length;
  const head = `name="${escapeXml(file)}" tests="${results.length}" failures="${count('fails')}" errors="${count('unknown', 'error')}" skipped="0"`;
  const cases = results.map((result) => testCase(file, result)).join('');
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n  <testsuite ${head}>\n${cases}  </testsuite>\n</testsuites>\n`;
}

function testCase(file: string, result: Result): string {
  const { name, line, outcome, message } = result;
  const open = `    <testcase name="${escapeXml(name)}" classname="${escapeXml(file)}" file="${escapeXml(file)}" line="${line}"`;
  if (outcome === 'holds') return `${open}/>\n`;
  const element = outcome === 'fails' ? 'failure' : 'error';
  const body = escapeXml(evidenceLines(result).join('\n'));
  return `${open}>\n      <${element} type="${outcome}" message="${escapeXml(message)}">${body}</${element}>\n    </testcase>\n`;
}

/** Also for what XML 1.0 cannot hold at all: control characters. */
function escapeXml(text: string): string {
  return [...text]
    .filter((letter) => letter === '\n' || letter === '\t' || letter >= ' ')
    .join('')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
