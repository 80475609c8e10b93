// The API figures: each operation, signed and authorized, at concurrency 1 and 16, beside a bare node:http server that sends the same number of
// bytes, and beside moto_server where one is installed. All three in one run, in turn, driven by the same generator.

import { type ChildProcess, spawn } from 'node:child_process';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type Load, type LoadOptions, load } from './load.ts';
import { type ProcessorTime, processorTime } from './processor.ts';
import { type Credentials, signedRequest, type Wanted } from './signing.ts';

export interface Target {
  readonly name: string;
  /** Whose processor time is told; none for moto, whose requests per second say enough. */
  readonly processId?: number | undefined;
  readonly port: number;
  readonly credentials: Credentials;
}

interface Case {
  readonly name: string;
  /** Goals as ratios: to the bare server, and to moto. */
  readonly bareGoal: number;
  readonly motoGoal: number;
  /** What the bare server does too in a further figure, the floor: see bare-server.ts. */
  readonly floor?: 'put' | 'get' | 'signature' | 'commit';
  readonly wanted: (index: number, ids: Ids) => Omit<Wanted, 'host' | 'region'>;
}

interface Ids {
  readonly vpcId: string;
  readonly groupId: string;
}

const query = (parameters: Record<string, string>) => ({
  service: 'ec2',
  method: 'POST',
  path: '/',
  headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
  body: Buffer.from(new URLSearchParams({ Version: '2016-11-15', ...parameters }).toString()),
});
const object = (method: string, key: string, body = Buffer.alloc(0)) => ({
  service: 's3',
  method,
  path: `/bench/${key}`,
  body,
});

const kibibyte = Buffer.alloc(1024, 'k');
const eightMebibytes = Buffer.alloc(8 * 1024 * 1024, 'm');
let serial = 0;

export const cases: readonly Case[] = [
  {
    name: 'DescribeVpcs',
    bareGoal: 0.3,
    motoGoal: 20,
    floor: 'signature',
    wanted: () => query({ Action: 'DescribeVpcs' }),
  },
  { name: 'DescribeSubnets (1,000)', bareGoal: 0.3, motoGoal: 20, wanted: () => query({ Action: 'DescribeSubnets' }) },
  {
    name: 'CreateVpc',
    bareGoal: 0.3,
    motoGoal: 20,
    floor: 'commit',
    wanted: () => query({ Action: 'CreateVpc', CidrBlock: '10.9.0.0/16' }),
  },
  {
    name: 'CreateSecurityGroup',
    bareGoal: 0.3,
    motoGoal: 20,
    floor: 'commit',
    wanted: (_index, ids) =>
      query({
        Action: 'CreateSecurityGroup',
        GroupName: `bench-${serial++}`,
        GroupDescription: 'bench',
        VpcId: ids.vpcId,
      }),
  },
  {
    name: 'AuthorizeSecurityGroupIngress',
    bareGoal: 0.3,
    motoGoal: 20,
    floor: 'commit',
    wanted: (_index, ids) => {
      const one = serial++;
      return query({
        Action: 'AuthorizeSecurityGroupIngress',
        GroupId: ids.groupId,
        'IpPermissions.1.IpProtocol': 'tcp',
        'IpPermissions.1.FromPort': '443',
        'IpPermissions.1.ToPort': '443',
        'IpPermissions.1.IpRanges.1.CidrIp': `10.${(one >> 16) & 255}.${(one >> 8) & 255}.${one & 255}/32`,
      });
    },
  },
  {
    name: 'S3 put 1 KiB',
    bareGoal: 0.3,
    motoGoal: 20,
    floor: 'commit',
    wanted: (index) => object('PUT', `small-${index % 100}`, kibibyte),
  },
  { name: 'S3 get 1 KiB', bareGoal: 0.3, motoGoal: 20, floor: 'signature', wanted: () => object('GET', 'small-0') },
  {
    name: 'S3 put 8 MiB',
    bareGoal: 0.7,
    motoGoal: 2,
    floor: 'put',
    wanted: (index) => object('PUT', `large-${index % 4}`, eightMebibytes),
  },
  { name: 'S3 get 8 MiB', bareGoal: 0.7, motoGoal: 2, floor: 'get', wanted: () => object('GET', 'large-0') },
];

/** A case whose requests differ is signed for each request beforehand, so that signing is not measured. */
function prepared(one: Case, target: Target, ids: Ids, count: number): Buffer[] {
  const host = `127.0.0.1:${target.port}`;
  return Array.from({ length: count }, (_, index) =>
    signedRequest({ ...one.wanted(index, ids), host, region: 'us-east-1' }, target.credentials),
  );
}

export function requestsOf(
  one: Case,
  target: Target,
  ids: Ids,
  perSecond: number,
  durationMs: number,
): (index: number) => Buffer {
  const distinct = one.name.startsWith('CreateSecurityGroup') || one.name.startsWith('Authorize');
  const few = one.name.includes('8 MiB') ? 4 : one.name.includes('put 1 KiB') ? 100 : 1;
  const buffers = prepared(one, target, ids, distinct ? Math.ceil((perSecond * durationMs) / 1000) + 100 : few);
  return (index) => buffers[index % buffers.length] as Buffer;
}

export async function once(target: Target, wanted: Omit<Wanted, 'host' | 'region'>): Promise<string> {
  const bytes = signedRequest(
    {
      ...wanted,
      host: `127.0.0.1:${target.port}`,
      region: 'us-east-1',
      headers: { ...wanted.headers, connection: 'close' },
    },
    target.credentials,
  );
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = net.connect(target.port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
    socket.on('error', reject);
  });
}

export async function furnish(target: Target, subnets = 1000): Promise<Ids> {
  const find = (text: string, tag: string) =>
    new RegExp(`<${tag}>([^<]+)</${tag}>`).exec(text)?.[1] ?? fail(target, text);
  const vpcId = find(await once(target, query({ Action: 'CreateVpc', CidrBlock: '10.0.0.0/16' })), 'vpcId');
  for (let index = 0; index < subnets; index += 1) {
    const cidr = `10.0.${index >> 4}.${(index & 15) * 16}/28`;
    await once(target, query({ Action: 'CreateSubnet', VpcId: vpcId, CidrBlock: cidr }));
  }
  const groupId = find(
    await once(
      target,
      query({ Action: 'CreateSecurityGroup', GroupName: 'bench', GroupDescription: 'bench', VpcId: vpcId }),
    ),
    'groupId',
  );
  await once(target, { service: 's3', method: 'PUT', path: '/bench', body: Buffer.alloc(0) });
  await once(target, object('PUT', 'small-0', kibibyte));
  await once(target, object('PUT', 'large-0', eightMebibytes));
  return { vpcId, groupId };
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
  readonly bareGoal: number;
  readonly motoGoal: number;
}

/** @param rounds each figure is the middle of this many, the servers in turn, so that a drift of the machine reaches all alike */
export async function measureApi(
  postern: Target,
  options: {
    durationMs: number;
    rounds: number;
    /** Only the calls whose names contain this. */
    only: string;
    withMoto: boolean;
    progress: (text: string) => void;
    /** Told of each figure as it is known: a run that is cut short has shown what it measured. */
    onRow: (row: Row) => void;
  },
): Promise<void> {
  const bare = spawn(process.execPath, ['--import', 'tsx', 'bench/bare-server.ts'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const barePort = Number(await firstLine(bare));
  const moto = options.withMoto ? await startMoto() : undefined;
  try {
    options.progress('furnishing: a VPC with 1,000 subnets');
    const ids = await furnish(postern);
    const motoIds = moto ? await furnish(moto.target) : undefined;
    const bareTarget: Target = { name: 'bare', port: barePort, processId: bare.pid, credentials: postern.credentials };
    for (const one of cases) {
      if (!one.name.includes(options.only)) continue;
      const answerBytes = bodyLength(await once(postern, one.wanted(0, ids)));
      for (const concurrency of [1, 16]) {
        options.progress(`${one.name}, concurrency ${concurrency}`);
        const runs = {
          postern: [] as Measured[],
          bare: [] as Measured[],
          floor: [] as Measured[],
          moto: [] as Measured[],
        };
        await resize(barePort, answerBytes);
        for (let round = 0; round < options.rounds; round += 1) {
          const measure = (target: Target, own: Ids, expected: number) =>
            measured(target, {
              port: target.port,
              concurrency,
              durationMs: options.durationMs,
              request: requestsOf(one, target, own, expected, options.durationMs),
            });
          // Both are compiled code only after some thousand requests; nobody is measured cold.
          if (round === 0) {
            await measure(postern, ids, 9000);
            await measure(bareTarget, ids, 100);
          }
          runs.postern.push(await measure(postern, ids, 9000));
          runs.bare.push(await measure(bareTarget, ids, 100));
          if (one.floor) {
            await resize(barePort, answerBytes, one.floor, postern.credentials.secretAccessKey);
            // It is compiled code only after some requests too.
            if (round === 0) await measure(bareTarget, ids, 100);
            runs.floor.push(await measure(bareTarget, ids, 100));
            await resize(barePort, answerBytes);
          }
          if (moto && motoIds) runs.moto.push(await measure(moto.target, motoIds, 1500));
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
        });
      }
    }
  } finally {
    bare.stdin?.end();
    moto?.end();
  }
}

/** A load, and what it cost the server's process per request. */
export type Measured = Load & { readonly processor?: ProcessorTime };

async function measured(target: Target, options: LoadOptions): Promise<Measured> {
  if (target.processId === undefined) return load(options);
  const before = processorTime(target.processId);
  const done = await load(options);
  const after = processorTime(target.processId);
  const each = (from: number, to: number) => (to - from) / done.count;
  const processor = { mainUs: each(before.mainUs, after.mainUs), allUs: each(before.allUs, after.allUs) };
  return { ...done, processor };
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
