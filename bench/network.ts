// The network figures: how soon an instance answers, how soon a security-group change is felt by packets, and how much of a bare veth pair's
// throughput is left behind groups, ACLs and routes.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import {
  AuthorizeSecurityGroupIngressCommand,
  CreateSecurityGroupCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  EC2Client,
  RevokeSecurityGroupIngressCommand,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { type BenchCloud, command } from './cloud.ts';

export interface NetworkFigures {
  /** RunInstances sent → a command inside has answered. */
  readonly runToShellMs: readonly number[];
  /** AuthorizeSecurityGroupIngress answered → a connection that it allows is made. */
  readonly groupChangeMs: readonly number[];
  readonly throughput?: { readonly instanceGbits: readonly number[]; readonly bareGbits: readonly number[] };
  readonly withoutThroughput?: string;
}

function exec(cloud: BenchCloud, instanceId: string, ...argv: string[]): { status: number; output: string } {
  const result = spawnSync(process.execPath, [command, 'exec', '--data', cloud.directory, instanceId, '--', ...argv], {
    encoding: 'utf8',
  });
  return { status: result.status ?? 1, output: result.stdout + result.stderr };
}

/** Inside the instance: tries until the port answers and prints the time of day in ms. */
const knock = (address: string, port: number) => `
use Socket; use Time::HiRes qw(time); use IO::Select;
while (1) {
  socket(my $s, PF_INET, SOCK_STREAM, 0); $s->blocking(0) if $s->can('blocking');
  use Fcntl; fcntl($s, F_SETFL, fcntl($s, F_GETFL, 0) | O_NONBLOCK);
  connect($s, sockaddr_in(${port}, inet_aton('${address}')));
  if (IO::Select->new($s)->can_write(0.003) && defined getpeername($s)) { printf "%.3f\\n", time() * 1000; exit 0 }
}`;

export async function measureNetwork(
  cloud: BenchCloud,
  options: { repeats: number; seconds: number; progress: (text: string) => void },
): Promise<NetworkFigures> {
  const ec2 = new EC2Client({
    endpoint: cloud.endpoint,
    region: 'us-east-1',
    credentials: {
      accessKeyId: cloud.environment['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: cloud.environment['AWS_SECRET_ACCESS_KEY'] ?? '',
    },
  });
  const vpcId = (await ec2.send(new CreateVpcCommand({ CidrBlock: '10.77.0.0/16' }))).Vpc?.VpcId;
  const subnetId = (await ec2.send(new CreateSubnetCommand({ VpcId: vpcId, CidrBlock: '10.77.1.0/24' }))).Subnet
    ?.SubnetId;
  const groupId =
    (await ec2.send(new CreateSecurityGroupCommand({ VpcId: vpcId, GroupName: 'bench', Description: 'bench' })))
      .GroupId ?? '';
  const started: string[] = [];
  const run = async () => {
    const answer = await ec2.send(
      new RunInstancesCommand({
        ImageId: 'ami-0abcdef1234567890',
        MinCount: 1,
        MaxCount: 1,
        SubnetId: subnetId,
        SecurityGroupIds: [groupId],
      }),
    );
    const instance = answer.Instances?.[0];
    const id = instance?.InstanceId ?? '';
    started.push(id);
    return { id, address: instance?.PrivateIpAddress ?? '' };
  };

  const runToShellMs: number[] = [];
  const machines: { id: string; address: string }[] = [];
  for (let repeat = 0; repeat < options.repeats; repeat += 1) {
    options.progress(`RunInstances to a shell that answers, ${repeat + 1} of ${options.repeats}`);
    const startedAt = performance.now();
    const machine = await run();
    while (exec(cloud, machine.id, 'true').status !== 0)
      if (performance.now() - startedAt > 20_000) throw new Error(`${machine.id} does not answer`);
    runToShellMs.push(performance.now() - startedAt);
    machines.push(machine);
  }
  const [client, server] = [machines[0], machines[1] ?? machines[0]];
  if (!client || !server) throw new Error('no instance was started');

  const groupChangeMs: number[] = [];
  const permission = {
    GroupId: groupId,
    IpPermissions: [{ IpProtocol: 'tcp', FromPort: 22, ToPort: 22, UserIdGroupPairs: [{ GroupId: groupId }] }],
  };
  for (let repeat = 0; repeat < options.repeats; repeat += 1) {
    options.progress(`a security group opens, ${repeat + 1} of ${options.repeats}`);
    const knocking = spawn(
      process.execPath,
      [command, 'exec', '--data', cloud.directory, client.id, '--', 'perl', '-e', knock(server.address, 22)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let seen = '';
    knocking.stdout.setEncoding('utf8').on('data', (text: string) => {
      seen += text;
    });
    const ended = new Promise<void>((resolve) => knocking.on('exit', () => resolve()));
    await new Promise((resolve) => setTimeout(resolve, 500));
    await ec2.send(new AuthorizeSecurityGroupIngressCommand(permission));
    const answeredAt = Date.now();
    await ended;
    groupChangeMs.push(Math.max(0, Number(seen) - answeredAt));
    await ec2.send(new RevokeSecurityGroupIngressCommand(permission));
  }

  const iperf = ['/usr/bin/iperf3', '/usr/local/bin/iperf3'].find((path) => existsSync(path));
  let throughput: NetworkFigures['throughput'];
  if (iperf) {
    await ec2.send(
      new AuthorizeSecurityGroupIngressCommand({
        GroupId: groupId,
        IpPermissions: [{ IpProtocol: '-1', UserIdGroupPairs: [{ GroupId: groupId }] }],
      }),
    );
    exec(cloud, server.id, 'bash', '-c', `setsid ${iperf} -s -D >/dev/null 2>&1`);
    const instanceGbits: number[] = [];
    const bareGbits: number[] = [];
    for (let repeat = 0; repeat < options.repeats; repeat += 1) {
      options.progress(`throughput, ${repeat + 1} of ${options.repeats}`);
      instanceGbits.push(
        gbits(exec(cloud, client.id, iperf, '-c', server.address, '-t', String(options.seconds), '-J').output),
      );
      bareGbits.push(gbits(bareVeth(iperf, options.seconds)));
    }
    throughput = { instanceGbits, bareGbits };
  }
  await ec2.send(new TerminateInstancesCommand({ InstanceIds: started }));
  return {
    runToShellMs,
    groupChangeMs,
    ...(throughput ? { throughput } : { withoutThroughput: 'iperf3 is not installed (apt-get install iperf3)' }),
  };
}

export function gbits(json: string): number {
  const report = JSON.parse(json) as { end?: { sum_received?: { bits_per_second?: number } }; error?: string };
  const bits = report.end?.sum_received?.bits_per_second;
  if (bits === undefined) throw new Error(`iperf3 said ${report.error ?? json.slice(0, 200)}`);
  return bits / 1e9;
}

/** Two namespaces and one veth pair, in a world of their own: what the kernel gives with nothing in between. */
export function bareVeth(iperf: string, seconds: number): string {
  const script = `ip netns add a; ip netns add b; ip link add va netns a type veth peer name vb netns b
    ip -n a addr add 10.0.0.1/24 dev va; ip -n b addr add 10.0.0.2/24 dev vb; ip -n a link set va up; ip -n b link set vb up
    nsenter --net=/run/netns/b ${iperf} -s -1 >/dev/null 2>&1 &
    for i in 1 2 3 4 5 6 7 8 9 10; do nsenter --net=/run/netns/b ss -ltn | grep -q 5201 && break; sleep 0.05; done
    nsenter --net=/run/netns/a ${iperf} -c 10.0.0.2 -t ${seconds} -J`;
  return spawnSync(process.execPath, ['--import', 'tsx', 'fabric/in-world.ts', '--', 'sh', '-c', script], {
    encoding: 'utf8',
  }).stdout;
}
