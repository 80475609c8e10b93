// The control channel: the one connection by which the service reaches the agent. It is opened from here; nothing ever connects to the instance.

import { randomUUID } from 'node:crypto';
import { type AgentMessage, decode, encode } from '../wire/agent-message.ts';
import { signedHeaders } from '../wire/signature.ts';
import { closeCodes, openWebSocket, type WebSocketEnd } from '../wire/websocket.ts';
import { credentials, type Identity } from './instance.ts';
import { log } from './log.ts';
import { createChannel } from './service.ts';

/** AWS's agent pings every 54 s and waits 60 s. Here a way that was cut is to show soon. */
const pingMs = 15_000;
const silentMs = 40_000;

/** Who takes which messages. */
export interface Takers {
  readonly job: { take(message: AgentMessage): void };
  readonly session: { take(message: AgentMessage): void };
}

export class ControlChannel {
  readonly #identity: Identity;
  readonly #takers: Takers;
  #end: WebSocketEnd | undefined;
  #closed: Promise<string> = Promise.resolve('not opened');

  constructor(identity: Identity, takers: Takers) {
    this.#identity = identity;
    this.#takers = takers;
  }

  /** Settles when the channel is open. @throws Error when it cannot be */
  async open(): Promise<void> {
    const { instanceId, region, domain, agentVersion } = this.#identity;
    const path = `/v1/control-channel/${instanceId}`;
    const asked = { MessageSchemaVersion: '1.0', RequestId: randomUUID() };
    const token = await createChannel(this.#identity, path, asked);
    const url = new URL(`wss://ssmmessages.${region}.${domain}${path}?role=subscribe&stream=input`);
    const headers = signedHeaders({ method: 'GET', url, service: 'ssmmessages', region }, await credentials());
    const end = await openWebSocket(url, headers);
    this.#end = end;
    this.#closed = this.#listen(end);
    end.send(JSON.stringify({ ...asked, TokenValue: token, AgentVersion: agentVersion, PlatformType: 'linux' }));
  }

  /** Settles, with the reason, when the channel is closed. */
  closed(): Promise<string> {
    return this.#closed;
  }

  send(message: AgentMessage): void {
    this.#end?.send(encode(message));
  }

  #listen(end: WebSocketEnd): Promise<string> {
    let heardAtMs = performance.now();
    const pings = setInterval(() => {
      if (performance.now() - heardAtMs > silentMs) end.destroy();
      else end.ping();
    }, pingMs);
    return new Promise((resolve) => {
      end.listen({
        message: (payload) => {
          try {
            this.#take(decode(payload));
          } catch (error) {
            log(`a message cannot be read: ${(error as Error).message}`);
            end.close(closeCodes.unacceptable);
          }
        },
        heard: () => {
          heardAtMs = performance.now();
        },
        close: (reason) => {
          clearInterval(pings);
          resolve(reason === '' ? 'the connection was lost' : reason);
        },
      });
    });
  }

  #take(message: AgentMessage): void {
    if (message.messageType.startsWith('agent_job')) this.#takers.job.take(message);
    else if (message.messageType === 'interactive_shell') this.#takers.session.take(message);
    else if (message.messageType === 'agent_task_acknowledge') return;
    else log(`a message of type ${message.messageType} is not known here`);
  }
}
