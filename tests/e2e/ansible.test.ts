// A real IaC client against a real cloud: Ansible's amazon.aws and community.aws build lab F's VPC, find nothing to change the second time, and take it
// away again. Skipped where `ansible-playbook` or its collections are not there (Debian: apt-get install ansible python3-boto3): setup does not install it.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { EC2 } from '@aws-sdk/client-ec2';
import { inside, postern } from './inside.ts';
import { bringUp, type Own, root } from './own-cloud.ts';

function whyNot(): string | false {
  const asked = spawnSync('ansible-galaxy', ['collection', 'list'], { encoding: 'utf8' });
  if (asked.status !== 0) return 'ansible is not installed: apt-get install ansible python3-boto3';
  for (const name of ['amazon.aws', 'community.aws'])
    if (!asked.stdout.includes(name)) return `the collection ${name} is not installed`;
  return false;
}

const skip = whyNot();
let own: Own;
let ec2: EC2;
let scratch: string;

before(async () => {
  if (skip) return;
  own = await bringUp();
  scratch = mkdtempSync(join(tmpdir(), 'postern-ansible-'));
  ec2 = new EC2({
    endpoint: own.endpoint,
    region: 'us-east-1',
    credentials: {
      accessKeyId: own.environment['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: own.environment['AWS_SECRET_ACCESS_KEY'] ?? '',
    },
  });
});

after(async () => {
  ec2?.destroy();
  await own?.end();
  if (scratch) rmSync(scratch, { recursive: true, force: true });
});

/** Runs a playbook. @returns how many tasks changed something */
async function play(name: string): Promise<number> {
  const child = spawn('ansible-playbook', [join(root, 'labs', 'ansible', name)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      ...own.environment,
      ANSIBLE_HOME: scratch,
      ANSIBLE_LOCAL_TEMP: join(scratch, 'local'),
      ANSIBLE_REMOTE_TEMP: join(scratch, 'remote'),
      ANSIBLE_PIPELINING: 'true',
      ANSIBLE_NOCOLOR: '1',
      ANSIBLE_LOCALHOST_WARNING: 'false',
      ANSIBLE_INVENTORY_UNPARSED_WARNING: 'false',
      ANSIBLE_DEPRECATION_WARNINGS: 'false',
    },
  });
  let out = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
  const status = await new Promise((resolve) => child.on('close', resolve));
  assert.equal(status, 0, out);
  return Number(/changed=(\d+)/.exec(out)?.[1]);
}

test('Ansible builds lab F’s VPC, changes nothing the second time, and what it built works', { skip }, async () => {
  assert.ok((await play('build.yml')) > 10);
  assert.equal(await play('build.yml'), 0);
  const { Reservations } = await ec2.describeInstances({ Filters: [{ Name: 'tag:lab', Values: ['ansible-lab'] }] });
  const id = Reservations?.[0]?.Instances?.[0]?.InstanceId ?? '';
  const { NatGateways } = await ec2.describeNatGateways({ Filter: [{ Name: 'state', Values: ['available'] }] });
  const elastic = NatGateways?.[0]?.NatGatewayAddresses?.[0]?.PublicIp ?? 'none';
  await postern(own.directory, 'wait');
  const probe = `curl -s -m 15 http://198.51.100.7/; getent ahostsv4 sts.us-east-1.amazonaws.com; cat /etc/resolv.conf`;
  const { out } = await inside(own.directory, id, probe);
  // F1, F4: outside the instance is the Elastic IP; the service's name is the endpoint's interface; DHCP gave the domain.
  assert.ok(out.includes(elastic), `${elastic} in ${out}`);
  assert.match(out, /^10\.40\.1[01]\.\d+ /m);
  assert.match(out, /^search lab\.internal$/m);
});

test('Ansible takes it away in AWS’s order, and nothing is left', { skip }, async () => {
  assert.ok((await play('remove.yml')) > 5);
  assert.equal(await play('remove.yml'), 0);
  const { Vpcs } = await ec2.describeVpcs({});
  assert.deepEqual(
    Vpcs?.map((vpc) => vpc.IsDefault),
    [true],
  );
  const { NetworkInterfaces } = await ec2.describeNetworkInterfaces({});
  assert.deepEqual(NetworkInterfaces, []);
  const { Addresses } = await ec2.describeAddresses({});
  assert.deepEqual(Addresses, []);
  const { DhcpOptions } = await ec2.describeDhcpOptions({});
  assert.equal(DhcpOptions?.length, 1);
});
