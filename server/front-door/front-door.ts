// The sockets on the AWS side of the fabric: which service does a connection reach, and by which path did it come?
// Both are read off the socket's two addresses (design, "the path is in the address"), never off anything that a client says.
// Ports 443 and 80 listen on every address of both families, because the AWS side and the whole sealed internet are local addresses of this namespace.

import { createServer, type Server, type Socket } from 'node:net';
import type { NetworkFabric, Origin } from '@postern/fabric/types.ts';
import { addressPlan, ipv6Plan } from '@postern/network/addresses.ts';
import { containsAddress } from '@postern/network/cidr.ts';
import { nat64Prefix } from '@postern/network/nat64.ts';
import type { Cidr, Ipv4, Ipv6, VpcEndpointId, VpcId } from '@postern/network/snapshot.ts';
import type { RequestPath } from '../path.ts';
import type { CertificateAuthority } from './certificates.ts';
import { createOutside } from './outside.ts';
import { type Resolve, type RunningResolver, startResolver } from './resolver.ts';
import { terminateTls } from './tls.ts';

export interface FrontDoorOptions {
  readonly fabric: Pick<NetworkFabric, 'origin' | 'listen'>;
  /** Takes an accepted and decrypted socket that asks an AWS service. */
  readonly edge: (socket: Socket, path: RequestPath) => void;
  readonly authority: CertificateAuthority;
  readonly resolve: Resolve;
  /** The name that the service behind an endpoint shows a certificate for; undefined: whatever is asked for. */
  readonly certified?: (vpcEndpointId: VpcEndpointId, asked: string | undefined) => string | undefined;
  /** Takes a socket that asks the metadata service. */
  readonly metadata: (socket: Socket, from: { readonly vpcId: VpcId; readonly sourceIp: Ipv4 }) => void;
}

export interface FrontDoor {
  close(): Promise<void>;
}

/** What a destination on the internet is. */
type Destination = 'service' | 'outside' | 'nobody';

const prefixOf = (cidr: string) => cidr.split('.').slice(0, 2).join('.');

/** Service addresses answer as AWS, unassigned public ones and the laptop not at all, every other one as a stand-in. */
export function destinationOf(address: Ipv4 | Ipv6): Destination {
  if (address.includes(':')) return ipv6DestinationOf(address);
  const prefix = `${address.split('.').slice(0, 2).join('.')}`;
  if (prefix === prefixOf(addressPlan.services)) return 'service';
  if (prefix === prefixOf(addressPlan.publicPool) || address === addressPlan.laptop) return 'nobody';
  const first = Number(address.split('.')[0]);
  const isPrivate =
    /^(10|127|0)\.|^192\.168\.|^169\.254\.|^172\.(1[6-9]|2\d|3[01])\.|^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./.test(
      address,
    );
  return isPrivate || first >= 224 ? 'nobody' : 'outside';
}

/** Unspecified and loopback, IPv4 in disguise, unique local, link-local, multicast. */
const notGlobal: readonly Cidr[] = ['::/127', '::ffff:0:0/96', nat64Prefix, 'fc00::/7', 'fe80::/10', 'ff00::/8'];

function ipv6DestinationOf(address: Ipv6): Destination {
  if (containsAddress(ipv6Plan.services, address)) return 'service';
  if (containsAddress(ipv6Plan.vpcs, address) || address === ipv6Plan.laptop) return 'nobody';
  return notGlobal.some((block) => containsAddress(block, address)) ? 'nobody' : 'outside';
}

/** A request's path from where its socket came from; undefined for what is no service path. */
export function pathOf(origin: Origin, secure: boolean): RequestPath | undefined {
  if (origin.kind === 'internet') return { kind: 'internet', sourceIp: origin.sourceIp, secure };
  if (origin.kind === 'endpoint') {
    return {
      kind: 'endpoint',
      vpcEndpointId: origin.vpcEndpointId,
      vpcId: origin.vpcId,
      sourceIp: origin.sourceIp,
      secure,
    };
  }
  return undefined;
}

const plain = (address: string | undefined) => (address ?? '').replace(/^::ffff:/, '');

/** Opens 443, 80 and 53 of this network namespace. Fails when one is taken. */
export async function startFrontDoor(options: FrontDoorOptions): Promise<FrontDoor> {
  const { fabric } = options;
  const open = new Set<Socket>();
  const visits = new WeakMap<Socket, { sourceIp: Ipv4 | Ipv6; destinationIp: Ipv4 | Ipv6; secure: boolean }>();
  const outside = createOutside((socket) => visits.get(socket));

  const route = (socket: Socket, origin: Origin, secure: boolean) => {
    if (origin.kind === 'metadata' && !secure) return options.metadata(socket, origin);
    const path = pathOf(origin, secure);
    if (!path) return void socket.destroy();
    const destination = origin.kind === 'internet' ? destinationOf(origin.destinationIp) : 'service';
    if (destination === 'service') return options.edge(socket, path);
    if (destination === 'nobody' || origin.kind !== 'internet') return void socket.destroy();
    visits.set(socket, { sourceIp: origin.sourceIp, destinationIp: origin.destinationIp, secure });
    outside.emit('connection', socket);
  };

  const accept = (secure: boolean) => (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.setNoDelay(true);
    const origin = fabric.origin(plain(socket.remoteAddress), plain(socket.localAddress));
    if (!origin || origin.kind === 'resolver') {
      socket.destroy();
      return;
    }
    // The origin is read once, here: after a change of the network the same addresses may be somebody else's.
    const certified = (asked: string | undefined) =>
      (origin.kind === 'endpoint' ? options.certified?.(origin.vpcEndpointId, asked) : undefined) ?? asked;
    if (secure) terminateTls(options.authority, socket, (decrypted) => route(decrypted, origin, true), certified);
    else route(socket, origin, false);
  };

  const servers: Server[] = [];
  for (const [port, secure] of [
    [443, true],
    [80, false],
  ] as const) {
    for (const host of ['0.0.0.0', '::']) {
      const server = createServer(accept(secure));
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        // One socket for each family: an IPv4 address stays one.
        server.listen({ host, ipv6Only: true, port, backlog: 1024 }, resolve);
      });
      servers.push(server);
    }
  }
  const resolver: RunningResolver = await startResolver({
    address: fabric.listen.resolver,
    resolve: options.resolve,
    origin: (remote, local) => fabric.origin(plain(remote), plain(local)),
  });
  return {
    close: async () => {
      const closed = servers.map((server) => new Promise((resolve) => server.close(resolve)));
      for (const socket of open) socket.destroy();
      await Promise.all([...closed, resolver.close()]);
    },
  };
}
