// TLS in front of a socket that is accepted already: on port 443 of every address, and on the loopback port where plain HTTP and TLS share one listener.

import { isIPv4, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { TlsDetails } from '../path.ts';
import type { CertificateAuthority } from './certificates.ts';

const handshakeByte = 0x16;
const handshakeTimeoutMs = 20_000;
const namePattern = /^(?=.{1,253}$)[a-z0-9_*-]{1,63}(\.[a-z0-9_-]{1,63})*$/;

/** Which name the server shows a certificate for, when a client asks for a name, or for none. */
export type CertifiedName = (asked: string | undefined) => string | undefined;

/**
 * Turns an accepted TCP socket into a TLS socket. A failed handshake ends the socket and nothing else.
 * @param certified whatever is asked for, unless said otherwise
 * Not a tls.Server: that has one certificate for clients that send no name, and here each address has its own.
 */
export function terminateTls(
  authority: CertificateAuthority,
  socket: Socket,
  onSecure: (socket: TLSSocket) => void,
  certified: CertifiedName = (asked) => asked,
): void {
  const address = (socket.localAddress ?? '').replace(/^::ffff:/, '');
  const fallback = authority.contextFor(certified(undefined) ?? (isIPv4(address) ? address : 'amazonaws.com'));
  const secure = new TLSSocket(socket, {
    isServer: true,
    secureContext: fallback,
    ALPNProtocols: ['http/1.1'],
    SNICallback: (asked, done) => {
      const lower = asked.toLowerCase();
      const name = namePattern.test(lower) ? certified(lower) : undefined;
      done(null, name === undefined ? fallback : authority.contextFor(name));
    },
  });
  const tooSlow = setTimeout(() => secure.destroy(), handshakeTimeoutMs);
  secure.on('error', () => secure.destroy());
  secure.once('close', () => clearTimeout(tooSlow));
  secure.once('secure', () => {
    clearTimeout(tooSlow);
    onSecure(secure);
  });
}

/** What was agreed on with the client, for the records. */
export function tlsOf(socket: TLSSocket): TlsDetails {
  const cipher = socket.getCipher();
  return { version: socket.getProtocol() ?? '', cipherSuite: cipher.standardName ?? cipher.name };
}

/** Looks at the first byte of a connection, puts it back, and says whether it begins a TLS handshake. */
export function sniffTls(socket: Socket, decided: (tls: boolean) => void): void {
  const onError = () => socket.destroy();
  socket.on('error', onError);
  socket.once('readable', () => {
    const first = socket.read(1) as Buffer | null;
    if (first === null) {
      // The client closed without a word.
      socket.destroy();
      return;
    }
    socket.unshift(first);
    socket.off('error', onError);
    decided(first[0] === handshakeByte);
  });
}
