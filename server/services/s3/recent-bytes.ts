// Small bodies that were read lately, as they are sent: reading one again asks neither the database nor the cipher.

export class RecentBytes {
  readonly #byId = new Map<string, Uint8Array>();
  readonly #maxBytes: number;
  #heldBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get(id: string): Uint8Array | undefined {
    const bytes = this.#byId.get(id);
    if (bytes === undefined) return undefined;
    // A Map keeps the order of insertion: the first is the one that nobody asked for the longest.
    this.#byId.delete(id);
    this.#byId.set(id, bytes);
    return bytes;
  }

  /** @param bytes nobody changes any more */
  set(id: string, bytes: Uint8Array): void {
    this.delete(id);
    this.#byId.set(id, bytes);
    this.#heldBytes += bytes.byteLength;
    for (const [oldest] of this.#byId) {
      if (this.#heldBytes <= this.#maxBytes) break;
      this.delete(oldest);
    }
  }

  delete(id: string): void {
    this.#heldBytes -= this.#byId.get(id)?.byteLength ?? 0;
    this.#byId.delete(id);
  }
}
