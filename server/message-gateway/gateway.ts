// Systems Manager's message gateway (`ssmmessages`): the channels that agents open, over the VPC's packets and with their role's own credentials, and that
// the service speaks through. Nothing goes to an instance by another way. The protocol is the one of AWS's agent (aws/amazon-ssm-agent,
// agent/session/service and controlchannel, read 2026-11-21): a signed POST gives a token, a signed WebSocket shows it in its first frame.
// Order of checks: signature, endpoint, permission, then whether the caller is the instance that it speaks for.

import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { acceptWebSocket, closeCodes, type WebSocketEnd, webSocketKey } from '@postern/guest/wire/websocket.ts';
import { readWhole } from '../edge/edge.ts';
import { AwsError } from '../errors.ts';
import type { OpenChannels } from '../open-channels.ts';
import type { RequestPath } from '../path.ts';
import type { PipelineParts } from '../pipeline.ts';
import type { Service } from '../service.ts';
import { denied } from '../services/ssm/errors.ts';
import { callingInstance } from '../services/ssm/managed-instances.ts';
import { SideDoor } from '../side-door.ts';
import { AgentLine } from './agent-line.ts';
import { Deliveries } from './deliveries.ts';

/** It has no operation of the catalogue; policies know it by this name. */
const service: Service = { name: 'ssmmessages', operations: {}, denied };

const schemaVersion = '1.0';
const tokenLifeMs = 60_000;
const firstFrameMs = 15_000;
/** A side that says nothing for so long is asked; for three times as long, it is gone. */
const quietMs = 15_000;

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
  const lines = new Set<AgentLine>();
  let watch: NodeJS.Timeout | undefined;

  /** @throws AwsError */
  function speaksFor(door: SideDoor, operation: string, instanceId: string): void {
    const caller = door.authorize(callingInstance, () => ({ action: `ssmmessages:${operation}`, resource: '*' }));
    // AWS's code; the wording is ours.
    if (caller !== instanceId)
      throw new AwsError('AccessDeniedException', 400, `The caller's credentials are not those of ${instanceId}.`);
  }

  function newToken(channelId: string, now: Date): string {
    for (const [token, { expiresAtMs }] of tokens) if (expiresAtMs < now.getTime()) tokens.delete(token);
    const token = randomBytes(48).toString('base64url');
    tokens.set(token, { channelId, expiresAtMs: now.getTime() + tokenLifeMs });
    return token;
  }

  function isGood(token: string | undefined, channelId: string, now: Date): boolean {
    const known = tokens.get(token ?? '');
    tokens.delete(token ?? '');
    return known?.channelId === channelId && known.expiresAtMs >= now.getTime();
  }

  function keepWatch(line: AgentLine): void {
    lines.add(line);
    watch ??= setInterval(() => {
      for (const one of lines) one.watch(quietMs);
    }, quietMs).unref();
  }

  function letGo(line: AgentLine): void {
    lines.delete(line);
    if (lines.size > 0) return;
    clearInterval(watch);
    watch = undefined;
  }

  /** The first frame has the token; after it the channel is open. */
  function open(instanceId: string, end: WebSocketEnd): void {
    let line: AgentLine | undefined;
    const tooLate = setTimeout(() => end.close(closeCodes.failed, 'no token came'), firstFrameMs);
    end.listen({
      message: (payload, isText) => {
        if (line) return void line.take(payload);
        clearTimeout(tooLate);
        if (!isText || !isGood(tokenIn(payload), instanceId, parts.clock()))
          return void end.close(closeCodes.unacceptable, 'the token is not valid');
        line = new AgentLine(instanceId, end, deliveries);
        keepWatch(line);
        channels.opened(instanceId, line);
        deliveries.begin(instanceId);
      },
      heard: () => line?.heard(),
      close: () => {
        clearTimeout(tooLate);
        if (!line) return;
        channels.closed(instanceId, line);
        letGo(line);
      },
    });
  }

  return {
    async request(request, response, path) {
      const [, kind = '', id = ''] = channelPath.exec(request.url ?? '') ?? [];
      const operation = kind === 'control' ? 'CreateControlChannel' : 'CreateDataChannel';
      const door = new SideDoor({ parts, service, operation, request, path });
      let failure: unknown;
      let token = '';
      try {
        const body = await readWhole(request, 'rest-json', undefined, request.headers['content-length']);
        door.verify(body);
        speaksFor(door, operation, id);
        token = newToken(id, door.now);
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
      const [, , id = ''] = channelPath.exec(request.url ?? '') ?? [];
      const operation = 'OpenControlChannel';
      const door = new SideDoor({ parts, service, operation, request, path });
      const key = webSocketKey(request);
      let failure: unknown;
      try {
        if (key === undefined) throw new AwsError('BadRequest', 400, 'A WebSocket upgrade is expected.');
        door.verify(Buffer.alloc(0));
        speaksFor(door, operation, id);
      } catch (error) {
        failure = error;
      }
      const status = door.record(101, failure);
      if (failure !== undefined || key === undefined) return void refuse(socket, status, failure, door.requestId);
      open(id, acceptWebSocket(key, socket, head, door.requestId));
    },
  };
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
