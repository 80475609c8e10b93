// The tunnel of an EC2 Instance Connect endpoint (J4): `wss://eice-….ec2-instance-connect-endpoint.REGION.amazonaws.com/openTunnel?…`, a presigned URL as the
// AWS CLI's `ec2-instance-connect open-tunnel` makes it (awscli/customizations/ec2instanceconnect, read 2026-11-21). Bytes of TCP in binary messages.
// Order of checks: the signature, the parameters, the endpoint, permission, then the network, which is not asked before the upgrade: what packets
// cannot reach is a connection that closes. Refusals are JSON, `{ ErrorCode, Message }`, and the upgrade fails. Those of RemotePort and of a target
// out of reach were seen in issues of AWS's tools; the others follow them.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { acceptWebSocket, closeCodes, webSocketKey } from '@postern/guest/wire/websocket.ts';
import { ipToNumber } from '@postern/network/cidr.ts';
import type { InstanceConnectEndpointId, Ipv4 } from '@postern/network/snapshot.ts';
import { queryValue } from './edge/edge.ts';
import { AwsError } from './errors.ts';
import { WebSocketStream } from './front-door/websocket.ts';
import type { RequestPath } from './path.ts';
import type { PipelineParts } from './pipeline.ts';
import type { Call, Permission, Service } from './service.ts';
import { SideDoor } from './side-door.ts';
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
    const door = new SideDoor({ parts, service, operation: 'OpenTunnel', request, path });
    let admitted: Admitted | undefined;
    let failure: unknown;
    try {
      admitted = admit(door, request);
    } catch (error) {
      failure = error;
    }
    door.record(101, failure);
    if (!admitted) return refuse(socket, failure, door.requestId);
    await carry(admitted);

    async function carry({ question, row, key }: Admitted): Promise<void> {
      const stream = new WebSocketStream(acceptWebSocket(key, socket, head, door.requestId));
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

  function admit(door: SideDoor, request: IncomingMessage): Admitted {
    const key = webSocketKey(request);
    if (key === undefined) throw new AwsError('BadRequest', 400, 'A WebSocket upgrade is expected.');
    door.verify(Buffer.alloc(0));
    const question = questionOf((name) => queryValue(door.head, name));
    const row = door.authorize(
      (call) => endpointOf(call, question.endpointId),
      (call, found) => permissionOf(call, question, found),
    );
    if (!row) throw invalid('InstanceConnectEndpointId', 'an EC2 Instance Connect Endpoint that exists');
    if (parts.settings.quotas === 'aws' && (open.get(row.id) ?? 0) >= maxConnections)
      throw new AwsError('ConnectionLimitExceeded', 429, 'The maximum number of connections has been reached.');
    return { question, row, key };
  }
}

interface Admitted {
  readonly question: Question;
  readonly row: InstanceConnectEndpointRow;
  readonly key: string;
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
