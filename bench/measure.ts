// One table of figures: each case, signed and authorized, at concurrency 1 and 16, beside a bare node:http server that sends the same number of
// bytes, and beside moto_server where one is installed. All in one run, in turn, driven by the same generator. The cases are api.ts's and s3.ts's.

import { type ChildProcess, spawn } from 'node:child_process';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type Load, type LoadOptions, load } from './load.ts';
import { forgetPeak, type ProcessorTime, peakBytes, processorTime } from './processor.ts';
import { type Credentials, signedRequest, type Wanted } from './signing.ts';

export interface Target {
  readonly name: string;
  /** Whose processor time is told; none for moto, whose requests per second say enough. */
  readonly processId?: number | undefined;
  readonly port: number;
  readonly credentials: Credentials;
}

/** What a request is made of; host and region are the harness's. */
export type Request = Omit<Wanted, 'host' | 'region'>;

export interface Case<Ids> {
  readonly name: string;
  /** Goals as ratios: to the bare server, and to moto. */
  readonly bareGoal?: number;
  readonly motoGoal?: number;
  /** A goal for the middle of the latencies, one at a time. */
  readonly p50GoalMs?: number;
  /** What the bare server does too in a further figure, the floor: see bare-server.ts. */
  readonly floor?: 'put' | 'get' | 'signature' | 'commit';
  readonly wanted: (index: number, ids: Ids) => Request;
  /** How many different requests there are, signed beforehand; they are sent in turn. `each`: no two are the same. */
  readonly distinct: number | 'each';
  /** Exactly this many requests are sent, however long it takes, and nobody is warmed up before. */
  readonly count?: (concurrency: number) => number;
  /** Of the answer's body, where it is too long to look at. */
  readonly answerBytes?: number;
  /** Who signs, where it is not the account's root. */
  readonly as?: (ids: Ids) => Credentials;
  /** Sent before each measurement, for each of its requests. */
  readonly before?: (index: number, ids: Ids) => readonly Request[];
  /** False: moto would take minutes, or more memory than there is. */
  readonly withMoto?: (concurrency: number) => boolean;
}

/** No write is answered more often: so many requests that may be sent once only are made beforehand. */
const mostPerSecond = 20_000;

/** Signed beforehand, so that signing is not measured. */
function requestsOf<Ids>(one: Case<Ids>, target: Target, ids: Ids, count: number): (index: number) => Buffer {
  const host = `127.0.0.1:${target.port}`;
  const credentials = one.as?.(ids) ?? target.credentials;
  const buffers = Array.from({ length: one.distinct === 'each' ? count : Math.min(one.distinct, count) }, (_, index) =>
    signedRequest({ ...one.wanted(index, ids), host, region: 'us-east-1' }, credentials),
  );
  return (index) => buffers[index % buffers.length] as Buffer;
}

export async function once(target: Target, wanted: Request, credentials = target.credentials): Promise<string> {
  const bytes = signedRequest(
    {
      ...wanted,
      host: `127.0.0.1:${target.port}`,
      region: 'us-east-1',
      headers: { ...wanted.headers, connection: 'close' },
    },
    credentials,
  );
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = net.connect(target.port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
    socket.on('error', reject);
  });
}

/** Sends many requests, sixteen at once. */
export async function sendAll(target: Target, wanted: readonly Request[]): Promise<void> {
  if (wanted.length === 0) return;
  const host = `127.0.0.1:${target.port}`;
  const request = (index: number) =>
    signedRequest({ ...(wanted[index] as Request), host, region: 'us-east-1' }, target.credentials);
  const { failures, firstFailure } = await load({
    port: target.port,
    concurrency: 16,
    count: wanted.length,
    durationMs: Number.POSITIVE_INFINITY,
    request,
  });
  if (failures > 0) fail(target, firstFailure ?? '');
}

/** The text of an element of an answer. */
export function elementOf(target: Target, answer: string, tag: string): string {
  return new RegExp(`<${tag}>([^<]+)</${tag}>`).exec(answer)?.[1] ?? fail(target, answer);
}

function fail(target: Target, text: string): never {
  throw new Error(`${target.name} answered ${text.slice(0, 400)}`);
}

export interface Row {
  readonly name: string;
  readonly concurrency: number;
  readonly answerBytes: number;
  readonly postern: Measured;
  readonly bare: Measured;
  readonly floor?: Measured;
  readonly moto?: Measured;
  readonly bareGoal: number | undefined;
  readonly motoGoal: number | undefined;
  readonly p50GoalMs: number | undefined;
}

export interface MeasureOptions<Ids> {
  readonly cases: readonly Case<Ids>[];
  /** Makes what the cases need, in Postern and in moto. */
  readonly furnish: (target: Target) => Promise<Ids>;
  readonly durationMs: number;
  /** Each figure is the middle of this many, the servers in turn, so that a drift of the machine reaches all alike. */
  readonly rounds: number;
  /** Only the calls whose names contain one of these. */
  readonly only: readonly string[];
  readonly withMoto: boolean;
  readonly progress: (text: string) => void;
  /** Told of each figure as it is known: a run that is cut short has shown what it measured. */
  readonly onRow: (row: Row) => void;
}

export async function measureCases<Ids>(postern: Target, options: MeasureOptions<Ids>): Promise<void> {
  const bare = spawn(process.execPath, ['--import', 'tsx', 'bench/bare-server.ts'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const barePort = Number(await firstLine(bare));
  const moto = options.withMoto ? await startMoto() : undefined;
  try {
    options.progress('furnishing');
    const ids = await options.furnish(postern);
    const motoIds = moto ? await options.furnish(moto.target) : undefined;
    const bareTarget: Target = { name: 'bare', port: barePort, processId: bare.pid, credentials: postern.credentials };
    for (const one of options.cases) {
      if (!options.only.some((text) => one.name.includes(text))) continue;
      for (const concurrency of [1, 16]) {
        options.progress(`${one.name}, concurrency ${concurrency}`);
        await prepare(one, postern, ids, 1);
        const answerBytes = one.answerBytes ?? bodyLength(await once(postern, one.wanted(0, ids), one.as?.(ids)));
        const runs = {
          postern: [] as Measured[],
          bare: [] as Measured[],
          floor: [] as Measured[],
          moto: [] as Measured[],
        };
        await resize(barePort, answerBytes);
        const count = one.count?.(concurrency);
        const measure = async (target: Target, own: Ids, perSecond: number) => {
          const most = count ?? Math.ceil((perSecond * options.durationMs) / 1000) + 100;
          if (target !== bareTarget) await prepare(one, target, own, most);
          return measured(target, {
            port: target.port,
            concurrency,
            durationMs: count === undefined ? options.durationMs : Number.POSITIVE_INFINITY,
            ...(count !== undefined && { count }),
            request: requestsOf(one, target, own, most),
          });
        };
        const isMeasuredCold = count !== undefined;
        for (let round = 0; round < options.rounds; round += 1) {
          // Both are compiled code only after some thousand requests; nobody is measured cold.
          if (round === 0 && !isMeasuredCold) {
            await measure(postern, ids, mostPerSecond);
            await measure(bareTarget, ids, 100);
          }
          runs.postern.push(await measure(postern, ids, mostPerSecond));
          runs.bare.push(await measure(bareTarget, ids, 100));
          if (one.floor) {
            await resize(barePort, answerBytes, one.floor, (one.as?.(ids) ?? postern.credentials).secretAccessKey);
            // It is compiled code only after some requests too.
            if (round === 0 && !isMeasuredCold) await measure(bareTarget, ids, 100);
            runs.floor.push(await measure(bareTarget, ids, 100));
            await resize(barePort, answerBytes);
          }
          if (moto && motoIds && (one.withMoto?.(concurrency) ?? true))
            runs.moto.push(await measure(moto.target, motoIds, 1500));
        }
        const motoRun = middle(runs.moto);
        const floorRun = middle(runs.floor);
        const own = middle(runs.postern);
        const bareRun = middle(runs.bare);
        if (!own || !bareRun) throw new Error('no round was run');
        options.onRow({
          name: one.name,
          concurrency,
          answerBytes,
          postern: own,
          bare: bareRun,
          ...(floorRun && { floor: floorRun }),
          ...(motoRun && { moto: motoRun }),
          bareGoal: one.bareGoal,
          motoGoal: one.motoGoal,
          p50GoalMs: concurrency === 1 ? one.p50GoalMs : undefined,
        });
      }
    }
  } finally {
    bare.stdin?.end();
    moto?.end();
  }
}

async function prepare<Ids>(one: Case<Ids>, target: Target, ids: Ids, count: number): Promise<void> {
  if (!one.before) return;
  for (let index = 0; index < count; index += 1) await sendAll(target, one.before(index, ids));
}

/** A load, what it cost the server's process per request, and the most memory that the process had meanwhile. */
export type Measured = Load & { readonly processor?: ProcessorTime; readonly peakBytes?: number };

async function measured(target: Target, options: LoadOptions): Promise<Measured> {
  if (target.processId === undefined) return load(options);
  forgetPeak(target.processId);
  const before = processorTime(target.processId);
  const done = await load(options);
  const after = processorTime(target.processId);
  const each = (from: number, to: number) => (to - from) / done.count;
  const processor = { mainUs: each(before.mainUs, after.mainUs), allUs: each(before.allUs, after.allUs) };
  return { ...done, processor, peakBytes: peakBytes(target.processId) };
}

function middle(loads: readonly Measured[]): Measured | undefined {
  return [...loads].sort((a, b) => a.perSecond - b.perSecond)[Math.floor(loads.length / 2)];
}

function bodyLength(answer: string): number {
  return answer.length - answer.indexOf('\r\n\r\n') - 4;
}

async function resize(port: number, bytes: number, floor = '', secret = ''): Promise<void> {
  const settings = new URLSearchParams({ bytes: String(bytes), floor, secret });
  const response = await fetch(`http://127.0.0.1:${port}/size?${settings}`, { method: 'POST' });
  await response.arrayBuffer();
}

export function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('\n')) resolve(text.split('\n')[0] ?? '');
    });
    child.on('exit', (code) => reject(new Error(`it ended with ${code} before it said anything`)));
  });
}

async function startMoto(): Promise<{ target: Target; end: () => void } | undefined> {
  const port = 20_000 + Math.floor(Math.random() * 10_000);
  // It must not outlive the benchmark, however that ends.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'moto_server', '-H', '127.0.0.1', '-p', String(port)], {
    stdio: 'ignore',
  });
  let gone = false;
  child.on('error', () => {
    gone = true;
  });
  child.on('exit', () => {
    gone = true;
  });
  const target = { name: 'moto', port, credentials: { accessKeyId: 'testing', secretAccessKey: 'testing' } };
  for (let tries = 0; tries < 200 && !gone; tries += 1) {
    try {
      await fetch(`http://127.0.0.1:${port}/`);
      return { target, end: () => child.kill('SIGTERM') };
    } catch {
      await delay(100);
    }
  }
  return undefined;
}
