// One interface speaks for all that no rule tells apart: asked one by one, the answers are the same, and so are the numbers of pairs.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeSnapshot } from '@postern/bench/check.ts';
import { readDocument } from '@postern/check/document.ts';
import { checkNetwork, groundOf } from '@postern/check/network.ts';
import { Resolver } from '@postern/check/resolve.ts';
import { importAccount } from '../import/import.ts';
import { testNow } from '../testing.ts';
import { importedEstate } from './estate.ts';

const read = readDocument(`
checks:
  - { from: internet, does-not-reach: subnet private-* }
  - { from: internet, does-not-reach: sg app-0 in vpc0 }
  - { from: sg app-1 in vpc0, does-not-reach: sg app-0 in vpc0 }
  - { from: sg app-1 in vpc0, does-not-reach: sg app-1 in vpc0, traffic: tcp 22 }
  - { from: subnet private-5 in vpc0, does-not-reach: [sg app-4 in vpc0, internet], traffic: tcp 443 }
  - { from: sg app-2 in vpc0, reaches: sg app-1 in vpc0, traffic: tcp 8001 }
  - { from: sg app-2 in vpc0, reaches: sg app-1 in vpc0, traffic: tcp 8002 }
  - { from: 10.0.16.0/28, does-not-reach: internet }
  - { from: subnet public-*, reaches: s3, only-through: vpce }
  - { from: subnet private-*, reaches: s3, only-through: vpce }
`);

test('the classes’ answers are those of every interface by itself', () => {
  assert.ok(read.ok, JSON.stringify(read));
  const directory = mkdtempSync(join(tmpdir(), 'postern-classes-'));
  try {
    writeSnapshot(directory, 200);
    const estate = importedEstate(importAccount(directory), testNow);
    const ground = groundOf(estate, new Resolver(estate));
    const alone = { ...ground, classOf: (id: string) => id };
    assert.ok(
      ground.reachability.classes().some((members) => members.length > 2),
      'there are classes',
    );
    const outcomes = read.assertions.map((assertion) => {
      assert.ok(assertion.kind === 'network');
      const [one, all] = [checkNetwork(ground, assertion), checkNetwork(alone, assertion)];
      // Wide open ones are cut short at another place.
      if (!/or more other pairs/.test(one.message + all.message))
        assert.equal(one.message, all.message, assertion.name);
      assert.equal(one.outcome, all.outcome, assertion.name);
      return one.outcome;
    });
    assert.ok(outcomes.includes('holds') && outcomes.includes('fails'), outcomes.join());
  } finally {
    rmSync(directory, { recursive: true });
  }
});
