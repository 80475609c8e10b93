// Puts the rooms together: the store, the services and the pipeline on one side, the fabric, the machines and the control loop on the other, the
// front door and the operator's endpoints between them. Nothing is decided here.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { dirname, join } from 'node:path';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { LinuxMachines } from '@postern/fabric/machine/machines.ts';
import { createNetworkFabric } from '@postern/fabric/network-fabric.ts';
import { addressPlan } from '@postern/network/addresses.ts';
import { certifiedName } from '@postern/network/endpoint-services.ts';
import { resolve } from '@postern/network/names.ts';
import { emptySnapshot, type Snapshot } from '@postern/network/snapshot.ts';
import {
  addAccount,
  asOwner,
  createAccount,
  defaultAccountId,
  ensureFirstState,
  ensureRootKey,
  openAuthKey,
  rootKeyOf,
} from './accounts.ts';
import { createServiceCaller } from './as-service.ts';
import { createAuthorizer } from './authorize/authorize.ts';
import type { ServerConfiguration } from './configuration.ts';
import { startControl, systemClock } from './control/loop.ts';
import { buildSnapshot } from './control/snapshot.ts';
import { createEdge } from './edge/edge.ts';
import { partitionOf } from './edge/head.ts';
import { checkCloud } from './estate/check-cloud.ts';
import { FlowLogs } from './flow-logs/flow-logs.ts';
import { openCertificateAuthority } from './front-door/certificates.ts';
import { startFrontDoor } from './front-door/front-door.ts';
import { createMetadata } from './front-door/imds/server.ts';
import { sniffTls, terminateTls, tlsOf } from './front-door/tls.ts';
import { managedPolicyDocument } from './managed-policies.ts';
import { createMessageGateway, isForGateway } from './message-gateway/gateway.ts';
import { createTunnelServer, tunnelPath } from './open-tunnel.ts';
import type { AccountSummary } from './operator/api.ts';
import { execSession } from './operator/exec-session.ts';
import { type Cloud, Operator, OperatorFailure } from './operator/operator.ts';
import type { RequestPath } from './path.ts';
import { createPipeline, type PipelineParts } from './pipeline.ts';
import { reachAnswer } from './reach.ts';
import { createRoads, instanceOf } from './roads.ts';
import type { Settings } from './service.ts';
import { ensureRegion } from './services/ec2/default-vpc.ts';
import { ec2InstanceConnect, putKey } from './services/ec2-instance-connect/index.ts';
import { issueInstanceCredentials } from './services/sts/instance-credentials.ts';
import { createServices } from './services.ts';
import { commitsInJournal } from './store/commits.ts';
import type { AccessKeyRow, AccountRow } from './store/rows/iam.ts';
import { Store, type Transaction } from './store/store.ts';
import { TrailDelivery } from './trail/delivery.ts';
import { instanceRoleEvent } from './trail/own-events.ts';
import { Trail } from './trail/trail.ts';
import { putLogFile } from './trail-files.ts';
import { EvidenceLog } from './why/evidence.ts';
import { isServiceTarget } from './why/target.ts';
import { traceFlow } from './why/trace.ts';
import { createWhy } from './why/why.ts';

export interface CloudParts {
  readonly configuration: ServerConfiguration;
  readonly token: string;
  readonly log: (text: string) => void;
  /** The disk refused a commit: nothing may be answered any more. */
  readonly onBroken: (error: Error) => void;
}

export interface RunningCloud {
  /** Takes a connection of the loopback listener. */
  accept(socket: Socket): void;
  environment(): Record<string, string>;
  onShutdown(end: () => void): void;
  close(): Promise<void>;
}

/** The path of everything that comes by the loopback listener: the person's terminal, on the internet. */
const laptop = (secure: boolean): RequestPath => ({ kind: 'internet', sourceIp: addressPlan.laptop, secure });
const defaultRegion = 'us-east-1';
/** After the start, before the work that can wait. */
const settleInMs = 1000;

export async function startCloud({ configuration, token, log, onBroken }: CloudParts): Promise<RunningCloud> {
  const { dataDirectory } = configuration;
  const startedAt = new Date();
  const store = new Store(join(dataDirectory, 'postern.db'), { onBroken, commits: commitsInJournal });
  const settings: Settings = {
    auth: configuration.auth,
    strictImages: configuration.strictImages,
    quotas: configuration.quotas,
    dataDirectory,
  };
  const authority = openCertificateAuthority(dataDirectory);
  const trail = new Trail({
    file: join(dataDirectory, 'requests.jsonl'),
    onError: (error) => log(`requests are not written: ${error.message}`),
  });
  const evidence = new EvidenceLog({
    file: join(dataDirectory, 'refusals.jsonl'),
    onError: (error) => log(`what refused requests were asked is not written: ${error.message}`),
  });

  const { all: services, s3, dynamodb, channels, history } = createServices({ store, dataDirectory, log });
  await firstState(store);

  const machines = new LinuxMachines({
    imageDirectory: join(dataDirectory, 'image'),
    guestDirectory: guestDirectory(),
  });
  const fabric = createNetworkFabric({
    machines,
    ...(configuration.natIdleTimeoutSeconds !== undefined && {
      natIdleTimeoutSeconds: configuration.natIdleTimeoutSeconds,
    }),
  });
  const pipelineParts: PipelineParts = {
    store,
    services,
    authorizer: createAuthorizer({ managedPolicyDocument, serviceOf: (prefix) => services.get(prefix) }),
    settings,
    openAccount: (accessKeyId) => (settings.auth === 'open' ? openAuthKey(accessKeyId) : undefined),
    prepare: (tx, service, accountId, region, now) => prepare(tx, service, accountId, region, now),
    record: (event, progress) => {
      trail.record(event);
      evidence.keep(event.requestId, store.revision, progress.asked?.decisions ?? [], event.status >= 400);
      history.record(event, progress);
    },
    clock: () => new Date(),
    log,
  };
  const pipeline = createPipeline(pipelineParts);

  const paths = new WeakMap<Socket, RequestPath>();
  const fromLaptop = new WeakSet<Socket>();
  const edge = createEdge({
    handle: pipeline,
    pathOf: (socket) => paths.get(socket) ?? laptop(false),
    onBug: (error, requestId) => log(`request ${requestId}: ${(error as Error).stack ?? String(error)}`),
    onCut: (error, request) => log(`the answer to ${request} was cut off: ${error.message}`),
  });
  const enter = (socket: Socket, path: RequestPath) => {
    paths.set(socket, socket instanceof TLSSocket ? { ...path, tls: tlsOf(socket) } : path);
    edge.emit('connection', socket);
  };

  const metadata = createMetadata({
    store,
    dataDirectory,
    credentials: async (instanceId, delivery) => {
      const now = new Date();
      const { value, durable } = store.transact((tx) => {
        const row = tx.get('instance', instanceId);
        return row
          ? issueInstanceCredentials(tx, row, primaryAddress(tx, row.id), now, delivery)
          : ({ kind: 'none' } as const);
      });
      // A set that was given out before costs no write.
      if (durable && value.kind === 'issued') history.recordOwn(instanceRoleEvent({ ...value, instanceId, now }));
      await durable;
      return value;
    },
  });
  const snapshots = cachedSnapshot(store);
  // The addresses of AWS's side, where the front door listens, are there after the first apply.
  await fabric.apply(emptySnapshot);
  const frontDoor = await startFrontDoor({
    fabric,
    authority,
    edge: enter,
    resolve: (asker, name, type) =>
      resolve(snapshots(), asker.of, name, type, asker.of === 'internet' ? undefined : asker.sourceIp),
    certified: (vpcEndpointId, asked) => certifiedName(snapshots(), vpcEndpointId, asked),
    metadata: (socket, origin) => metadata.accept(socket, origin),
  });

  // Instances of the last run start only now: their first packets find everything there.
  const control = startControl({ store, fabric, machines, dataDirectory, caCertificate: authority.certificate, log });

  const call = createServiceCaller(pipelineParts);
  const flowLogs = new FlowLogs({ store, fabric, call, partitionOf, clock: systemClock, log });
  const deliveries = new TrailDelivery({
    ...{ store, history, log, clock: pipelineParts.clock },
    put: (trail, Key, Body, now) => putLogFile(store, call, trail, { Key, Body }, now),
  });

  const sweep = () =>
    void s3.sweep().catch((error: Error) => log(`files that belong to no object are still there: ${error.message}`));
  // Neither is needed for the first answers, and building the image holds up everything for a quarter of a second. The first machine builds it
  // if it comes earlier.
  const later = setTimeout(() => {
    try {
      machines.prepare(authority.certificate);
    } catch (error) {
      // A full disk, say: the first machine tries again and says so in its instance's state.
      log(`the image of the machines is not built: ${(error as Error).message}`);
    }
    sweep();
  }, settleInMs).unref();

  const roads = createRoads({ fabric, store, snapshots });
  const openTunnel = createTunnelServer(pipelineParts, ec2InstanceConnect, roads.dialThrough);
  const { authorizer, clock } = pipelineParts;
  const why = createWhy({
    ...{ store, snapshots, services, authorizer, settings, trail, evidence, clock },
    defaultAccountId,
  });
  let end = () => {};
  const cloud: Cloud = {
    status: () => ({
      version: configuration.version,
      endpoint: configuration.endpoint,
      startedAt: startedAt.toISOString(),
      auth: configuration.auth,
      dataDirectory,
      fabric: configuration.privileged ? 'root' : 'user namespace',
      revision: store.revision,
      settled: control.isSettled,
      memoryBytes: process.memoryUsage.rss(),
      ...store.read((tx) => ({
        accounts: tx.list('account').map((row) => row.id),
        vpcs: tx.list('vpc').length,
        peerings: tx.list('vpc-peering-connection').filter((row) => row.state === 'active').length,
        instances: {
          running: tx.list('instance').filter((row) => row.state === 'running').length,
          total: tx.list('instance').length,
        },
        buckets: tx.list('bucket').length,
      })),
    }),
    environment: (accountId) => environment(store, configuration, accountId),
    accounts: () => store.read((tx) => tx.list('account').map(toSummary)),
    createAccount: async (name) => {
      const now = new Date();
      const { value, durable } = store.transact((tx) => {
        const row = addAccount(tx, name, now);
        ensureRegion(tx, row.id, defaultRegion, now);
        return row;
      });
      await durable;
      return toSummary(value);
    },
    setProviderKeys: async (providerArn, keys) => {
      const { durable } = store.transact((tx) => {
        const row = tx.get('oidc-provider', providerArn);
        if (!row) {
          const cure = 'aws iam list-open-id-connect-providers';
          throw new OperatorFailure(404, `There is no identity provider ${providerArn}.`, cure);
        }
        tx.put('oidc-provider', { ...row, keys: [...keys] });
      });
      await durable;
    },
    reset: async () => {
      const begunAt = performance.now();
      await trail.clear();
      await evidence.clear();
      await history.clear();
      await dynamodb.reset();
      const rootKey = store.read((tx) => rootKeyOf(tx, defaultAccountId));
      store.clear();
      await firstState(store, rootKey);
      // As with every call: answered when the rows are on disk. The old machines and their network go meanwhile, and `wait` waits for it.
      control.reset().then(sweep, (error: Error) => log(`after a reset: ${error.message}`));
      return performance.now() - begunAt;
    },
    shutdown: () => end(),
    settled: async () => {
      await control.settled();
      return store.revision;
    },
    flushFlowLogs: () => flowLogs.flush(),
    requests: (filter) => trail.list(filter),
    follow: (listener) => trail.follow(listener),
    connectTarget: (instanceId, user, publicKey, via) => {
      const instance = instanceOf(store, instanceId);
      store.transact((tx) => putKey(tx, instance, user, publicKey, new Date()));
      return roads.target(instanceId, via);
    },
    tunnel: (instanceId, port, via) => roads.tunnel(instanceId, port, via),
    trace: (question) =>
      isServiceTarget(services, question.to, question.action)
        ? why.request(question)
        : traceFlow(snapshots(), question),
    why: (question) => why.why(question),
    check: (text) => checkCloud(store, snapshots(), text),
    reach: (question) => reachAnswer(snapshots(), question),
    exec: (request) => {
      const instance = instanceOf(store, request.instanceId);
      if (instance.state !== 'running' || machines.processId(instance.id) === undefined) {
        throw new OperatorFailure(
          409,
          `${request.instanceId} is ${instance.state}, not running.`,
          asOwner(
            `aws ec2 start-instances --region ${instance.region} --instance-ids ${instance.id}`,
            instance.accountId,
          ),
        );
      }
      return execSession((argv, options) => machines.exec(instance.id, argv, options), request);
    },
    caCertificate: () => authority.certificate,
  };
  const operator = new Operator(cloud, { token, auth: configuration.auth, hosts: configuration.hosts }, log);
  const gateway = createMessageGateway(pipelineParts, channels);
  const pathOf = (request: IncomingMessage) => paths.get(request.socket) ?? laptop(false);
  serveBesides(edge, {
    isOperators: (request) => request.url?.startsWith('/_postern/') === true && fromLaptop.has(request.socket),
    operator,
    gateway: {
      request: (request, response) => gateway.request(request, response, pathOf(request)),
      upgrade: (request, socket, head) => gateway.upgrade(request, socket, head, pathOf(request)),
    },
    openTunnel: (request, socket, head) => openTunnel(request, socket, head, pathOf(request)),
  });

  return {
    accept: (socket) => {
      sniffTls(socket, (tls) => {
        const serve = (plain: Socket, secure: boolean) => {
          fromLaptop.add(plain);
          enter(plain, laptop(secure));
        };
        if (tls) terminateTls(authority, socket, (decrypted) => serve(decrypted, true));
        else serve(socket, false);
      });
    },
    environment: () => environment(store, configuration),
    onShutdown: (action) => {
      end = action;
    },
    close: async () => {
      clearTimeout(later);
      edge.closeAllConnections();
      await frontDoor.close();
      await flowLogs.close();
      await control.close({ graceMs: 300 });
      await machines.close();
      await dynamodb.close();
      await deliveries.close();
      await trail.flush();
      await evidence.flush();
      await history.flush();
      s3.close();
      await store.close();
    },
  };
}

interface Besides {
  readonly isOperators: (request: IncomingMessage) => boolean;
  readonly operator: Operator;
  readonly gateway: {
    request(request: IncomingMessage, response: ServerResponse): Promise<void>;
    upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  };
  readonly openTunnel: (request: IncomingMessage, socket: Duplex, head: Buffer) => Promise<void>;
}

/**
 * What is no operation of a service. `/_postern/…` is the operator's, and only on the loopback listener: an instance that asks for it finds no such
 * thing. The channels of Systems Manager and the tunnels of instance connect endpoints are everybody's.
 */
function serveBesides(
  edge: ReturnType<typeof createEdge>,
  { isOperators, operator, gateway, openTunnel }: Besides,
): void {
  const [handler] = edge.listeners('request') as ((request: IncomingMessage, response: ServerResponse) => void)[];
  if (!handler) throw new Error('the edge serves nothing');
  edge.removeAllListeners('request');
  edge.on('request', (request, response) => {
    if (isOperators(request)) void operator.handle(request, response);
    else if (isForGateway(request)) void gateway.request(request, response);
    else handler(request, response);
  });
  edge.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (isOperators(request)) void operator.upgrade(request, socket, head);
    else if (isForGateway(request)) gateway.upgrade(request, socket, head);
    else if (request.url?.startsWith(`${tunnelPath}?`)) void openTunnel(request, socket, head);
    else socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  });
}

/** Where the guest's files are: beside the bundle, or in the source tree. */
function guestDirectory(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  return here.endsWith('/server') ? join(here, '..', 'dist', 'guest') : join(here, 'guest');
}

/** @param rootKey kept through a reset: what terminals have exported goes on working */
async function firstState(store: Store, rootKey?: AccessKeyRow): Promise<void> {
  const now = new Date();
  await store.transact((tx) => {
    const { account: row } = ensureFirstState(tx, now, rootKey);
    ensureRegion(tx, row.id, defaultRegion, now);
  }).durable;
}

function prepare(tx: Transaction, service: string, accountId: string, region: string, now: Date): void {
  if (!/^\d{12}$/.test(accountId)) return;
  if (!tx.get('account', accountId)) createAccount(tx, accountId, now);
  if (service === 'ec2') ensureRegion(tx, accountId, region, now);
}

function toSummary({ id, name, createdAt }: AccountRow): AccountSummary {
  return { accountId: id, ...(name !== undefined && { name }), createdAt };
}

function environment(
  store: Store,
  configuration: ServerConfiguration,
  accountId = defaultAccountId,
): Record<string, string> {
  if (!store.read((tx) => tx.get('account', accountId)))
    throw new OperatorFailure(404, `There is no account ${accountId}.`, 'postern account list');
  const rootKey = store.transact((tx) => ensureRootKey(tx, accountId, new Date())).value;
  return {
    AWS_ENDPOINT_URL: configuration.endpoint,
    AWS_ACCESS_KEY_ID: rootKey.id,
    AWS_SECRET_ACCESS_KEY: rootKey.secretAccessKey,
    AWS_DEFAULT_REGION: defaultRegion,
    // The SDKs for JavaScript, Go and Java read this one alone, boto3 the other.
    AWS_REGION: defaultRegion,
  };
}

function primaryAddress(tx: Transaction, instanceId: string): string {
  const rows = tx.list('network-interface').filter((row) => row.attachment?.instanceId === instanceId);
  return rows.find((row) => row.attachment?.deviceIndex === 0)?.privateAddresses[0]?.address ?? '';
}

/** One Snapshot per revision, for the resolver and the diagnosis. */
function cachedSnapshot(store: Store): () => Snapshot {
  let cached: Snapshot | undefined;
  return () => {
    if (cached?.revision !== store.revision) cached = store.read((tx) => buildSnapshot(tx, store.revision));
    return cached;
  };
}
