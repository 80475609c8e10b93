// Run Command: jobs come by the control channel, are acknowledged, run, and replied to until the reply is acknowledged (U1).
// A document's plugin is aws:runShellScript, of version 1.2 (`runtimeConfig`) or 2.2 (`mainSteps`). Words and limits of the reply are those of AWS's agent
// (agent/framework/processor/executer, agent/plugins/runscript, read 2026-11-21).

import { randomUUID } from 'node:crypto';
import { type AgentMessage, agentMessage } from '../wire/agent-message.ts';
import type { Identity } from './instance.ts';
import { log } from './log.ts';
import { putOutput } from './output.ts';
import { runScript, type ScriptResult } from './script.ts';

interface Job {
  readonly Content: string;
  readonly JobId: string;
  readonly Topic: string;
}

interface Command {
  readonly CommandId: string;
  readonly Parameters: Readonly<Record<string, string | readonly string[]>>;
  readonly DocumentContent: {
    readonly runtimeConfig?: Readonly<Record<string, { readonly properties: readonly Properties[] | Properties }>>;
    readonly mainSteps?: readonly { readonly action: string; readonly name: string; readonly inputs: Properties }[];
  };
  readonly OutputS3BucketName?: string;
  readonly OutputS3KeyPrefix?: string;
}

interface Properties {
  readonly runCommand: string | readonly string[];
  readonly workingDirectory?: string;
  readonly timeoutSeconds?: string | number;
}

const plugin = 'aws:runShellScript';
const sendTopic = 'aws.ssm.sendCommand';
const cancelTopic = 'aws.ssm.cancelCommand';
const resendMs = 10_000;
const defaultTimeoutSeconds = 3600;
const most = { standardOutput: 24_000, standardError: 24_000, both: 2500 };

export class CommandRunner {
  readonly #identity: Identity;
  /** By the job's id: how to cancel it. */
  readonly #running = new Map<string, AbortController>();
  /** By the id of the message: replies that nobody has acknowledged. */
  readonly #unheard = new Map<string, AgentMessage>();
  readonly #seen = new Set<string>();
  reply: (message: AgentMessage) => void = () => {};

  constructor(identity: Identity) {
    this.#identity = identity;
    setInterval(() => this.resend(), resendMs).unref();
  }

  get isBusy(): boolean {
    return this.#running.size > 0;
  }

  /** Says again what was not heard: the channel may have been another one. */
  resend(): void {
    for (const message of this.#unheard.values()) this.reply(message);
  }

  take(message: AgentMessage): void {
    const content = JSON.parse(message.payload.toString()) as Job & { acknowledgedMessageId?: string };
    if (message.messageType === 'agent_job_reply_ack') {
      this.#unheard.delete(content.acknowledgedMessageId ?? '');
      return;
    }
    if (message.messageType !== 'agent_job') return;
    const isNew = !this.#seen.has(content.JobId);
    this.#seen.add(content.JobId);
    // A job that comes twice is one job.
    this.#acknowledge(message, content, isNew ? '200' : '51405');
    if (!isNew) return;
    if (content.Topic.startsWith(sendTopic)) this.#begin(content);
    else if (content.Topic.startsWith(cancelTopic)) {
      const { CancelMessageId } = JSON.parse(content.Content) as { CancelMessageId: string };
      this.#running.get(CancelMessageId)?.abort();
    }
  }

  #acknowledge(message: AgentMessage, job: Job, statusCode: string): void {
    const acknowledgement = {
      jobId: job.JobId,
      acknowledgedMessageId: message.messageId,
      createdDate: new Date().toISOString(),
      statusCode,
      errorMessage: '',
    };
    this.reply(agentMessage('agent_job_ack', acknowledgement));
  }

  #begin(job: Job): void {
    const cancel = new AbortController();
    this.#running.set(job.JobId, cancel);
    this.#run(JSON.parse(job.Content) as Command, cancel.signal)
      .catch((error: Error): ScriptResult => {
        log(`${job.JobId}: ${error.stack}`);
        const now = new Date();
        return { status: 'Failed', code: 1, stdout: '', stderr: error.message, startedAt: now, endedAt: now };
      })
      .then((result) => {
        this.#running.delete(job.JobId);
        const reply = agentMessage('agent_job_reply', {
          schemaVersion: 1,
          jobId: job.JobId,
          content: JSON.stringify(this.#replyOf(result)),
          topic: sendTopic,
        });
        this.#unheard.set(reply.messageId, reply);
        this.reply(reply);
      });
  }

  async #run(command: Command, signal: AbortSignal): Promise<ScriptResult> {
    const properties = scriptOf(command);
    const values = (text: string): readonly string[] => {
      const name = /^\{\{\s*(\w+)\s*\}\}$/.exec(text)?.[1];
      const value = name === undefined ? undefined : command.Parameters[name];
      return value === undefined ? [withParameters(text, command)] : [value].flat();
    };
    const lines = [properties.runCommand].flat().flatMap(values);
    const seconds = Number(values(String(properties.timeoutSeconds ?? ''))[0]);
    const result = await runScript({
      name: `${command.CommandId}/awsrunShellScript/0.awsrunShellScript`,
      instanceId: this.#identity.instanceId,
      lines,
      workingDirectory: values(properties.workingDirectory ?? '')[0] ?? '',
      timeoutSeconds: seconds > 0 ? seconds : defaultTimeoutSeconds,
      environment: {
        AWS_SSM_INSTANCE_ID: this.#identity.instanceId,
        AWS_SSM_REGION_NAME: this.#identity.region,
      },
      signal,
    });
    const bucket = command.OutputS3BucketName ?? '';
    if (bucket !== '') {
      const parts = [command.OutputS3KeyPrefix ?? '', command.CommandId, this.#identity.instanceId];
      const prefix = [...parts, 'awsrunShellScript', '0.awsrunShellScript'].filter((part) => part !== '').join('/');
      await putOutput(this.#identity, bucket, prefix, result);
    }
    return result;
  }

  #replyOf(result: ScriptResult): object {
    const { stdout, stderr, status, code, startedAt, endedAt } = result;
    return {
      additionalInfo: {
        agent: { lang: 'en-US', name: 'amazon-ssm-agent', os: '', osver: '1', ver: this.#identity.agentVersion },
        dateTime: new Date().toISOString(),
        runId: randomUUID(),
        runtimeStatusCounts: { [status]: 1 },
      },
      documentStatus: status,
      documentTraceOutput: '',
      runtimeStatus: {
        [plugin]: {
          status,
          code,
          name: plugin,
          output: bothOf(stdout, stderr),
          startDateTime: startedAt.toISOString(),
          endDateTime: endedAt.toISOString(),
          outputS3BucketName: '',
          outputS3KeyPrefix: '',
          stepName: '',
          standardOutput: cut(stdout, most.standardOutput, '--output truncated--'),
          standardError: cut(stderr, most.standardError, '--output truncated--'),
        },
      },
    };
  }
}

/** @throws Error for a document that asks for something else */
function scriptOf({ DocumentContent: { runtimeConfig, mainSteps } }: Command): Properties {
  const [properties] = [runtimeConfig?.[plugin]?.properties ?? []].flat();
  const step = mainSteps?.find(({ action }) => action === plugin);
  const found = properties ?? step?.inputs;
  if (!found) throw new Error(`the document has no ${plugin}`);
  return found;
}

function withParameters(text: string, { Parameters }: Command): string {
  return text.replace(/\{\{\s*(\w+)\s*\}\}/g, (whole, name: string) => {
    const value = Parameters[name];
    return value === undefined ? whole : [value].flat().join('\n');
  });
}

const cut = (text: string, limit: number, suffix: string): string =>
  text.length <= limit ? text : `${text.slice(0, limit - suffix.length)}${suffix}`;

/** Both streams in one, each shortened when together they are too long. */
function bothOf(stdout: string, stderr: string): string {
  const title = stderr === '' ? '' : '\n----------ERROR-------\n';
  const room = most.both - title.length;
  if (stdout.length + stderr.length < room) return `${stdout}${title}${stderr}`;
  const forError = stdout.length > room / 2 ? Math.min(stderr.length, Math.floor(room / 2)) : room - stdout.length;
  const out = cut(stdout, room - forError, '\n---Output truncated---');
  return `${out}${title}${cut(stderr, forError, '\n---Error truncated----')}`;
}
