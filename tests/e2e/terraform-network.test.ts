// Terraform, unmodified, against a real cloud: a network is built, changed, felt by packets, and taken away. Skipped where there is no Terraform.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { bringUp, type Own } from './own-cloud.ts';
import { whyNoTerraform as skip, Terraform } from './terraform.ts';

let own: Own;
let terraform: Terraform;

before(async () => {
  if (skip) return;
  own = await bringUp();
  terraform = new Terraform(own, 'resource "aws_vpc" "main" {\n  cidr_block = "10.1.0.0/16"\n}\n');
  await terraform.init();
});

after(async () => {
  terraform?.end();
  await own?.end();
});

test('Terraform builds a VPC, finds nothing to change the second time, and takes it away', { skip }, async () => {
  assert.match(await terraform.apply(), /1 added/);
  assert.equal(await terraform.drift(), '');
  assert.match(await terraform.destroy(), /1 destroyed/);
  assert.deepEqual(await terraform.resources(), []);
});
