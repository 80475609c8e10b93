// Memory that is used again and again while there is work, and free when there is none. Fresh memory is slow, for each page of it is faulted in, and
// V8 answers much of it with collections of the whole heap.

const idleMs = 30_000;

export class SpareMemory<T> {
  readonly #make: () => T;
  readonly #most: number;
  readonly #spare: T[] = [];
  #inUse = 0;
  #idle: NodeJS.Timeout | undefined;

  /** @param most that are kept, when more were in use at once */
  constructor(make: () => T, most: number) {
    this.#make = make;
    this.#most = most;
  }

  get inUse(): number {
    return this.#inUse;
  }

  take(): T {
    clearTimeout(this.#idle);
    this.#inUse += 1;
    return this.#spare.pop() ?? this.#make();
  }

  /** @param isHeld somebody may still have it, so it is not used again */
  give(one: T, isHeld = false): void {
    this.#inUse -= 1;
    if (!isHeld && this.#spare.length < this.#most) this.#spare.push(one);
    if (this.#inUse > 0) return;
    this.#idle = setTimeout(() => this.#spare.splice(0), idleMs);
    this.#idle.unref();
  }
}
