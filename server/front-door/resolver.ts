// The VPC resolver's sockets (D2), and those of public resolvers on the sealed internet. What a name means is not decided here: `resolve` is given in.
// A UDP answer must come from the address that was asked, and Node cannot choose it per packet, so UDP listens on named addresses only;
// TCP listens on every address. Gap: a public resolver outside the list answers over TCP alone.

import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import type { Origin } from '@postern/fabric/types.ts';
import { ipv6Plan } from '@postern/network/addresses.ts';
import type { Answer, RecordType, Resolution } from '@postern/network/names.ts';
import type { Ipv4, Ipv6, VpcId } from '@postern/network/snapshot.ts';
import * as dns from 'dns-packet';

/** Undefined: no answer at all, the client times out (D4). */
export type Resolve = (asker: Asker, name: string, type: RecordType) => Resolution | undefined;

/** Whose resolver is asked, and in a VPC from which address of it. */
export type Asker = { readonly of: VpcId; readonly sourceIp: Ipv4 | Ipv6 } | { readonly of: 'internet' };

const publicResolvers: readonly (Ipv4 | Ipv6)[] = [
  '8.8.8.8',
  '8.8.4.4',
  '1.1.1.1',
  '1.0.0.1',
  '9.9.9.9',
  '2001:4860:4860::8888',
  '2001:4860:4860::8844',
  '2606:4700:4700::1111',
  '2606:4700:4700::1001',
  '2620:fe::fe',
];
const codes = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3 } as const;

/**
 * The answer's bytes for a question's bytes; undefined when there is to be none. Pure but for `resolve`.
 * @param nextTurn says which of several addresses comes first, for clients take that (X4); asked only then, or a client that asks A and AAAA in turn
 *   would always get the same
 */
export function answerQuery(
  query: Buffer,
  asker: Asker,
  resolve: Resolve,
  limitBytes: number,
  nextTurn: () => number = () => 0,
): Buffer | undefined {
  let packet: dns.DecodedPacket;
  try {
    packet = dns.decode(query);
  } catch {
    return undefined;
  }
  const question = packet.questions?.[0];
  if (packet.type !== 'query' || !question) return undefined;
  const resolution = resolve(asker, question.name, question.type as RecordType);
  if (!resolution) return undefined;
  // The name goes back with the question's own capitals: clients compare them (0x20 encoding).
  const same = (name: string) => (name.toLowerCase() === question.name.toLowerCase() ? question.name : name);
  const record = (one: Answer) =>
    ({ name: same(one.name), type: one.type, ttl: one.ttlSeconds, class: 'IN', data: one.data }) as dns.Answer;
  const recursion = dns.RECURSION_AVAILABLE | ((packet.flags ?? 0) & dns.RECURSION_DESIRED);
  const answer: dns.Packet = {
    type: 'response',
    ...(packet.id !== undefined && { id: packet.id }),
    flags: recursion | codes[resolution.rcode],
    questions: [question],
    answers: rotated(resolution.answers, nextTurn).map(record),
  };
  const bytes = dns.encode(answer);
  if (bytes.length <= limitBytes) return bytes;
  return dns.encode({ ...answer, flags: (answer.flags ?? 0) | dns.TRUNCATED_RESPONSE, answers: [] });
}

function rotated<T>(all: readonly T[], nextTurn: () => number): readonly T[] {
  if (all.length < 2) return all;
  const at = nextTurn() % all.length;
  return [...all.slice(at), ...all.slice(0, at)];
}

/** How large a UDP answer the asker takes: 512 bytes, or what EDNS says. */
function limitOf(query: Buffer): number {
  try {
    const edns = dns.decode(query).additionals?.find((one) => one.type === 'OPT') as
      | { udpPayloadSize?: number }
      | undefined;
    return Math.min(Math.max(edns?.udpPayloadSize ?? 512, 512), 4096);
  } catch {
    return 512;
  }
}

export interface ResolverOptions {
  readonly address: Ipv4;
  readonly resolve: Resolve;
  readonly origin: (remote: Ipv4 | Ipv6, local: Ipv4 | Ipv6) => Origin | undefined;
}

export interface RunningResolver {
  close(): Promise<void>;
}

function askerOf(origin: Origin | undefined): Asker | undefined {
  if (origin?.kind === 'resolver') return { of: origin.vpcId, sourceIp: origin.sourceIp };
  return origin?.kind === 'internet' ? { of: 'internet' } : undefined;
}

/** Opens the sockets. Fails when the resolver's own address cannot be had. */
export async function startResolver(options: ResolverOptions): Promise<RunningResolver> {
  const sockets: UdpSocket[] = [];
  let turn = 0;
  const nextTurn = () => turn++;
  for (const address of [options.address, ipv6Plan.resolver, ...publicResolvers]) {
    const socket = createSocket(address.includes(':') ? { type: 'udp6', ipv6Only: true } : { type: 'udp4' });
    socket.on('message', (query, from) => {
      const asker = askerOf(options.origin(from.address, address));
      const answer = asker && answerQuery(query, asker, options.resolve, limitOf(query), nextTurn);
      // The asker may be gone, and its packets undeliverable: that is its loss.
      if (answer) socket.send(answer, from.port, from.address, () => {});
    });
    await new Promise<void>((resolve, reject) => {
      // Later errors are of single packets (an asker that is gone): once bound, the rejection has no effect.
      socket.on('error', reject);
      socket.bind({ port: 53, address, exclusive: true }, resolve);
    });
    sockets.push(socket);
  }
  const servers: Server[] = [];
  for (const host of ['0.0.0.0', '::']) {
    const tcp = createServer((socket) => serveTcp(socket, options, nextTurn));
    await listenOn(tcp, host, 53);
    servers.push(tcp);
  }
  return {
    close: async () => {
      for (const socket of sockets) socket.close();
      await Promise.all(servers.map((tcp) => new Promise((resolve) => tcp.close(resolve))));
    },
  };
}

function listenOn(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, ipv6Only: true, port }, resolve);
  });
}

/** Each message has its length in two bytes before it (RFC 1035, 4.2.2). */
function serveTcp(socket: Socket, options: ResolverOptions, nextTurn: () => number): void {
  socket.on('error', () => socket.destroy());
  socket.setTimeout(10_000, () => socket.destroy());
  const asker = askerOf(options.origin(socket.remoteAddress ?? '', socket.localAddress ?? ''));
  if (!asker) {
    socket.destroy();
    return;
  }
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
      const length = rest.readUInt16BE(0);
      const answer = answerQuery(rest.subarray(2, 2 + length), asker, options.resolve, 65_535, nextTurn);
      rest = rest.subarray(2 + length);
      if (!answer) continue;
      const head = Buffer.alloc(2);
      head.writeUInt16BE(answer.length);
      socket.write(Buffer.concat([head, answer]));
    }
  });
}
