// The control channel of one agent: its messages are read, what the service says is written.

import { type AgentMessage, agentMessage, decode, encode } from '@postern/guest/wire/agent-message.ts';
import { closeCodes, type WebSocketEnd } from '@postern/guest/wire/websocket.ts';
import type { ControlChannel } from '../open-channels.ts';
import type { Reply } from '../services/ssm/commands.ts';

/** What becomes of the words of an agent. */
export interface AgentEars {
  acknowledged(instanceId: string, jobId: string, isTaken: boolean): void;
  replied(instanceId: string, jobId: string, reply: Reply): Promise<void>;
  /** A session's shell has ended, or never began. */
  completed(instanceId: string, taskId: string): void;
}

export class AgentLine implements ControlChannel {
  readonly #instanceId: string;
  readonly #end: WebSocketEnd;
  readonly #ears: AgentEars;

  constructor(instanceId: string, end: WebSocketEnd, ears: AgentEars) {
    this.#instanceId = instanceId;
    this.#end = end;
    this.#ears = ears;
  }

  send(message: AgentMessage): void {
    this.#end.send(encode(message));
  }

  close(): void {
    this.#end.close(closeCodes.normal, 'another channel was opened');
  }

  take(bytes: Buffer): void {
    let message: AgentMessage;
    let content: Record<string, unknown>;
    try {
      message = decode(bytes);
      content = JSON.parse(message.payload.toString()) as Record<string, unknown>;
    } catch {
      // What an instance sends is its guest's to choose.
      return void this.#end.close(closeCodes.unacceptable, 'not an agent message');
    }
    const jobId = String(content['jobId']);
    if (message.messageType === 'agent_job_ack')
      this.#ears.acknowledged(this.#instanceId, jobId, content['statusCode'] === '200');
    else if (message.messageType === 'agent_job_reply') this.#reply(message, jobId, content['content']);
    else if (message.messageType === 'agent_task_complete') this.#complete(message, content);
  }

  #complete(message: AgentMessage, content: Record<string, unknown>): void {
    const TaskId = String(content['TaskId']);
    this.#ears.completed(this.#instanceId, TaskId);
    const acknowledgement = { SchemaVersion: 1, MessageId: message.messageId, TaskId, Topic: content['Topic'] };
    this.send(agentMessage('agent_task_acknowledge', acknowledgement));
  }

  #reply(message: AgentMessage, jobId: string, content: unknown): void {
    let reply: Reply;
    try {
      reply = JSON.parse(String(content)) as Reply;
    } catch {
      return void this.#end.close(closeCodes.unacceptable, 'not a reply');
    }
    // Acknowledged when it is on disk: until then the agent sends it again.
    void this.#ears
      .replied(this.#instanceId, jobId, reply)
      .then(() => this.send(agentMessage('agent_job_reply_ack', { jobId, acknowledgedMessageId: message.messageId })));
  }
}
