// Nobody gets in where they don't belong: each attempt is made with the real product, as root and as an ordinary user, and must fail. Beside the attempts
// stand controls that must succeed, so that a broken tool is not taken for a closed door. From the host’s side: doors.test.ts beside this.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  AuthorizeSecurityGroupIngressCommand,
  CreateSecurityGroupCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  CreateVpcEndpointCommand,
  DescribeInstancesCommand,
  DescribeRouteTablesCommand,
  DescribeVpcsCommand,
  EC2Client,
  type Instance,
  RunInstancesCommand,
  waitUntilInstanceRunning,
} from '@aws-sdk/client-ec2';
import { attempt, ear, flood, inside, postern, udp, webServer } from './inside.ts';
import { bringUp, familyOf, type Own, ordinaryUser } from './own-cloud.ts';

const user = ordinaryUser();
const kinds =
  user === undefined
    ? [{ as: 'this user', user }]
    : [
        { as: 'root', user: undefined },
        { as: 'an ordinary user', user },
      ];

for (const kind of kinds) {
  describe(`an instance of a cloud that runs as ${kind.as}`, () => {
    const marker = `postern-marker-${process.pid}`;
    let own: Own;
    let ec2: EC2Client;
    let home: string;
    let hostServer: Server;
    let hostPort: number;
    let token: string;
    let vpcId: string;
    const group: Record<string, string> = {};
    const machine: Record<'attacker' | 'victim' | 'witness' | 'twin' | 'other', Instance> = {
      attacker: {}, victim: {}, witness: {}, twin: {}, other: {},
    }; // biome-ignore format: a list
    const idOf = (name: keyof typeof machine) => machine[name].InstanceId ?? '';
    const addressOf = (name: keyof typeof machine) => machine[name].PrivateIpAddress ?? '';
    const tryAll = (scripts: Readonly<Record<string, string>>, by: keyof typeof machine, patience?: number) =>
      attempt(own.directory, idOf(by), scripts, patience);
    /** Asserts that none of them worked. */
    const allFail = async (scripts: Readonly<Record<string, string>>, by: keyof typeof machine = 'attacker') => {
      const worked = await tryAll(scripts, by, 6);
      assert.deepEqual(
        Object.keys(worked).filter((name) => worked[name]),
        [],
      );
    };
    const allWork = async (scripts: Readonly<Record<string, string>>, by: keyof typeof machine = 'attacker') => {
      const worked = await tryAll(scripts, by);
      assert.deepEqual(
        Object.keys(worked).filter((name) => !worked[name]),
        [],
      );
    };
    const runOne = async (SubnetId: string | undefined, groupId: string | undefined, PrivateIpAddress?: string) => {
      const { Instances } = await ec2.send(
        new RunInstancesCommand({
          ImageId: 'ami-0abcdef1234567890',
          MinCount: 1,
          MaxCount: 1,
          ...(SubnetId && { SubnetId }),
          ...(groupId && { SecurityGroupIds: [groupId] }),
          ...(PrivateIpAddress && { PrivateIpAddress }),
        }),
      );
      return Instances?.[0]?.InstanceId ?? '';
    };
    const makeGroup = async (GroupName: string, VpcId: string, open: boolean) => {
      const { GroupId = '' } = await ec2.send(
        new CreateSecurityGroupCommand({ GroupName, VpcId, Description: GroupName }),
      );
      if (open)
        await ec2.send(
          new AuthorizeSecurityGroupIngressCommand({
            GroupId,
            IpPermissions: [{ IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }],
          }),
        );
      return GroupId;
    };

    before(async () => {
      // A home that others may enter, as homes often are, with a file that anybody may read.
      home = mkdtempSync(join(tmpdir(), 'postern-home-'));
      chmodSync(home, 0o755);
      writeFileSync(join(home, 'secret'), `${marker} at home\n`, { mode: 0o644 });
      if (kind.user) {
        chownSync(home, kind.user.uid, kind.user.gid);
        chownSync(join(home, 'secret'), kind.user.uid, kind.user.gid);
      }
      hostServer = createServer((_, response) => response.end('the host'));
      await new Promise<void>((resolve) => hostServer.listen(0, '127.0.0.1', resolve));
      hostPort = (hostServer.address() as AddressInfo).port;
      own = await bringUp(kind.user ? { user: kind.user } : {});
      token = readFileSync(join(own.directory, 'operator-token'), 'utf8').trim();
      ec2 = new EC2Client({
        endpoint: own.endpoint,
        region: 'us-east-1',
        credentials: {
          accessKeyId: own.environment['AWS_ACCESS_KEY_ID'] ?? '',
          secretAccessKey: own.environment['AWS_SECRET_ACCESS_KEY'] ?? '',
        },
      });
      const { Vpcs } = await ec2.send(new DescribeVpcsCommand({}));
      vpcId = Vpcs?.[0]?.VpcId ?? '';
      assert.equal(Vpcs?.[0]?.CidrBlock, '172.31.0.0/16');
      group['closed'] = await makeGroup('closed', vpcId, false);
      group['open'] = await makeGroup('open', vpcId, true);
      const elsewhere = async (CidrBlock: string, subnet: string, address: string) => {
        const { Vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock }));
        const VpcId = Vpc?.VpcId ?? '';
        const { Subnet } = await ec2.send(new CreateSubnetCommand({ VpcId, CidrBlock: subnet }));
        return runOne(Subnet?.SubnetId, await makeGroup('open', VpcId, true), address);
      };
      const ids = {
        attacker: await runOne(undefined, group['open']),
        victim: await runOne(undefined, group['closed']),
        witness: await runOne(undefined, group['open']),
        twin: await elsewhere('172.31.0.0/16', '172.31.240.0/24', '172.31.240.5'),
        other: await elsewhere('10.9.0.0/16', '10.9.0.0/24', '10.9.0.5'),
      };
      await waitUntilInstanceRunning(
        { client: ec2, maxWaitTime: 30, minDelay: 1, maxDelay: 1 },
        { InstanceIds: Object.values(ids) },
      ).catch(() => assert.fail(`the instances do not run:\n${own.complaints()}`));
      for (const [name, id] of Object.entries(ids) as [keyof typeof machine, string][]) {
        const { Reservations } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
        machine[name] = Reservations?.[0]?.Instances?.[0] ?? {};
      }
      for (const name of ['victim', 'witness', 'twin', 'other'] as const)
        assert.equal((await inside(own.directory, idOf(name), webServer)).status, 0, name);
      assert.equal((await inside(own.directory, idOf('witness'), ear)).status, 0);
    });

    after(async () => {
      hostServer?.close();
      await own?.end();
      rmSync(home, { recursive: true, force: true });
    });

    test('the tools work: what is allowed succeeds', async () => {
      await allWork({
        'a neighbour whose group lets us in': `curl -sf -m 15 http://${addressOf('witness')}:8080/ | grep -q reached`,
        'S3 over the internet': 'curl -s -m 15 -o /dev/null https://s3.us-east-1.amazonaws.com/',
        'its own metadata': `t=$(curl -sf -m 15 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token) && curl -sf -m 15 -H "X-aws-ec2-metadata-token: $t" http://169.254.169.254/latest/meta-data/instance-id | grep -qx ${idOf('attacker')}`,
        'root of itself': 'test "$(id -u)" = 0 && touch /etc/mine && ip link add name v0 type veth peer name v1',
        'an own rule': "nft add table inet mine && nft add chain inet mine c '{ type filter hook input priority 0 ; }'",
      });
    });

    test('reads no file of the operator: home, data directory, token, key, database, shadow', async () => {
      const paths = [
        join(home, 'secret'),
        ...['postern.db', 'operator-token', 'ca-key.pem', 'requests.jsonl', 'run.json'].map((name) =>
          join(own.directory, name),
        ),
      ];
      await allFail({
        ...Object.fromEntries(
          paths.flatMap((path) => [
            [path, `cat '${path}'`],
            [`${path} by the root of process 1`, `cat '/proc/1/root${path}'`],
            [
              `${path} by its descriptors`,
              `for f in /proc/*/fd/*; do cat "$f/../../../..${path}" && exit 0; done; exit 1`,
            ],
          ]),
        ),
        'the data directory': `ls '${own.directory}'`,
        'any of them anywhere': `find / \\( -path /proc -o -path /sys \\) -prune -o \\( -name operator-token -o -name postern.db -o -name ca-key.pem \\) -print 2>/dev/null | grep -q .`,
        'the home of anybody': `ls -A /home /root 2>/dev/null | grep -vE '^(/|ec2-user|\\.|$)'`,
        'a writable system image': 'mount -o remount,rw,bind /opt/postern/bin/node',
      });
      const host = process.getuid?.() === 0 ? readFileSync('/etc/shadow', 'utf8').split('\n') : [];
      const shown = (await inside(own.directory, idOf('attacker'), 'cat /etc/shadow')).out.split('\n');
      assert.deepEqual(
        shown.filter((line) => line !== '' && host.includes(line)),
        [],
      );
      assert.ok(shown.length < 5, 'its own shadow file has two lines');
    });

    test('sees and signals no process but its own', async () => {
      const child = spawn('sleep', ['1000'], { stdio: 'ignore', argv0: marker, ...(kind.user ?? {}) });
      const pattern = marker.replace('marker', '[m]arker');
      try {
        // A process has no command line for the moment in which it becomes another program.
        await allWork({
          'looking at its own processes': `sleep 5 & until grep -qa sleep /proc/$!/cmdline; do sleep 0.05; done`,
        });
        await allFail({
          'the command line of a process of the host': `cat /proc/[0-9]*/cmdline | grep -qa '${pattern}'`,
          'a process of the host by number': `kill -9 ${child.pid}`,
          'the server by number': `kill -0 ${own.launcher.pid}`,
          'an instance beside it': `ps ax | grep -q '[s]erver.mjs'`,
          'the sockets of the host': `grep -q postern /proc/net/unix`,
          'more than its own process ids': `test "$(ls /proc | grep -c '^[0-9]')" -gt 150`,
        });
        // Everything it may signal at all: itself.
        await inside(own.directory, idOf('attacker'), 'kill -9 -1');
        assert.equal(child.exitCode ?? child.signalCode, null);
        await allWork({ 'the neighbour lives': `curl -sf -m 15 http://${addressOf('witness')}:8080/` });
      } finally {
        child.kill('SIGKILL');
      }
    });

    test('gets no device, no foreign file system, no module, no kernel setting, no clock', async () => {
      await allFail({
        'a block device by mknod': 'mknod /tmp/d b 254 0 && head -c1 /tmp/d',
        'the memory by mknod': 'mknod /tmp/m c 1 1 && head -c1 /tmp/m',
        'a device that is there': 'ls /dev/vd* /dev/sd* /dev/nvme* /dev/mem /dev/kmsg /dev/kvm /dev/fuse /dev/loop* /dev/net 2>/dev/null | grep -q .',
        'a mount of a disk': 'for d in /dev/vda /dev/sda /dev/nvme0n1 254:0; do mount -t ext4 $d /mnt && exit 0; done; exit 1',
        'a loop mount': 'head -c 1000000 /dev/zero > /tmp/i && mkfs.ext4 -q /tmp/i; mount -o loop /tmp/i /mnt',
        'debugfs': 'mount -t debugfs none /mnt', 'tracefs': 'mount -t tracefs none /mnt', 'securityfs': 'mount -t securityfs none /mnt',
        'a module': `perl -e 'open(F, "<", "/proc/self/exe"); exit(syscall(${process.arch === 'x64' ? 313 : 273}, fileno(F), "", 0) == 0 ? 0 : 1)'`,
        'sysrq': 'echo h > /proc/sysrq-trigger',
        'core_pattern': 'echo "|/bin/sh" > /proc/sys/kernel/core_pattern',
        'modprobe’s path': 'echo /tmp/x > /proc/sys/kernel/modprobe',
        'vm settings': 'echo 3 > /proc/sys/vm/drop_caches',
        'settings by remount': 'mount -o remount,rw /proc; echo 1 > /proc/sys/kernel/panic',
        'sysfs': 'mount -o remount,rw /sys; echo 1 > /sys/kernel/mm/ksm/run || echo 1 > /sys/module/kernel/parameters/panic',
        'cgroups': 'mount -t cgroup2 none /mnt && { echo 1 > /mnt/cgroup.kill || echo 0 > /mnt/cgroup.procs || mkdir /mnt/x; }',
        'the clock': 'date -s 2030-01-01',
        'the kernel’s log': 'dmesg | grep -q .',
        'swap': 'swapoff -a && swapon /tmp/i',
        'kexec': `perl -e 'exit(syscall(${process.arch === 'x64' ? 246 : 104}, 0, 0, 0, 0) == 0 ? 0 : 1)'`,
      }); // biome-ignore format: a table
    });

    test('reaches no listener of the host, no other VPC, no address of the underlay', async () => {
      const hostAddresses = Object.values(networkInterfaces()).flatMap((list) =>
        (list ?? []).filter((one) => one.family === 'IPv4').map((one) => one.address),
      );
      const cloudPort = new URL(own.endpoint).port;
      const places = [
        ...new Set([...hostAddresses, '127.0.0.1', '172.31.0.1', '172.31.0.2', '169.254.169.253', '169.254.169.254', '169.254.0.1']),
        '198.18.1.1', '198.18.1.200', '203.0.113.10', '10.0.2.2', '192.168.0.1',
      ]; // biome-ignore format: a list
      const web = (address: string, port: number | string) => `curl -s -m 2 -o /dev/null http://${address}:${port}/`;
      await allFail({
        ...Object.fromEntries(
          places.flatMap((address) => [
            [`the host’s server at ${address}`, web(address, hostPort)],
            [`the cloud’s own listener at ${address}`, web(address, cloudPort)],
          ]),
        ),
        ...Object.fromEntries(
          ['240.0.0.1', '240.0.0.5', '240.1.240.5', '240.2.0.5', '240.240.0.1', '240.240.0.2', '240.240.0.3'].flatMap((address) =>
            [80, 8080].map((port) => [`the underlay at ${address}:${port}`, web(address, port)]),
          ),
        ), // biome-ignore format: a list
        'a VPC with another block': web(addressOf('other'), 8080),
        'a VPC with the same block': web(addressOf('twin'), 8080),
        'a VPC with another block, by ping': `ping -c1 -W1 ${addressOf('other')}`,
        'the terminal’s address': web('203.0.113.10', 80),
        'the router itself': 'ping -c1 -W1 172.31.0.1',
        'the host over IPv6': 'ping -6 -c1 -W1 fe80::1%eth0',
        'a source route': `ping -c1 -W1 -R ${addressOf('other')}`,
      });
    });

    test('/_postern is not there on any address of AWS’s side, even with the operator’s token', async () => {
      const curl = `curl -sk -m 3 -H 'Authorization: Bearer ${token}'`;
      const found = "| grep -qE 'dataDirectory|AWS_SECRET|101 Switching|operator'";
      const places = [
        'http://198.18.1.1', 'https://198.18.1.1', 'http://198.18.1.129', 'https://s3.us-east-1.amazonaws.com', 'https://ec2.us-east-1.amazonaws.com',
        'http://sts.us-east-1.amazonaws.com', 'http://169.254.169.254', 'http://169.254.169.253', 'http://172.31.0.2', 'http://example.com', 'http://203.0.113.20',
      ]; // biome-ignore format: a list
      await allFail(
        Object.fromEntries(
          places.flatMap((place) => [
            [`status at ${place}`, `${curl} ${place}/_postern/status ${found}`],
            [`status at ${place} as the loopback`, `${curl} -H 'Host: 127.0.0.1' ${place}/_postern/status ${found}`],
            [`environment at ${place}`, `${curl} --request-target http://127.0.0.1/_postern/env ${place}/ ${found}`],
            [`exec at ${place}`, `${curl} -i -H 'Host: localhost' -H 'Connection: Upgrade' -H 'Upgrade: postern' '${place}/_postern/exec?instance=${idOf('victim')}&argv=%5B%22id%22%5D' ${found}`],
          ]),
        ),
      ); // biome-ignore format: a table
    });

    test('a spoofed source gets no answer and is not seen', async () => {
      const forged = [
        addressOf('victim'), addressOf('other'), addressOf('twin'), addressOf('witness'), '203.0.113.10', '8.8.8.8', '240.0.0.5', '169.254.169.254',
        '127.0.0.1', '172.31.0.1', '172.31.255.254', '255.255.255.255', machine.victim.PublicIpAddress ?? '', machine.attacker.PublicIpAddress ?? '',
      ]; // biome-ignore format: a list
      const sent = await inside(
        own.directory,
        idOf('attacker'),
        `${udp} for s in ${forged.join(' ')}; do udp $s ${addressOf('witness')} forged-$s || echo cannot send $s; done; udp ${addressOf('attacker')} ${addressOf('witness')} true`,
      );
      assert.equal(sent.status, 0, sent.out);
      // Packets of one wire come in order: when the true one is there, the others are not coming any more.
      const heard = await inside(
        own.directory,
        idOf('witness'),
        'n=0; until grep -q true /tmp/heard; do n=$((n+1)); [ $n -lt 1000 ] || exit 1; sleep 0.02; done; cat /tmp/heard',
      );
      assert.equal(heard.out.trim(), `${addressOf('attacker')} true`);
      const as = (address: string, url: string) =>
        `ip addr add ${address}/32 dev eth0; curl -s -m 2 -o /dev/null --interface ${address} ${url}`;
      await allFail(
        Object.fromEntries(
          [addressOf('victim'), addressOf('other'), '203.0.113.10', '8.8.4.4', machine.victim.PublicIpAddress ?? ''].flatMap((address) => [
            [`S3 as ${address}`, as(address, 'http://198.18.1.1/')],
            [`the metadata as ${address}`, as(address, 'http://169.254.169.254/latest/meta-data/instance-id')],
            [`a neighbour as ${address}`, as(address, `http://${addressOf('witness')}:8080/`)],
            [`a name as ${address}`, `ip addr add ${address}/32 dev eth0; perl -e 'use Socket; socket(S,2,2,17); bind(S, sockaddr_in(0, inet_aton("${address}"))) or exit 1; send(S, pack("nnnnnnC/a*C/a*Cnn", 7, 256, 1, 0, 0, 0, "example", "com", 0, 1, 1), 0, sockaddr_in(53, inet_aton("172.31.0.2"))); $r = ""; vec($r, fileno(S), 1) = 1; exit(select($r, undef, undef, 1.5) > 0 ? 0 : 1)'`],
          ]),
        ),
      ); // biome-ignore format: a table
      await inside(
        own.directory,
        idOf('attacker'),
        `ip addr show dev eth0 | awk '/inet .*\\/32/ { print $2 }' | xargs -rn1 ip addr del dev eth0`,
      );
    });

    test('cannot widen its own security group, nor another’s', async () => {
      const open =
        "nft flush ruleset; nft add table inet w; nft add chain inet w i '{ type filter hook input priority -400 ; policy accept ; }'; nft add chain inet w f '{ type filter hook forward priority -400 ; policy accept ; }'; sysctl -qw net.ipv4.ip_forward=1; ip link set eth0 promisc on";
      await allWork({ 'its own rules': open }, 'victim');
      await allWork({ 'its own rules': open });
      await allWork({ 'the victim serves itself': 'curl -sf -m 15 http://127.0.0.1:8080/' }, 'victim');
      await allFail({
        'a closed port': `curl -s -m 2 -o /dev/null http://${addressOf('victim')}:8080/`,
        'a closed port by the public address': `curl -s -m 2 -o /dev/null http://${machine.victim.PublicIpAddress}:8080/`,
        'a ping': `ping -c1 -W1 ${addressOf('victim')}`,
        'a fragment': `ping -c1 -W1 -s 4000 ${addressOf('victim')}`,
      });
    });

    test('no header, Host or server name makes another path of it', async () => {
      const claims = [
        '-H "X-Forwarded-For: 203.0.113.10"', '-H "Forwarded: for=203.0.113.10"', '-H "X-Real-IP: 203.0.113.10"', '-H "True-Client-IP: 203.0.113.10"',
        '-H "x-amz-source-vpce: vpce-0123456789abcdef0"', '-H "X-Amzn-Vpce-Id: vpce-0123456789abcdef0"', '-H "X-Amzn-Vpc-Id: vpc-0123456789abcdef0"',
        '-H "x-amz-source-vpc: vpc-0123456789abcdef0"', '-H "Via: vpce-0123456789abcdef0"', '-H "X-Amz-Cf-Id: x"', '--haproxy-protocol',
        '-H "Host: bucket.vpce-0123456789abcdef0-abcd.s3.us-east-1.vpce.amazonaws.com"',
        '-H "Host: s3.us-east-1.amazonaws.com" --path-as-is --request-target "/?aws:SourceVpce=vpce-0123456789abcdef0"',
      ]; // biome-ignore format: a list
      const name = 'vpce-0123456789abcdef0-abcd.s3.us-east-1.vpce.amazonaws.com';
      const script = (round: string) =>
        [
          ...claims.map((claim) => `curl -s -o /dev/null -m 15 -A ${round} ${claim} http://198.18.1.1/`),
          ...claims.slice(0, 10).map((claim) => `curl -sk -o /dev/null -m 15 -A ${round} ${claim} https://198.18.1.1/`),
          `curl -sk -o /dev/null -m 15 -A ${round} --resolve ${name}:443:198.18.1.1 https://${name}/`,
        ].join('; ');
      const pathsOf = async (round: string) => {
        await inside(own.directory, idOf('attacker'), script(round));
        const lines = (await postern(own.directory, 'requests', '--json', '--limit', '1000')).out.trim().split('\n');
        const events = lines.map((line) => JSON.parse(line) as { userAgent?: string; path: Record<string, unknown> });
        const mine = events.filter((event) => event.userAgent === round);
        // PROXY protocol is no HTTP, so that one leaves no event.
        assert.ok(mine.length >= claims.length + 9, `${mine.length} requests were seen`);
        return new Set(mine.map(({ path: { secure: _, tls: __, ...path } }) => JSON.stringify(path)));
      };
      assert.deepEqual(
        [...(await pathsOf('over-the-internet'))],
        [JSON.stringify({ kind: 'internet', sourceIp: machine.attacker.PublicIpAddress })],
      );
      const { RouteTables } = await ec2.send(
        new DescribeRouteTablesCommand({ Filters: [{ Name: 'vpc-id', Values: [vpcId] }] }),
      );
      const { VpcEndpoint } = await ec2.send(
        new CreateVpcEndpointCommand({
          VpcId: vpcId,
          ServiceName: 'com.amazonaws.us-east-1.s3',
          RouteTableIds: (RouteTables ?? []).map((table) => table.RouteTableId ?? ''),
        }),
      );
      await postern(own.directory, 'wait');
      assert.deepEqual(
        [...(await pathsOf('through-the-endpoint'))],
        [
          JSON.stringify({
            kind: 'endpoint',
            vpcEndpointId: VpcEndpoint?.VpcEndpointId,
            vpcId,
            sourceIp: addressOf('attacker'),
          }),
        ],
      );
      await allFail({
        'the operator’s endpoints through the endpoint': `curl -sk -m 3 -H 'Host: 127.0.0.1' -H 'Authorization: Bearer ${token}' https://198.18.1.1/_postern/status | grep -q dataDirectory`,
      });
    });

    test('no path of the metadata service leads to a file', async () => {
      const paths = [
        '/latest/meta-data/../../../../../../etc/passwd', '/latest/meta-data/%2e%2e/%2e%2e/%2e%2e/etc/passwd', '/latest/..%2f..%2f..%2fetc%2fpasswd',
        '//etc/passwd', '/latest/meta-data/__proto__', '/latest/meta-data/constructor/name', '/latest/user-data/../../../etc/passwd', '/latest/%00/etc/passwd',
        '/latest/meta-data/iam/security-credentials/../../../../etc/passwd', '/_postern/status', '/latest/meta-data/iam/security-credentials/..%2f..',
      ]; // biome-ignore format: a list
      const get = `t=$(curl -s -m 3 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token); curl -s -m 3 --path-as-is -o /tmp/md-$$ -w '%{http_code}' -H "X-aws-ec2-metadata-token: $t"`;
      await allFail(
        Object.fromEntries(
          paths.map((path) => [path, `code=$(${get} 'http://169.254.169.254${path}'); grep -qE 'root:|dataDirectory|function' /tmp/md-$$ || [ "$code" = 200 ] || [ "$code" = 500 ]`]),
        ),
      ); // biome-ignore format: a table
    });

    test('a flood of forged openings, ports and ARP claims stops nobody', async () => {
      const flooded = await inside(own.directory, idOf('attacker'), flood, addressOf('attacker'), addressOf('witness'));
      assert.match(flooded.out, /flooded/, flooded.out);
      await allWork(
        {
          'a neighbour': `curl -sf -m 15 http://${addressOf('witness')}:8080/ | grep -q reached`,
          S3: 'curl -s -m 15 -o /dev/null http://s3.us-east-1.amazonaws.com/',
        },
        'victim',
      );
      assert.equal((await ec2.send(new DescribeVpcsCommand({}))).Vpcs?.length, 3);
    });

    test('after all that every process of the cloud is still there, and no secret is in a command line', () => {
      assert.equal(own.launcher.exitCode ?? own.launcher.signalCode, null);
      const lines = familyOf(own.launcher.pid ?? 0).map(({ commandLine }) => commandLine);
      assert.ok(lines.some((line) => line.includes('server.mjs')));
      for (const secret of [token, own.environment['AWS_SECRET_ACCESS_KEY'] ?? ''])
        assert.deepEqual(
          lines.filter((line) => line.includes(secret)),
          [],
        );
    });
  });
}
