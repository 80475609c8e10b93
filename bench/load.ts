// A load generator that costs little: raw keep-alive sockets, one request in flight on each, the bytes made beforehand.
// The same generator drives Postern, the bare server and moto, so that its own cost is the same in every figure.

import net from 'node:net';

export interface LoadOptions {
  readonly port: number;
  /** The whole request, head and body; asked for once per request. */
  readonly request: (index: number) => Buffer;
  readonly concurrency: number;
  readonly durationMs: number;
  /** Ends after this many requests, if the time has not ended it before. */
  readonly count?: number;
}

export interface Load {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly count: number;
  /** Answers with a status of 400 or above. */
  readonly failures: number;
  /** The first failing answer, for the person who reads the table. */
  readonly firstFailure?: string;
}

export async function load(options: LoadOptions): Promise<Load> {
  const latencies: number[] = [];
  let failures = 0;
  let firstFailure: string | undefined;
  let next = 0;
  const most = options.count ?? Number.POSITIVE_INFINITY;
  const startedAt = performance.now();
  const until = startedAt + options.durationMs;

  const worker = async () => {
    let connection = await open(options.port);
    while (performance.now() < until && next < most) {
      const request = options.request(next++);
      // Some servers close after each answer (moto's does); the connection anew is a part of what a call to them costs.
      const sentAt = performance.now();
      if (connection.isClosed()) connection = await open(options.port);
      const answer = await connection.exchange(request);
      latencies.push(performance.now() - sentAt);
      if (answer.status >= 400) {
        failures += 1;
        firstFailure ??= answer.text();
      }
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: Math.min(options.concurrency, most) }, worker));

  const elapsedMs = performance.now() - startedAt;
  latencies.sort((a, b) => a - b);
  const at = (share: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? Number.NaN;
  return {
    perSecond: (latencies.length / elapsedMs) * 1000,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    count: latencies.length,
    failures,
    ...(firstFailure !== undefined && { firstFailure }),
  };
}

interface Answer {
  readonly status: number;
  text(): string;
}

interface Connection {
  exchange(request: Buffer): Promise<Answer>;
  /** True when the server ended it, or said that it will. */
  isClosed(): boolean;
  close(): void;
}

function open(port: number): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    let settle: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;
    let head: Buffer = Buffer.alloc(0);
    let status = 0;
    /** Bytes of the body still to come; -1 while the head is incomplete, -2 for a chunked body. */
    let missing = -1;
    let kept: Buffer[] = [];
    let closed = false;

    const finish = () => {
      const chunks = kept;
      const answer: Answer = { status, text: () => Buffer.concat(chunks).toString('utf8').slice(0, 400) };
      head = Buffer.alloc(0);
      missing = -1;
      kept = [];
      settle?.resolve(answer);
    };

    socket.on('data', (chunk: Buffer) => {
      let body = chunk;
      if (missing === -1) {
        head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) return;
        const lines = head.subarray(0, end).toString('latin1').toLowerCase();
        status = Number(lines.slice(9, 12));
        const length = /\r\ncontent-length: *(\d+)/.exec(lines)?.[1];
        if (/\r\nconnection: *close/.test(lines)) closed = true;
        missing = length === undefined ? (lines.includes('transfer-encoding: chunked') ? -2 : 0) : Number(length);
        body = head.subarray(end + 4);
      }
      if (status >= 400) kept.push(body);
      if (missing === -2) {
        if (body.length >= 5 && body.subarray(-5).toString('latin1') === '0\r\n\r\n') finish();
        return;
      }
      missing -= body.length;
      if (missing <= 0) finish();
    });
    socket.on('error', (error) => (settle ? settle.reject(error) : reject(error)));
    socket.on('close', () => {
      closed = true;
      settle?.reject(new Error('the server closed the connection'));
    });
    socket.on('connect', () =>
      resolve({
        exchange: (request) =>
          new Promise<Answer>((done, failed) => {
            settle = { resolve: done, reject: failed };
            if (socket.destroyed) failed(new Error('the server closed the connection'));
            else socket.write(request);
          }),
        isClosed: () => closed,
        close: () => {
          settle = undefined;
          socket.destroy();
        },
      }),
    );
  });
}
