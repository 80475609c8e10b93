// Run Command's way to the agents and back (U1): rows that are Pending go out as jobs over the control channels, acknowledgements and replies become rows.
// Rows decide, not events: what could not be sent is sent when the agent's next channel opens.

import { randomUUID } from 'node:crypto';
import { agentMessage } from '@postern/guest/wire/agent-message.ts';
import type { OpenChannels } from '../open-channels.ts';
import type { PipelineParts } from '../pipeline.ts';
import { type Reply, takeAcknowledgement, takeReply } from '../services/ssm/commands.ts';
import { documentFor, forAgent, parametersFor } from '../services/ssm/documents.ts';
import { byInstance, deliverBefore } from '../services/ssm/invocations.ts';
import type { SsmCommandRow, SsmInvocationRow } from '../store/rows/ssm.ts';
import type { Change } from '../store/store.ts';
import type { AgentEars } from './agent-line.ts';

const jobOf = (row: SsmInvocationRow): string => `aws.ssm.${row.commandId}.${row.instanceId}`;

/** The invocation that a job is; an agent has no say about another's. */
function invocationOf(instanceId: string, jobId: string): string | undefined {
  const [, commandId, node] = /^aws\.ssm\.([0-9a-f-]{36})\.(i-[0-9a-f]+)$/.exec(jobId) ?? [];
  return node === instanceId ? `${commandId}/${node}` : undefined;
}

export class Deliveries implements Pick<AgentEars, 'acknowledged' | 'replied'> {
  readonly #parts: PipelineParts;
  readonly #channels: OpenChannels;

  constructor(parts: PipelineParts, channels: OpenChannels) {
    this.#parts = parts;
    this.#channels = channels;
  }

  /** The agent's channel is open: it gets what waits for it. */
  begin(instanceId: string): void {
    for (const row of this.#parts.store.read((tx) => tx.find(byInstance, instanceId))) this.#send(row);
  }

  acknowledged(instanceId: string, jobId: string, isTaken: boolean): void {
    const id = invocationOf(instanceId, jobId);
    if (id !== undefined) this.#parts.store.transact((tx) => takeAcknowledgement(tx, id, isTaken, this.#parts.clock()));
  }

  async replied(instanceId: string, jobId: string, reply: Reply): Promise<void> {
    const id = invocationOf(instanceId, jobId);
    if (id !== undefined)
      await this.#parts.store.transact((tx) => takeReply(tx, id, reply, this.#parts.clock())).durable;
  }

  /** Rows of invocations that were written, and are on disk. */
  changed(changes: readonly Change[]): void {
    for (const { before, after } of changes) {
      const [was, is] = [before, after] as [SsmInvocationRow | undefined, SsmInvocationRow | undefined];
      if (is && (!was || was.isHeld)) this.#send(is);
      else if (is?.isCanceling && !was?.isCanceling) this.#cancel(is);
    }
  }

  #send(row: SsmInvocationRow): void {
    const command = this.#parts.store.read((tx) => tx.get('ssm-command', row.commandId));
    if (!command || row.state !== 'Pending' || row.isHeld) return;
    if (this.#parts.clock().toISOString() >= deliverBefore(command)) return;
    this.#job(row, 'aws.ssm.sendCommand', contentOf(command));
  }

  #cancel(row: SsmInvocationRow): void {
    this.#job(
      row,
      'aws.ssm.cancelCommand',
      { CancelMessageId: jobOf(row) },
      `aws.ssm.${randomUUID()}.${row.instanceId}`,
    );
  }

  #job(row: SsmInvocationRow, topic: string, content: object, jobId = jobOf(row)): void {
    const payload = { Content: JSON.stringify(content), JobId: jobId, Topic: topic, SchemaVersion: 1 };
    this.#channels.control(row.instanceId)?.send(agentMessage('agent_job', payload));
  }
}

/** The document and what it is called with, as the agent reads it (agent/runcommand/contracts/model.go). */
function contentOf(command: SsmCommandRow): object {
  const document = documentFor(command.documentName);
  const values = parametersFor(document, command.parameters);
  return {
    Parameters: forAgent(document, values),
    DocumentContent: document.content,
    CommandId: command.id,
    DocumentName: command.documentName,
    OutputS3KeyPrefix: command.outputS3KeyPrefix,
    OutputS3BucketName: command.outputS3BucketName,
    CloudWatchLogGroupName: '',
    CloudWatchOutputEnabled: 'false',
  };
}
