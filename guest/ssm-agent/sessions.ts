// Sessions: a task comes by the control channel, the agent opens the session's data channel, shakes hands with the client at its other end, and runs the
// shell. Gaps: encryption by KMS, logging to S3 and CloudWatch, run-as users, ports.

import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { type AgentMessage, agentMessage, flags, payloadTypes } from '../wire/agent-message.ts';
import { DataStream } from '../wire/data-stream.ts';
import { signedHeaders } from '../wire/signature.ts';
import { closeCodes, openWebSocket, type WebSocketEnd } from '../wire/websocket.ts';
import { credentials, type Identity } from './instance.ts';
import { log } from './log.ts';
import { createChannel } from './service.ts';
import { startShell } from './shell-session.ts';

/** What a session's document and its caller say. */
export interface Task {
  readonly SessionId: string;
  readonly DocumentContent: { readonly sessionType: string; readonly properties?: Readonly<Record<string, unknown>> };
  readonly Parameters: Readonly<Record<string, readonly string[] | string>>;
}

/** What runs in a session. */
export interface SessionProgram {
  /** From the client, after the handshake. */
  take(payloadType: number, payload: Buffer): void;
  /** The client has read what it was sent. */
  drained(): void;
  end(): void;
}

export interface SessionLink {
  readonly write: (payloadType: number, payload: Buffer | string | object) => boolean;
  /** The program has ended. */
  readonly over: () => void;
}

const programs: Readonly<Record<string, (task: Task, link: SessionLink) => SessionProgram>> = {
  Standard_Stream: startShell,
  InteractiveCommands: startShell,
};

/** Without an answer the client is none, or another one than we know. */
const handshakeMs = 15_000;
const flushMs = 5000;
const home = '/home/ssm-user';

export class Sessions {
  readonly #identity: Identity;
  readonly #open = new Set<string>();
  reply: (message: AgentMessage) => void = () => {};

  constructor(identity: Identity) {
    this.#identity = identity;
  }

  get isBusy(): boolean {
    return this.#open.size > 0;
  }

  take(message: AgentMessage): void {
    if (message.messageType !== 'interactive_shell') return;
    const { Content, TaskId, Topic } = JSON.parse(message.payload.toString()) as Record<string, string>;
    const task = JSON.parse(Content ?? '') as Task;
    if (this.#open.has(task.SessionId)) return;
    this.#open.add(task.SessionId);
    this.#serve(task)
      .catch((error: Error) => error.message)
      .then((failure) => {
        this.#open.delete(task.SessionId);
        log(`session ${task.SessionId} ended${failure ? `: ${failure}` : ''}`);
        const complete = {
          SchemaVersion: 1,
          TaskId,
          Topic,
          FinalTaskStatus: failure ? 'Failed' : 'Success',
          IsRoutingFailure: false,
          InstanceId: this.#identity.instanceId,
          Output: failure ?? '',
        };
        this.reply(agentMessage('agent_task_complete', complete));
      });
  }

  /** @returns after the session's end, with what went wrong */
  async #serve(task: Task): Promise<string | undefined> {
    const { region, domain, instanceId } = this.#identity;
    const start = programs[task.DocumentContent.sessionType];
    if (!start) return `a session of type ${task.DocumentContent.sessionType} is not known here`;
    mkdirSync(home, { recursive: true });
    const path = `/v1/data-channel/${task.SessionId}`;
    const asked = { MessageSchemaVersion: '1.0', RequestId: randomUUID(), ClientId: randomUUID() };
    const token = await createChannel(this.#identity, path, asked);
    const url = new URL(`wss://ssmmessages.${region}.${domain}${path}?role=publish_subscribe`);
    const end = await openWebSocket(
      url,
      signedHeaders({ method: 'GET', url, service: 'ssmmessages', region }, await credentials()),
    );
    end.send(JSON.stringify({ ...asked, TokenValue: token, ClientInstanceId: instanceId }));
    log(`session ${task.SessionId} begins`);
    return this.#talk(task, end, start);
  }

  #talk(task: Task, end: WebSocketEnd, start: (task: Task, link: SessionLink) => SessionProgram) {
    return new Promise<string | undefined>((resolve) => {
      let program: SessionProgram | undefined;
      let failure: string | undefined;
      const begunAt = performance.now();
      const late = setTimeout(() => {
        failure = 'the client did not answer the handshake';
        end.close(closeCodes.failed);
      }, handshakeMs);
      /** After the last of the output was read, or is not going to be. */
      const finish = () => {
        const until = performance.now() + flushMs;
        const timer = setInterval(() => {
          if (!stream.isFlushed && performance.now() < until) return;
          clearInterval(timer);
          end.close(closeCodes.normal);
        }, 20);
      };
      const stream = new DataStream({
        writes: 'output_stream_data',
        send: (bytes) => end.send(bytes),
        drained: () => program?.drained(),
        received: (payloadType, payload) => {
          if (payloadType === payloadTypes.handshakeResponse && !program) {
            clearTimeout(late);
            stream.write(payloadTypes.handshakeComplete, {
              HandshakeTimeToComplete: Math.round((performance.now() - begunAt) * 1e6),
              CustomerMessage: '',
            });
            program = start(task, { write: (type, bytes) => stream.write(type, bytes), over: finish });
          } else if (payloadType === payloadTypes.flag && payload.length === 4 && isTerminate(payload)) program?.end();
          else program?.take(payloadType, payload);
        },
        other: (message) => {
          if (message.messageType === 'channel_closed') end.close(closeCodes.normal);
        },
      });
      end.listen({
        message: (payload, isText) => {
          try {
            if (!isText) stream.take(payload);
          } catch (error) {
            failure = (error as Error).message;
            end.close(closeCodes.unacceptable);
          }
        },
        close: () => {
          clearTimeout(late);
          stream.close();
          program?.end();
          resolve(failure);
        },
      });
      const { sessionType, properties } = task.DocumentContent;
      const ActionParameters = { SessionType: sessionType, Properties: withParameters(properties ?? {}, task) };
      stream.write(payloadTypes.handshakeRequest, {
        AgentVersion: this.#identity.agentVersion,
        RequestedClientActions: [{ ActionType: 'SessionType', ActionParameters }],
      });
    });
  }
}

const isTerminate = (payload: Buffer) => payload.readUInt32BE(0) === flags.terminateSession;

/** A document's properties, with the caller's parameters in their places. */
export function withParameters(properties: Readonly<Record<string, unknown>>, task: Task): Record<string, unknown> {
  const fill = (value: unknown): unknown => {
    if (typeof value === 'object' && value !== null) return withParameters(value as Record<string, unknown>, task);
    if (typeof value !== 'string') return value;
    return value.replace(/\{\{\s*(\w+)\s*\}\}/g, (whole, name: string) =>
      [task.Parameters[name] ?? whole].flat().join(' '),
    );
  };
  return Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, fill(value)]));
}
