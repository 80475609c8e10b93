// An answer whose body is in files: the next piece is read while the one before is on its way.

import type { ServerResponse } from 'node:http';
import type { FileBody, PiecesBody } from '../service.ts';
import { openSource, type Piece, pieceBytes } from './file-source.ts';

/** Settles when all of it is handed to the socket. @throws when a file fails, or the client goes away */
export async function sendFiles(
  response: ServerResponse,
  status: number,
  headers: Record<string, string | number>,
  body: FileBody | PiecesBody,
): Promise<void> {
  headers['Content-Length'] = 'pieces' in body ? body.sizeBytes : body.end - body.start;
  response.writeHead(status, headers);
  let before: Promise<void> | undefined;
  for (const one of 'pieces' in body ? body.pieces : [body]) {
    for await (const piece of one instanceof Uint8Array ? [{ bytes: one, giveBack() {} }] : piecesOf(one)) {
      await before?.catch((error: unknown) => {
        piece.giveBack();
        throw error;
      });
      before = flushed(response, piece);
    }
  }
  await before;
  response.end();
}

async function* piecesOf(body: FileBody): AsyncGenerator<Piece> {
  const source = openSource(body);
  try {
    for (let at = body.start; at < body.end; ) {
      const piece = await source.read(at, Math.min(pieceBytes, body.end - at));
      at += piece.bytes.length;
      yield piece;
    }
  } finally {
    source.close();
  }
}

/** Settles when the kernel has taken the bytes, whose memory is free then. */
function flushed(response: ServerResponse, piece: Piece): Promise<void> {
  const written = new Promise<void>((resolve, reject) => {
    let isSettled = false;
    const settle = (error?: Error | null) => {
      if (isSettled) return;
      isSettled = true;
      response.off('close', closed);
      // Nobody can say whether the socket still has bytes that it did not take.
      piece.giveBack(error instanceof Error);
      if (error) reject(error);
      else resolve();
    };
    const closed = () => settle(new Error('the client went away'));
    if (response.destroyed) return closed();
    response.once('close', closed);
    response.write(piece.bytes, settle);
  });
  // It is awaited one turn later; until then nobody would hear of a failure.
  written.catch(() => {});
  return written;
}
