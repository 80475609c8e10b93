// The tunnel of an EC2 Instance Connect endpoint (J4): `wss://eice-….ec2-instance-connect-endpoint.REGION.amazonaws.com/openTunnel?…`, a presigned URL as the
// AWS CLI's `ec2-instance-connect open-tunnel` makes it (awscli/customizations/ec2instanceconnect, read 2026-11-21). Bytes of TCP in binary messages.
// Order of checks: the signature, the parameters, the endpoint, permission, then the network, which is not asked before the upgrade: what packets
// cannot reach is a connection that closes. Refusals are JSON, `{ ErrorCode, Message }`, and the upgrade fails. Those of RemotePort and of a target
// out of reach were seen in issues of AWS's tools; the others follow them.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { ipToNumber } from '@postern/network/cidr.ts';
import type { InstanceConnectEndpointId, Ipv4 } from '@postern/network/snapshot.ts';
import { anonymous } from './authorize/principal.ts';
import { headOf, identify, newRequestId, queryValue, verify } from './edge/edge.ts';
import { AwsError } from './errors.ts';
import { acceptWebSocket, closeCodes, webSocketKey } from './front-door/websocket.ts';
import type { RequestPath } from './path.ts';
import {
  type CallFacts,
  eventOf,
  identifyCaller,
  isRegion,
  lookupIn,
  type PipelineParts,
  type Progress,
} from './pipeline.ts';
import type { Call, Permission, Service } from './service.ts';
import type { InstanceConnectEndpointRow } from './store/rows/ec2.ts';

export const tunnelPath = '/openTunnel';
/** AWS lets an endpoint reach these and no others. */
export const tunnelPorts: readonly number[] = [22, 3389];
const maxDurationSeconds = 3600;
const maxConnections = 20;
const serviceName = 'ec2-instance-connect';

/** Opens a TCP connection from an endpoint's interface. Rejects when packets cannot make it. */
export type DialThrough = (
  endpointId: InstanceConnectEndpointId,
  address: Ipv4,
  port: number,
  clientIp: Ipv4,
) => Promise<Duplex>;

interface Question {
  readonly endpointId: string;
  readonly address: Ipv4;
  readonly port: number;
  readonly durationSeconds: number;
}

/** Takes the upgrade of `GET /openTunnel`. */
export type TunnelServer = (request: IncomingMessage, socket: Duplex, head: Buffer, path: RequestPath) => Promise<void>;

const invalid = (name: string, expected: string) =>
  new AwsError(
    'InvalidParameter',
    400,
    `The specified ${name} is not valid. Specify ${expected} and retry your request.`,
  );

export function createTunnelServer(parts: PipelineParts, service: Service, dial: DialThrough): TunnelServer {
  const open = new Map<string, number>();
  return async (request, socket, head, path) => {
    socket.on('error', () => socket.destroy());
    const startedAt = performance.now();
    const now = parts.clock();
    const requestHead = headOf(request);
    const progress: Progress = { identified: identify(requestHead), principal: anonymous };
    const requestId = newRequestId('rest-json');
    let failure: unknown;
    let admitted: { question: Question; row: InstanceConnectEndpointRow; key: string } | undefined;
    try {
      admitted = admit(request, progress);
    } catch (error) {
      failure = error;
      if (!(error instanceof AwsError)) parts.log(`request ${requestId}: ${(error as Error).stack ?? String(error)}`);
    }
    const status = admitted ? 101 : failure instanceof AwsError ? failure.status : 500;
    const exchange = { head: requestHead, path };
    const event = eventOf(exchange, progress, requestId, now, status, failure, performance.now() - startedAt);
    parts.record({ ...event, service: serviceName, operation: 'OpenTunnel' }, progress.asked?.decisions ?? []);
    if (!admitted) return refuse(socket, failure, requestId);
    await carry(admitted);

    function admit(asked: IncomingMessage, known: Progress) {
      const key = webSocketKey(asked);
      if (key === undefined) throw new AwsError('BadRequest', 400, 'A WebSocket upgrade is expected.');
      const { identified } = known;
      if (identified.scope && identified.scope.service !== serviceName)
        throw new AwsError(
          'InvalidSignature',
          403,
          `Credential should be scoped to correct service: '${serviceName}'.`,
        );
      const signer = verify(identified, { lookup: lookupIn(parts), now, isRegion }, Buffer.alloc(0));
      const accessKey = identifyCaller(parts, known, signer);
      const question = questionOf((name) => queryValue(requestHead, name));
      const facts = factsOf(known);
      const authorization = parts.authorizer.open(facts, service, accessKey);
      known.asked = authorization;
      const row = parts.store.read((tx) => {
        const call: Call = { ...facts, tx, require: authorization.require, allows: authorization.allows };
        const found = endpointOf(call, question.endpointId);
        authorization.authorize(call, {}, () => [permissionOf(call, question, found)]);
        return found;
      });
      if (!row) throw invalid('InstanceConnectEndpointId', 'an EC2 Instance Connect Endpoint that exists');
      if (parts.settings.quotas === 'aws' && (open.get(row.id) ?? 0) >= maxConnections)
        throw new AwsError('ConnectionLimitExceeded', 429, 'The maximum number of connections has been reached.');
      return { question, row, key };
    }

    function factsOf({ identified, principal, accessKeyId }: Progress): CallFacts {
      return {
        service: serviceName,
        operation: 'OpenTunnel',
        requestId,
        region: identified.region,
        partition: identified.partition,
        accountId: principal.accountId,
        principal,
        ...(accessKeyId !== undefined && { accessKeyId }),
        path,
        now,
        settings: parts.settings,
        host: requestHead.headers.host ?? '',
        headers: requestHead.headers,
        url: requestHead.url,
      };
    }

    async function carry({ question, row, key }: NonNullable<typeof admitted>): Promise<void> {
      const stream = acceptWebSocket(key, socket, head, requestId);
      open.set(row.id, (open.get(row.id) ?? 0) + 1);
      stream.once('close', () => open.set(row.id, (open.get(row.id) ?? 1) - 1));
      stream.on('error', () => stream.destroy());
      let far: Duplex;
      try {
        far = await dial(row.id, question.address, question.port, path.sourceIp);
      } catch {
        stream.close(closeCodes.failed, 'Unable to connect to target');
        return;
      }
      const timer = setTimeout(() => {
        stream.close(closeCodes.normal, 'The maximum duration of the tunnel is over');
        far.destroy();
      }, question.durationSeconds * 1000);
      stream.pipe(far).pipe(stream);
      far.on('error', () => stream.close(closeCodes.failed, 'The connection to the target was lost'));
      far.on('close', () => {
        clearTimeout(timer);
        stream.close(closeCodes.failed, 'The connection to the target was lost');
      });
      stream.on('close', () => far.destroy());
      if (stream.destroyed) far.destroy();
    }
  };
}

function questionOf(parameter: (name: string) => string | undefined): Question {
  const port = Number(parameter('remotePort'));
  if (!tunnelPorts.includes(port)) throw invalid('RemotePort', 'either 22 or 3389 as the RemotePort');
  const address = parameter('privateIpAddress') ?? '';
  if (ipToNumber(address) === undefined) throw invalid('PrivateIpAddress', 'an IPv4 address');
  const duration = parameter('maxTunnelDuration') ?? String(maxDurationSeconds);
  if (!/^\d+$/.test(duration) || Number(duration) < 1 || Number(duration) > maxDurationSeconds)
    throw invalid('MaxTunnelDuration', `1 to ${maxDurationSeconds} seconds`);
  return {
    endpointId: parameter('instanceConnectEndpointId') ?? '',
    address,
    port,
    durationSeconds: Number(duration),
  };
}

function endpointOf(call: Call, id: string): InstanceConnectEndpointRow | undefined {
  const row = call.tx.get('instance-connect-endpoint', id);
  return row?.accountId === call.accountId && row.region === call.region ? row : undefined;
}

/** https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/permissions-for-ec2-instance-connect-endpoint.html (read 2026-11-21). */
function permissionOf(call: Call, question: Question, row: InstanceConnectEndpointRow | undefined): Permission {
  const tags = Object.entries(row?.tags ?? {}).map(([key, value]) => [`aws:ResourceTag/${key}`, [value]] as const);
  return {
    action: `${serviceName}:OpenTunnel`,
    resource: `arn:${call.partition}:ec2:${call.region}:${call.accountId}:instance-connect-endpoint/${question.endpointId}`,
    context: {
      [`${serviceName}:remotePort`]: [String(question.port)],
      [`${serviceName}:privateIpAddress`]: [question.address],
      [`${serviceName}:maxTunnelDuration`]: [String(question.durationSeconds)],
      ...Object.fromEntries(tags),
    },
  };
}

function refuse(socket: Duplex, failure: unknown, requestId: string): void {
  const [code, status, message] =
    failure instanceof AwsError
      ? [failure.code.replace(/Exception$/, ''), failure.status, failure.message]
      : ['InternalError', 500, 'An internal error has occurred'];
  const body = JSON.stringify({ ErrorCode: code, Message: message });
  const denied = code === 'AccessDenied' ? 403 : status;
  socket.end(
    `HTTP/1.1 ${denied} Refused\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nx-amzn-RequestId: ${requestId}\r\nConnection: close\r\n\r\n${body}`,
  );
}
