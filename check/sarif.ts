// A report as SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html, read 2026-11-21), so that a code host shows each failure
// beside the line of the check file. `open` is SARIF's own word for what could not be decided; every kind but `fail` has the level `none` (3.27.9, 3.27.10).

import { evidenceLines } from './lines.ts';
import type { Outcome, Result } from './report.ts';

const rules = [
  { id: 'reachability', name: 'Reachability', text: 'Who can send packets to whom, and by which road.' },
  { id: 'permission', name: 'Permission', text: 'What a principal may do, as all policies together decide.' },
  { id: 'check-file', name: 'CheckFile', text: 'A check file says what can be understood, about things that exist.' },
] as const;

const kinds = { holds: 'pass', fails: 'fail', unknown: 'open', error: 'fail' } as const satisfies Record<
  Outcome,
  string
>;

/**
 * @param file as a relative URI, with forward slashes
 * @param subjectOf what a result is about: the assertions know it
 */
export function toSarif(
  file: string,
  version: string,
  results: readonly Result[],
  subjectOf: (result: Result) => 'reachability' | 'permission',
): unknown {
  return {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'postern check',
            semanticVersion: version,
            rules: rules.map(({ id, name, text }) => ({
              id,
              name,
              shortDescription: { text },
              defaultConfiguration: { level: 'error' },
            })),
          },
        },
        columnKind: 'utf16CodeUnits',
        results: results.map((result) =>
          toResult(file, result, result.outcome === 'error' ? 'check-file' : subjectOf(result)),
        ),
      },
    ],
  };
}

function toResult(file: string, result: Result, ruleId: (typeof rules)[number]['id']): unknown {
  const { name, line, column, endLine, endColumn, outcome, message } = result;
  const kind = kinds[outcome];
  const sentence = outcome === 'holds' ? `${name}: holds.` : `${name}: ${message}.`;
  return {
    ruleId,
    ruleIndex: rules.findIndex((each) => each.id === ruleId),
    kind,
    level: kind === 'fail' ? 'error' : 'none',
    message: { text: [sentence, ...evidenceLines(result)].join('\n') },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: encodeURI(file) },
          region: {
            startLine: line,
            startColumn: column,
            ...(endLine !== undefined && endColumn !== undefined && { endLine, endColumn }),
          },
        },
      },
    ],
  };
}
