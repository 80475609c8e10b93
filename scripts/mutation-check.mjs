// Can the differential test fail? Breaks one decision at a time, in the walk or in the compiler, and expects the test to notice.
// `node scripts/mutation-check.mjs [NAME…]`; the sources are put back whatever happens. Takes about half a minute for each.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup.mjs';

/** What is broken: in `file`, `from` becomes `to`. */
const mutations = [
  { name: 'walk: egress ACL', file: 'network/walk/checks.ts', from: "const isAllowed = entry?.action === 'allow';", to: "const isAllowed = direction === 'egress' || entry?.action === 'allow';" },
  { name: 'walk: ingress ACL', file: 'network/walk/checks.ts', from: "const isAllowed = entry?.action === 'allow';", to: "const isAllowed = direction === 'ingress' || entry?.action === 'allow';" },
  { name: 'walk: order of ACL entries', file: 'network/walk/matching.ts', from: 'return acl[direction].find(', to: 'return acl[direction].findLast(' },
  { name: 'walk: port ranges of groups and ACLs', file: 'network/walk/matching.ts', from: 'port > ports.to', to: 'port >= ports.to' },
  { name: 'walk: longest prefix', file: 'network/walk/matching.ts', from: 'length > best.length', to: 'length < best.length' },
  { name: 'walk: members of a group', file: 'network/walk/network-index.ts', from: '[vpcId, ...(neighbours.get(vpcId) ?? [])].some(', to: '[vpcId].some(' },
  { name: 'walk: private NAT gateways', file: 'network/walk/gateways.ts', from: "'IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS');\n      return undefined;", to: "'IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS');\n      return { arrival: { kind: 'internet', address: packet.destination }, packet };" },
  { name: 'walk: the NAT gateway’s ACL', file: 'network/walk/gateways.ts', from: "this.#checks.acl(nat, 'ingress', packet);", to: '{}' },
  { name: 'compile: ingress ACL', file: 'fabric/compile/filter/forward.ts', from: 'oifname vmap @acl-ingress', to: 'oifname vmap @acl-egress' },
  { name: 'compile: addresses of groups', file: 'fabric/compile/security-groups.ts', from: "'saddr' : 'daddr'", to: "'daddr' : 'saddr'" },
  { name: 'compile: blackholes', file: 'fabric/compile/vpc-links.ts', from: "if (route.state === 'blackhole') return blackhole;", to: '' },
  { name: 'compile: routes inside a subnet', file: 'fabric/compile/filter/arrival.ts', from: 'if (middlebox !== true)', to: 'if (middlebox === true)' },
]; // biome-ignore format: a table

const wanted = process.argv.slice(2);
let missed = 0;
for (const { name, file, from, to } of mutations) {
  if (wanted.length > 0 && !wanted.some((word) => name.includes(word))) continue;
  const path = join(root, file);
  const source = readFileSync(path, 'utf8');
  if (!source.includes(from)) {
    process.stdout.write(`? ${name}: ${file} has no such line any more; mend scripts/mutation-check.mjs\n`);
    missed += 1;
    continue;
  }
  let caught = false;
  try {
    writeFileSync(path, source.replace(from, to));
    const run = spawnSync(
      process.execPath,
      [join(root, 'scripts', 'test.mjs'), 'tests/differential', 'tests/flows/walk'],
      {
        cwd: root,
        encoding: 'utf8',
        env: {
          ...process.env,
          POSTERN_DIFFERENTIAL_RUNS: process.env.POSTERN_DIFFERENTIAL_RUNS ?? '40',
          POSTERN_DIFFERENTIAL_SHRINK: 'no',
        },
      },
    );
    caught = run.status !== 0;
  } finally {
    writeFileSync(path, source);
  }
  if (!caught) missed += 1;
  process.stdout.write(`${caught ? '✓' : '✗'} ${name}${caught ? '' : ': not noticed'}\n`);
}
process.exit(missed > 0 ? 1 : 0);
