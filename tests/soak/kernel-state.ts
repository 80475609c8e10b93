// What the kernel holds for a running cloud, in a form that two clouds with the same rows share: links by the AWS id in their alias, and what is handed out
// in the order of making (marks, tables, zones, underlay blocks, numbers of chains) made the same. Needs root, to enter the world.

import { spawnSync } from 'node:child_process';

const commands = [
  'nft list ruleset',
  'ip route show table all',
  'ip rule',
  'ip neigh show nud permanent',
  'ip -d -o link',
  'ip -o -4 addr',
  'ip -6 route show table all',
  'ip -6 rule',
  'ip -o -6 addr show scope global',
];

function inWorld(server: number, ...argv: readonly string[]): string {
  const { stdout, stderr, status } = spawnSync('nsenter', ['-t', String(server), '-m', '-n', '-p', '--', ...argv], {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(`${argv.join(' ')} in the world of ${server}: ${stderr}`);
  return stdout;
}

/** @param server the process of the cloud's server   @returns lines, sorted; equal for equal networks */
export function kernelState(server: number): string[] {
  const spaces = inWorld(server, 'ip', 'netns', 'list')
    .split('\n')
    .flatMap((line) => line.split(' ')[0] || []);
  const lines = spaces.map((name) => `namespace ${name}`);
  for (const space of ['core', ...spaces]) {
    const run = (command: string) =>
      inWorld(server, ...(space === 'core' ? [] : ['ip', 'netns', 'exec', space]), ...command.split(' '));
    const names = aliases(run('ip -d -o link'));
    // The kernel makes its own multicast routes when a link gets IPv6, and keeps them.
    for (const command of commands)
      for (const line of setsByLine(run(command)).split('\n'))
        if (line.trim() && !line.startsWith('multicast ')) lines.push(`${space} ${plain(line.trim(), names)}`);
  }
  return lines.sort();
}

/** Link name → AWS id; in the core, whose links have none, the kind of link and the namespace that it leads to. */
function aliases(links: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of links.split('\n')) {
    const name = /^\d+: ([^:@]+)/.exec(line)?.[1];
    const alias = /\balias (\S+)/.exec(line)?.[1];
    const space = /\blink-netns (\S+)/.exec(line)?.[1];
    if (name === undefined || !/\d$/.test(name)) continue;
    if (alias !== undefined) found.set(name, alias);
    else if (space !== undefined) found.set(name, `${name.replace(/\d+$/, '')}-to-${space}`);
  }
  return found;
}

/** `elements = { a, b }` as a line for each, with the set's name. */
function setsByLine(rules: string): string {
  let holder = '';
  return rules
    .replaceAll(/elements = \{[^}]*\}/g, (all) => all.replaceAll(/\s+/g, ' '))
    .split('\n')
    .map((line) => {
      holder = /^\s*(?:set|map|chain) \S+/.exec(line)?.[0].trim() ?? holder;
      const elements = /elements = \{ (.*) \}/.exec(line)?.[1];
      return elements === undefined
        ? line
        : elements
            .split(', ')
            .map((one) => `${holder}: ${one}`)
            .join('\n');
    })
    .join('\n');
}

function plain(line: string, names: ReadonlyMap<string, string>): string {
  return (
    line
      .replace(/^\d+: /, '')
      .replaceAll(/0e(:[0-9a-f]{2}){5}/g, 'mac')
      .replaceAll(/([0-9a-f]{2}:){5}[0-9a-f]{2}/g, (mac) => mac.replaceAll(':', '-'))
      // The kernel notices a carrier a while after both ends are up.
      .replaceAll(/NO-CARRIER,|,LOWER_UP| qdisc \S+| state [A-Z]+/g, '')
      .replaceAll(/@if\d+|@[\w-]+(?=:)|link-netnsid \d+|link-netns \S+|ifindex \d+/g, '')
      .replaceAll(/(?<![\w.-])[a-z]+\d+(?![\w.-])/g, (name) => names.get(name) ?? name)
      .replaceAll(/\b240\.240\.(?!0\.)\d+\.\d+/g, 'endpoint')
      .replaceAll(/\b2[45]\d\.\d+(?=\.\d+\.\d+)/g, 'underlay')
      .replaceAll(/0x[0-9a-f]+/g, '0x#')
      .replaceAll(/(zone set|lookup|table|fwmark) \d{3,}/g, '$1 #')
      .replaceAll(/^\d{4,}:/g, '#:')
      .replaceAll(/(?<=zone\S*: \S+ : )\d+$/g, '#')
      // A peering's mark, in the name of the set of a peer's members.
      .replaceAll(/(?<=\bmembers-p)\d+(?=-sg-)/g, '#')
      .replaceAll(/(?<=[a-z]-)[a-z]?\d+(?![\w./-])/g, '#')
      // Last: 9 comes after 10, and # nowhere.
      .replaceAll(/\{ ([^{}]*) \}/g, (_, all: string) => `{ ${all.split(', ').sort().join(', ')} }`)
  );
}

/** What one has and the other has not, with how many more. */
export function difference(left: readonly string[], right: readonly string[]): string[] {
  const count = new Map<string, number>();
  for (const line of left) count.set(line, (count.get(line) ?? 0) + 1);
  for (const line of right) count.set(line, (count.get(line) ?? 0) - 1);
  return [...count]
    .filter(([, n]) => n !== 0)
    .map(([line, n]) => `${n > 0 ? '-' : '+'} ${line}`)
    .sort();
}
