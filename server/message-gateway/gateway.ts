// Systems Manager's message gateway (`ssmmessages`): the channels that agents open, over the VPC's packets and with their role's own credentials, and that
// the service speaks through. Nothing goes to an instance by another way. The protocol is the one of AWS's agent (aws/amazon-ssm-agent,
// agent/session/service and controlchannel, read 2026-11-21): a signed POST gives a token, a signed WebSocket shows it in its first frame.
// Order of checks: signature, endpoint, permission, then whether the caller is the instance that it speaks for.

import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { acceptWebSocket, closeCodes, type WebSocketEnd, webSocketKey } from '@postern/guest/wire/websocket.ts';
import { decodePercent, readWhole } from '../edge/edge.ts';
import { AwsError } from '../errors.ts';
import type { OpenChannels } from '../open-channels.ts';
import type { RequestPath } from '../path.ts';
import type { PipelineParts } from '../pipeline.ts';
import type { Service } from '../service.ts';
import { denied } from '../services/ssm/errors.ts';
import { callingInstance } from '../services/ssm/managed-instances.ts';
import { SideDoor } from '../side-door.ts';
import type { Kind } from '../store/store.ts';
import { type AgentEars, AgentLine } from './agent-line.ts';
import { Deliveries } from './deliveries.ts';
import { JoinedSessions, type Side } from './joined-sessions.ts';
import { Silence } from './silence.ts';

/** It has no operation of the catalogue; policies know it by this name. */
const service: Service = { name: 'ssmmessages', operations: {}, denied };

const schemaVersion = '1.0';
const tokenLifeMs = 60_000;
const firstFrameMs = 15_000;

const channelPath = /^\/v1\/(control|data)-channel\/([^/?]+)(\?|$)/;

/** Is the request of an agent, or of a session's client? `/v1/…` alone may also be an object's key in a bucket of that name. */
export function isForGateway(request: IncomingMessage): boolean {
  // Asked of every request: most are told apart by their first letters.
  if (!request.url?.startsWith('/v1/') || !channelPath.test(request.url)) return false;
  return (
    request.headers.upgrade !== undefined ||
    (request.method === 'POST' && /\/ssmmessages\/aws4_request/.test(request.headers.authorization ?? ''))
  );
}

interface Token {
  readonly channelId: string;
  readonly expiresAtMs: number;
}

export interface MessageGateway {
  request(request: IncomingMessage, response: ServerResponse, path: RequestPath): Promise<void>;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, path: RequestPath): void;
}

export function createMessageGateway(parts: PipelineParts, channels: OpenChannels): MessageGateway {
  const tokens = new Map<string, Token>();
  const deliveries = new Deliveries(parts, channels);
  const sessions = new JoinedSessions(parts, channels);
  const silence = new Silence(() => sessions.watch());
  const ears: AgentEars = {
    acknowledged: (instanceId, jobId, isTaken) => deliveries.acknowledged(instanceId, jobId, isTaken),
    replied: (instanceId, jobId, reply) => deliveries.replied(instanceId, jobId, reply),
    completed: (instanceId, taskId) => {
      if (sessions.row(taskId)?.target === instanceId) sessions.end(taskId);
    },
  };
  let isListening = false;

  /** From the first agent on: a cloud without one has nobody to tell. */
  function followRows(): void {
    if (isListening) return;
    isListening = true;
    parts.store.onChange((changes, _revision, durable) => {
      const of = (kind: Kind) => changes.filter((change) => change.kind === kind);
      const [invocations, begun] = [of('ssm-invocation'), of('ssm-session')];
      if (invocations.length + begun.length === 0) return;
      durable.then(() => {
        deliveries.changed(invocations);
        sessions.changed(begun);
      }, doNothing);
    });
  }

  /** @throws AwsError */
  function speaksFor(door: SideDoor, operation: string, instanceId: string | undefined): void {
    const caller = door.authorize(callingInstance, () => ({ action: `ssmmessages:${operation}`, resource: '*' }));
    // AWS's code; the wording is ours.
    if (caller === undefined || caller !== instanceId)
      throw new AwsError(
        'AccessDeniedException',
        400,
        'The credentials are not those of the instance of this channel.',
      );
  }

  function newToken(channelId: string, now: Date): string {
    for (const [token, { expiresAtMs }] of tokens) if (expiresAtMs < now.getTime()) tokens.delete(token);
    const token = randomBytes(48).toString('base64url');
    tokens.set(token, { channelId, expiresAtMs: now.getTime() + tokenLifeMs });
    return token;
  }

  function isAgents(token: string, channelId: string): boolean {
    const known = tokens.get(token);
    tokens.delete(token);
    return known?.channelId === channelId && known.expiresAtMs >= parts.clock().getTime();
  }

  /** The instance that a channel belongs to: named by a control channel, of a data channel its session's. */
  const instanceOf = ({ kind, id }: Channel) => (kind === 'control' ? id : sessions.row(id)?.target);

  function beginControl(instanceId: string, end: WebSocketEnd): Begun {
    const line = new AgentLine(instanceId, end, ears);
    channels.opened(instanceId, line);
    followRows();
    deliveries.begin(instanceId);
    sessions.agentCame(instanceId);
    return { take: (payload) => line.take(payload), gone: () => channels.closed(instanceId, line) };
  }

  const beginData =
    (side: Side) =>
    (sessionId: string, end: WebSocketEnd): Begun => {
      const handOn = sessions.join(sessionId, side, end);
      const take = (payload: Buffer) => {
        try {
          handOn(payload);
        } catch {
          end.close(closeCodes.unacceptable, 'not an agent message');
        }
      };
      return { take, gone: () => sessions.left(sessionId, side, end) };
    };

  /** The first frame has the token; after it the channel is open. */
  function open(id: string, end: WebSocketEnd, isGood: (token: string) => boolean, begin: typeof beginControl): void {
    let begun: Begun | undefined;
    const tooLate = setTimeout(() => end.close(closeCodes.failed, 'no token came'), firstFrameMs);
    const watched = silence.watch(end);
    end.listen({
      message: (payload, isText) => {
        if (begun) return void begun.take(payload);
        clearTimeout(tooLate);
        const token = isText ? tokenIn(payload) : undefined;
        if (token === undefined || !isGood(token))
          return void end.close(closeCodes.unacceptable, 'the token is not valid');
        begun = begin(id, end);
      },
      heard: watched.heard,
      close: () => {
        clearTimeout(tooLate);
        watched.gone();
        begun?.gone();
      },
    });
  }

  /** A session's client signs nothing: it has the token that StartSession gave. Where no session is, or it has ended, nobody has one, not even an empty one. */
  function openForClient(sessionId: string, accept: () => WebSocketEnd): void {
    const isClients = (token: string) => {
      const known = Buffer.from(sessions.row(sessionId)?.clientToken ?? '');
      const given = Buffer.from(token);
      return known.length > 0 && given.length === known.length && timingSafeEqual(given, known);
    };
    open(sessionId, accept(), isClients, beginData('client'));
  }

  return {
    async request(request, response, path) {
      const channel = channelOf(request);
      const operation = `Create${channel.kind === 'control' ? 'Control' : 'Data'}Channel`;
      const door = new SideDoor({ parts, service, operation, request, path });
      let failure: unknown;
      let token = '';
      try {
        const body = await readWhole(request, 'rest-json', undefined, request.headers['content-length']);
        door.verify(body);
        speaksFor(door, operation, instanceOf(channel));
        token = newToken(channel.id, door.now);
      } catch (error) {
        failure = error;
      }
      const status = door.record(201, failure);
      const text =
        failure === undefined
          ? `<${operation}Response><MessageSchemaVersion>${schemaVersion}</MessageSchemaVersion><TokenValue>${token}</TokenValue></${operation}Response>`
          : errorText(failure);
      response.writeHead(status, { 'Content-Type': 'application/xml', 'x-amzn-RequestId': door.requestId });
      response.end(text);
    },
    upgrade(request, socket, head, path) {
      socket.on('error', () => socket.destroy());
      const channel = channelOf(request);
      const operation = `Open${channel.kind === 'control' ? 'Control' : 'Data'}Channel`;
      const door = new SideDoor({ parts, service, operation, request, path });
      const key = webSocketKey(request);
      if (key !== undefined && channel.kind === 'data' && request.headers.authorization === undefined)
        return openForClient(channel.id, () => acceptWebSocket(key, socket, head, door.requestId));
      let failure: unknown;
      try {
        if (key === undefined) throw new AwsError('BadRequest', 400, 'A WebSocket upgrade is expected.');
        door.verify(Buffer.alloc(0));
        speaksFor(door, operation, instanceOf(channel));
      } catch (error) {
        failure = error;
      }
      const status = door.record(101, failure);
      if (failure !== undefined || key === undefined) return refuse(socket, status, failure, door.requestId);
      const begin = channel.kind === 'control' ? beginControl : beginData('agent');
      const isGood = (token: string) => isAgents(token, channel.id);
      open(channel.id, acceptWebSocket(key, socket, head, door.requestId), isGood, begin);
    },
  };
}

const doNothing = () => {};

interface Channel {
  readonly kind: 'control' | 'data';
  /** The instance's, or the session's. */
  readonly id: string;
}

interface Begun {
  take(payload: Buffer): void;
  gone(): void;
}

function channelOf(request: IncomingMessage): Channel {
  const [, kind, id = ''] = channelPath.exec(request.url ?? '') ?? [];
  return { kind: kind === 'data' ? 'data' : 'control', id: decodePercent(id) ?? '' };
}

function tokenIn(payload: Buffer): string | undefined {
  try {
    const { TokenValue } = JSON.parse(payload.toString()) as { TokenValue?: unknown };
    return typeof TokenValue === 'string' ? TokenValue : undefined;
  } catch {
    return undefined;
  }
}

/** The agent looks for `<AccessDeniedException>` (agent/session/controlchannel); the rest of the form follows it. */
function errorText(failure: unknown): string {
  const [code, message] =
    failure instanceof AwsError
      ? [failure.code, failure.message]
      : ['InternalServerError', 'An internal error occurred.'];
  const escaped = message.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<${code}><Message>${escaped}</Message></${code}>`;
}

function refuse(socket: Duplex, status: number, failure: unknown, requestId: string): void {
  const body = errorText(failure);
  socket.end(
    `HTTP/1.1 ${status} Refused\r\nContent-Type: application/xml\r\nContent-Length: ${Buffer.byteLength(body)}\r\nx-amzn-RequestId: ${requestId}\r\nConnection: close\r\n\r\n${body}`,
  );
}
