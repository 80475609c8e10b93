// One end of a session's data channel: what is written arrives once and in order, because each message is numbered, acknowledged, and sent again until it is.
// Both ends do the same with the two directions exchanged. Rules: the MGS wire protocol; chunks of at most 1,024 bytes, numbers from 0, the first has SYN.

import { type AgentMessage, agentMessage, bothFlags, decode, encode } from './agent-message.ts';

export type Direction = 'input_stream_data' | 'output_stream_data';

const chunkBytes = 1024;
const resendMs = 500;
/** So many unacknowledged messages are enough: who writes is told to wait. */
const mostUnheard = 128;
/** Ahead of one that is missing. */
const mostEarly = 1024;

export interface DataStreamOptions {
  /** The direction in which this end writes. */
  readonly writes: Direction;
  readonly send: (bytes: Buffer) => void;
  /** What the other end wrote, in order. */
  readonly received: (payloadType: number, payload: Buffer) => void;
  /** Messages that are no part of the stream: `channel_closed` … */
  readonly other?: (message: AgentMessage) => void;
  /** There is room again. */
  readonly drained?: () => void;
}

export class DataStream {
  readonly #options: DataStreamOptions;
  readonly #unheard = new Map<number, { readonly bytes: Buffer; sentAtMs: number }>();
  readonly #early = new Map<number, AgentMessage>();
  readonly #timer: NodeJS.Timeout;
  #next = 0;
  #expected = 0;
  #isPaused = false;

  constructor(options: DataStreamOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#resend(), resendMs).unref();
  }

  /** @returns false when the writer should wait for `drained` */
  write(payloadType: number, payload: Buffer | string | object): boolean {
    const { payload: whole } = agentMessage('', payload);
    for (let at = 0; at < Math.max(1, whole.length); at += chunkBytes) {
      const message = agentMessage(this.#options.writes, whole.subarray(at, at + chunkBytes), {
        sequenceNumber: this.#next,
        flags: this.#next === 0 ? 1 : 0,
        payloadType,
      });
      const bytes = encode(message);
      this.#unheard.set(this.#next, { bytes, sentAtMs: performance.now() });
      this.#next += 1;
      if (!this.#isPaused) this.#options.send(bytes);
    }
    return this.#unheard.size < mostUnheard;
  }

  /** Bytes of the channel. @throws Error when they are no message */
  take(bytes: Buffer): void {
    const message = decode(bytes);
    const { writes } = this.#options;
    if (message.messageType === 'acknowledge') this.#heard(message);
    else if (message.messageType === 'pause_publication') this.#isPaused = true;
    else if (message.messageType === 'start_publication') this.#isPaused = false;
    else if (message.messageType === (writes === 'input_stream_data' ? 'output_stream_data' : 'input_stream_data'))
      this.#receive(message);
    else this.#options.other?.(message);
  }

  /** Everything is acknowledged. */
  get isFlushed(): boolean {
    return this.#unheard.size === 0;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #heard(message: AgentMessage): void {
    const content = JSON.parse(message.payload.toString()) as { AcknowledgedMessageSequenceNumber: number };
    const wasFull = this.#unheard.size >= mostUnheard;
    this.#unheard.delete(content.AcknowledgedMessageSequenceNumber);
    if (this.#unheard.size === 0 || (wasFull && this.#unheard.size < mostUnheard)) this.#options.drained?.();
  }

  #receive(message: AgentMessage): void {
    const { sequenceNumber: number } = message;
    // Not acknowledged: it comes again when there is room.
    if (number > this.#expected + mostEarly) return;
    const acknowledgement = {
      AcknowledgedMessageType: message.messageType,
      AcknowledgedMessageId: message.messageId,
      AcknowledgedMessageSequenceNumber: number,
      IsSequentialMessage: true,
    };
    this.#options.send(encode(agentMessage('acknowledge', acknowledgement, { flags: bothFlags })));
    if (number < this.#expected) return;
    this.#early.set(number, message);
    for (let one = this.#early.get(this.#expected); one; one = this.#early.get(this.#expected)) {
      this.#early.delete(this.#expected);
      this.#expected += 1;
      this.#options.received(one.payloadType, one.payload);
    }
  }

  #resend(): void {
    if (this.#isPaused) return;
    const now = performance.now();
    for (const one of this.#unheard.values()) {
      if (now - one.sentAtMs < resendMs) continue;
      one.sentAtMs = now;
      this.#options.send(one.bytes);
    }
  }
}
