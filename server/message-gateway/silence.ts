// Ends of channels that are gone without a word: one that says nothing is asked, and given up when it does not answer. One timer for all, and none when there
// is nobody.

import type { WebSocketEnd } from '@postern/guest/wire/websocket.ts';

/** AWS's agent pings every 54 s; one that is asked answers at once. */
const quietMs = 15_000;

interface Watched {
  readonly end: WebSocketEnd;
  heardAtMs: number;
}

export class Silence {
  readonly #watched = new Set<Watched>();
  readonly #eachTime: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(eachTime: () => void) {
    this.#eachTime = eachTime;
  }

  watch(end: WebSocketEnd): { heard(): void; gone(): void } {
    const one = { end, heardAtMs: performance.now() };
    this.#watched.add(one);
    this.#timer ??= setInterval(() => this.#look(), quietMs).unref();
    return {
      heard: () => {
        one.heardAtMs = performance.now();
      },
      gone: () => {
        this.#watched.delete(one);
        if (this.#watched.size > 0) return;
        clearInterval(this.#timer);
        this.#timer = undefined;
      },
    };
  }

  #look(): void {
    for (const { end, heardAtMs } of this.#watched) {
      const silentMs = performance.now() - heardAtMs;
      if (silentMs > 3 * quietMs) end.destroy();
      else if (silentMs > quietMs / 2) end.ping();
    }
    this.#eachTime();
  }
}
