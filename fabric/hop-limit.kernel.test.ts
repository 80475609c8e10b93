// The hop limit of the metadata service's token answers (H4), seen by a container one hop behind the instance. Real packets.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { type Probe, ProbeMachines } from '../tests/flows/probe.ts';
import { eni, snapshot, subnet, vpc } from '../tests/flows/snapshots.ts';
import { createNetworkFabric } from './network-fabric.ts';

const machines = new ProbeMachines();
const fabric = createNetworkFabric({ machines });
let probe: Probe;
let container = '';

/** Answers as the metadata service does: the token's header comes first in the answer to PUT only. */
const service = createServer((request, response) => {
  const ttl = ['X-Aws-Ec2-Metadata-Token-Ttl-Seconds', '60'];
  const type = ['Content-Type', 'text/plain'];
  response.writeHead(200, request.method === 'PUT' ? [...ttl, ...type] : [...type, ...ttl]).end(`${request.method}\n`);
});

const makeContainer = `
unshare --net sleep 300 >/dev/null 2>&1 & container=$!
until [ "$(readlink /proc/$container/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do :; done
ip link add c0 type veth peer name c1 netns $container
ip addr add 172.17.0.1/16 dev c0; ip link set c0 up
nsenter -t $container -n sh -c 'ip addr add 172.17.0.2/16 dev c1; ip link set c1 up; ip route add default via 172.17.0.1'
echo 1 > /proc/sys/net/ipv4/ip_forward
printf 'add table ip n\\nadd chain ip n out { type nat hook postrouting priority 100; }\\nadd rule ip n out oifname eth0 masquerade\\n' | nft -f -
echo container $container`;

before(async () => {
  probe = await machines.start('i-a');
  await apply(1);
  await new Promise<void>((resolve) => service.listen(80, fabric.listen.metadata, resolve));
  container = /container (\d+)/.exec(await probe.run('sh', '-c', makeContainer))?.[1] ?? '';
  assert.notEqual(container, '');
});

after(async () => {
  await probe?.run('kill', container);
  service.close();
  service.closeAllConnections();
  await machines.stopAll();
  await fabric.close();
});

async function apply(hopLimit: number): Promise<void> {
  const network = vpc({ subnets: [subnet('1', '10.0.0.0/24')], networkInterfaces: [eni('a', '1', '10.0.0.10')] });
  const instances = [{ instanceId: 'i-a' as const, metadata: { enabled: true, hopLimit } }];
  assert.deepEqual((await fabric.apply(snapshot({ ...network, instances }))).failures, []);
}

const curl = (method: string) => ['curl', '-s', '-m', '2', '-X', method, 'http://169.254.169.254/latest/api/token'];
const inInstance = (method: string) => probe.run(...(curl(method) as [string, ...string[]]));
const inContainer = (method: string) => probe.run('nsenter', '-t', container, '-n', ...curl(method));

test('[H4] with a hop limit of 1 the token reaches the instance and not a container in it; every other answer does', async () => {
  await apply(1);
  assert.match(await inInstance('PUT'), /^0 PUT/);
  assert.match(await inContainer('PUT'), /^28 /);
  assert.match(await inContainer('GET'), /^0 GET/);
});

test('[H4] with a hop limit of 2 the token reaches a container too', async () => {
  await apply(2);
  assert.match(await inContainer('PUT'), /^0 PUT/);
});
