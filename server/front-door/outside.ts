// Every other host of the sealed internet: one small page that says who was asked and from which public address the request came.
// (Ping is answered by the kernel, to which all those addresses are its own.)

import { createServer, type Server } from 'node:http';
import type { Ipv4, Ipv6 } from '@postern/network/snapshot.ts';

/** What is known of a connection to a stand-in. */
export interface OutsideVisit {
  readonly sourceIp: Ipv4 | Ipv6;
  readonly destinationIp: Ipv4 | Ipv6;
  readonly secure: boolean;
}

/** Names whose whole answer is the asker's address, as learners use them to see their public address. */
const addressServices = new Set([
  'checkip.amazonaws.com',
  'ifconfig.me',
  'icanhazip.com',
  'api.ipify.org',
  'ipinfo.io',
  'ip.me',
]);

/** The page's text. Pure. */
export function outsidePage(host: string, url: string, visit: OutsideVisit): string {
  const name = host.replace(/:\d+$/, '').toLowerCase();
  if (addressServices.has(name)) return `${visit.sourceIp}\n`;
  return [
    `This is a stand-in for ${name || visit.destinationIp} (${visit.destinationIp}) on Postern's sealed internet.`,
    `You asked for ${visit.secure ? 'https' : 'http'}://${host || visit.destinationIp}${url}`,
    `Your request came from ${visit.sourceIp}.`,
    'No packet left this machine.',
    '',
  ].join('\n');
}

/** The stand-in's server: give it sockets by `emit('connection', socket)`. */
export function createOutside(visitOf: (socket: import('node:net').Socket) => OutsideVisit | undefined): Server {
  return createServer((request, response) => {
    request.resume();
    const visit = visitOf(request.socket);
    if (!visit) {
      request.socket.destroy();
      return;
    }
    // A host name is the client's own text: it goes back as text/plain only.
    const page = outsidePage(request.headers.host ?? '', request.url ?? '/', visit);
    response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8', Server: 'postern-outside' });
    response.end(request.method === 'HEAD' ? undefined : page);
  });
}
