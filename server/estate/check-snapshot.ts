// `postern check --snapshot DIR`: the same file held against a real account's answers, in the command's own process: no cloud, no root, no AWS.

import { check } from '@postern/check/check.ts';
import type { Assertion } from '@postern/check/document.ts';
import type { CheckReport } from '@postern/check/report.ts';
import { importAccount } from '../import/import.ts';
import { importedEstate } from './estate.ts';

/** @throws ImportError when the directory cannot be read as a snapshot */
export function checkSnapshot(directory: string, assertions: readonly Assertion[]): CheckReport {
  return check(importedEstate(importAccount(directory), new Date()), assertions);
}

export { ImportError } from '../import/item.ts';
