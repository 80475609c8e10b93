// A WebSocket's server end as a stream of bytes: what clients send in binary messages is read, what is written goes out as binary messages.

import { Duplex } from 'node:stream';
import { closeCodes, type WebSocketEnd } from '@postern/guest/wire/websocket.ts';

export class WebSocketStream extends Duplex {
  readonly #end: WebSocketEnd;

  constructor(end: WebSocketEnd) {
    super();
    this.#end = end;
    end.listen({
      message: (payload, isText) => {
        if (isText) this.close(closeCodes.unacceptable, 'binary messages only');
        else if (payload.length > 0 && !this.push(payload)) end.pause();
      },
      close: () => {
        this.push(null);
        this.destroy();
      },
    });
  }

  /** Ends the connection with a reason that the client shows. */
  close(code: number, reason = ''): void {
    this.#end.close(code, reason);
  }

  override _read(): void {
    this.#end.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#end.send(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.close(closeCodes.normal);
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#end.destroy();
    done(error);
  }
}
