// Can this machine carry a cloud? Tried for real, in a throw-away world, because that is the only true answer; each failure comes with the one
// command that cures it. Costs one short process (about 30 ms) when all is well; only a failure is looked into further.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

export interface PreflightFailure {
  /** What is wrong, in one sentence. */
  readonly problem: string;
  /** The one command that mends it. */
  readonly cure: string;
}

const tools = [
  { command: 'unshare', package: 'util-linux' },
  { command: 'nsenter', package: 'util-linux' },
  { command: 'setpriv', package: 'util-linux' },
  { command: 'ip', package: 'iproute2' },
  { command: 'nft', package: 'nftables' },
] as const;

/** Each step prints its name before it is tried, so the last name printed is the one that failed. */
const trial = `
echo proc; mount -t proc proc /proc || exit 1
echo run; mount -t tmpfs tmpfs /run || exit 1
echo netns; ip netns add trial || exit 1
echo veth; ip link add name veth-a type veth peer name veth-b netns trial || exit 1
echo route; ip route add local 0.0.0.0/0 dev lo && ip rule add fwmark 1 lookup 1 || exit 1
echo nft; nft -f - <<'RULES' || exit 1
table ip trial {
 map arrivals { type ifname : verdict
 }
 map pairs { type ipv4_addr : ipv4_addr
 }
 chain early { type filter hook prerouting priority raw
  iifname vmap @arrivals
  fib daddr . mark oifname vmap { "a" : accept }
  ct zone set 1
 }
 chain translate { type nat hook prerouting priority dstnat
  dnat to ip daddr map @pairs
 }
 chain back { type nat hook postrouting priority srcnat
  snat ip prefix to ip saddr map { 10.0.0.0/16 : 240.1.0.0/16 }
 }
 chain through { type filter hook forward priority filter
  ct state invalid meta l4proto tcp reject with tcp reset
  ct direction original ct mark & 1 == 0 ct mark set ct mark | 1
  ip ttl set 2
 }
}
RULES
echo done
`;

const steps: Readonly<Record<string, PreflightFailure>> = {
  proc: {
    problem: 'A new /proc cannot be mounted: this looks like a container that hides parts of /proc.',
    cure: 'docker run --privileged … (or --security-opt systempaths=unconfined with --security-opt seccomp=unconfined)',
  },
  run: {
    problem: 'A file system cannot be mounted in a user namespace.',
    cure: 'sysctl -w user.max_mnt_namespaces=10000',
  },
  netns: { problem: 'Network namespaces cannot be made.', cure: 'sysctl -w user.max_net_namespaces=10000' },
  veth: { problem: 'The kernel has no veth devices.', cure: 'modprobe veth' },
  route: {
    problem: 'The kernel has no policy routing (CONFIG_IP_MULTIPLE_TABLES).',
    cure: 'uname -r  # use a distribution’s own kernel',
  },
  nft: {
    problem:
      'The kernel or nft lacks something of nftables that Postern needs (nft 1.0.6 or newer; nf_tables, nft_nat, nft_fib_ipv4, nft_reject_ipv4, nft_ct).',
    cure: 'modprobe -a nf_tables nft_chain_nat nft_nat nft_fib_ipv4 nft_reject_ipv4 nft_ct nf_conntrack',
  },
};

/** What is missing on this machine; empty when a world can be made here. @param path where tools are looked for, as PATH says it */
export function preflight(path = pathWithTools()): PreflightFailure[] {
  if (process.platform !== 'linux') {
    return [
      {
        problem: `Postern needs Linux; this is ${process.platform}.`,
        cure: 'docker run --privileged -it node:20-bookworm',
      },
    ];
  }
  const missing = tools.filter((tool) => !isInstalled(tool.command, path));
  if (missing.length > 0) {
    const packages = [...new Set(missing.map((tool) => tool.package))].join(' ');
    return [
      {
        problem: `Not installed: ${missing.map((tool) => tool.command).join(', ')}.`,
        cure: `sudo apt-get install -y ${packages}`,
      },
    ];
  }
  const result = spawnSync(
    'unshare',
    ['--user', '--map-root-user', '--net', '--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', trial],
    {
      encoding: 'utf8',
      timeout: 10_000,
      env: { ...process.env, PATH: path },
    },
  );
  const reached = result.stdout.trim().split('\n').at(-1) ?? '';
  if (reached === 'done') return [];
  const step = steps[reached];
  const words = result.stderr.trim().split('\n')[0] ?? '';
  if (step !== undefined) return [{ ...step, problem: words === '' ? step.problem : `${step.problem} (${words})` }];
  return [whyNoUserNamespace(words)];
}

/** The known ways in which a system forbids user namespaces. */
function whyNoUserNamespace(words: string): PreflightFailure {
  const problem = 'User namespaces cannot be made';
  const setting = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined);
  if (setting('/proc/sys/user/max_user_namespaces') === '0') {
    return {
      problem: `${problem}: user.max_user_namespaces is 0.`,
      cure: 'sudo sysctl -w user.max_user_namespaces=10000',
    };
  }
  if (setting('/proc/sys/kernel/unprivileged_userns_clone') === '0') {
    return { problem: `${problem} by ordinary users.`, cure: 'sudo sysctl -w kernel.unprivileged_userns_clone=1' };
  }
  if (setting('/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === '1') {
    return {
      problem: `${problem}: AppArmor restricts them.`,
      cure: 'sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
    };
  }
  return {
    problem: `${problem}${words === '' ? '' : ` (${words})`}: in a container this is the seccomp profile's doing.`,
    cure: 'docker run --privileged …',
  };
}

/** Debian leaves these out of an ordinary user's PATH, and `nft` is there. */
const systemDirectories = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/bin', '/bin'];

/** PATH with the directories where this machine's own tools lie; whatever else starts a tool by name must use it too. */
export function pathWithTools(path = process.env.PATH ?? ''): string {
  const own = path.split(':').filter((directory) => directory !== '');
  return [...own, ...systemDirectories.filter((directory) => !own.includes(directory))].join(':');
}

function isInstalled(command: string, path: string): boolean {
  return path.split(':').some((directory) => existsSync(`${directory}/${command}`));
}
