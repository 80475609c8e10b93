// Which agents of Systems Manager are connected right now, and how to tell them something. The message gateway fills it in; the service asks it.
// In memory alone: a channel lives no longer than its socket.

import type { AgentMessage } from '@postern/guest/wire/agent-message.ts';

export interface ControlChannel {
  /** Closes it; the agent opens another one. */
  close(): void;
  send(message: AgentMessage): void;
}

export class OpenChannels {
  readonly #control = new Map<string, ControlChannel>();

  control(instanceId: string): ControlChannel | undefined {
    return this.#control.get(instanceId);
  }

  /** The latest one counts: an agent that opens a second has lost the first. */
  opened(instanceId: string, channel: ControlChannel): void {
    this.#control.get(instanceId)?.close();
    this.#control.set(instanceId, channel);
  }

  closed(instanceId: string, channel: ControlChannel): void {
    if (this.#control.get(instanceId) === channel) this.#control.delete(instanceId);
  }
}
