// The AWS side of the flow tests: sockets on every address that answer what they see, as the front door's would.

import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { promisify } from 'node:util';
import type { NetworkFabric } from '@postern/fabric/types.ts';
import { addressPlan, ipv6Plan } from '@postern/network/addresses.ts';
import type { Ipv4 } from '@postern/network/snapshot.ts';

export interface AwsSide {
  /** Connects from the person's terminal to a public address. */
  fromLaptop(host: Ipv4, port: number, timeoutMs?: number): Promise<string>;
  /** Connections that are open on the AWS side now. */
  readonly sockets: ReadonlySet<Socket>;
  close(): Promise<void>;
}

/** Answers `SOURCE KIND ENDPOINT` to every connection: the source in its VPC's addresses, or the public one. The fabric must have applied something. */
export async function startAwsSide(fabric: NetworkFabric): Promise<AwsSide> {
  const sockets = new Set<Socket>();
  const describe = (remote = '', localAddress = '') => {
    const origin = fabric.origin(remote, localAddress);
    if (origin === undefined) return `unknown ${remote} ${localAddress}`;
    return `${origin.sourceIp} ${origin.kind} ${origin.kind === 'endpoint' ? origin.vpcEndpointId : ''}`.trim();
  };
  const servers: Server[] = [];
  for (const port of [443, 80, 53]) {
    for (const host of ['0.0.0.0', '::']) {
      const server = createServer((socket) => {
        sockets.add(socket);
        socket.on('error', () => {}).on('close', () => sockets.delete(socket));
        socket.write(`${describe(socket.remoteAddress, socket.localAddress)}\n`);
        socket.on('data', (data) => socket.write(data));
      });
      await new Promise<void>((resolve, reject) =>
        server.once('error', reject).listen({ port, host, ipv6Only: true }, resolve),
      );
      servers.push(server);
    }
  }
  const resolvers: DatagramSocket[] = [];
  for (const address of [fabric.listen.resolver, ipv6Plan.resolver]) {
    const resolver = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    resolver.on('message', (_, remote) =>
      resolver.send(`${describe(remote.address, address)}\n`, remote.port, remote.address),
    );
    await new Promise<void>((resolve, reject) => resolver.once('error', reject).bind(53, address, resolve));
    resolvers.push(resolver);
  }
  return {
    sockets,
    fromLaptop(host, port, timeoutMs = 1500) {
      return new Promise((resolve) => {
        const socket = createConnection({
          host,
          port,
          localAddress: host.includes(':') ? ipv6Plan.laptop : addressPlan.laptop,
        });
        const done = (answer: string) => {
          clearTimeout(timer);
          socket.destroy();
          resolve(answer);
        };
        const timer = setTimeout(() => done('timeout'), timeoutMs);
        socket.once('data', (data) => done(`open ${data.toString().trim()}`));
        socket.once('error', (error: NodeJS.ErrnoException) => done(`error ${error.code}`));
      });
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await Promise.all(servers.map((server) => promisify(server.close.bind(server))()));
      for (const resolver of resolvers) resolver.close();
    },
  };
}
