// Rows of Systems Manager: nodes that have registered, commands and what became of them on each node, sessions. Times are ISO.

import type { Row } from '../store.ts';

/** `id` is the instance's. */
export interface ManagedInstanceRow extends Row {
  agentName: string;
  agentVersion: string;
  platformType: 'Linux' | 'Windows' | 'MacOS';
  platformName: string;
  platformVersion: string;
  ipAddress: string;
  computerName: string;
  registeredAt: string;
  /** The latest UpdateInstanceInformation. */
  lastPingAt: string;
}

export interface SsmTarget {
  key: string;
  values: string[];
}

export interface SsmCommandRow extends Row {
  documentName: string;
  comment: string;
  parameters: Record<string, string[]>;
  /** As given; with `targets` it is empty. */
  instanceIds: string[];
  targets: SsmTarget[];
  requestedAt: string;
  /** To be delivered within. */
  timeoutSeconds: number;
  maxConcurrency: string;
  maxErrors: string;
  outputS3BucketName: string;
  outputS3KeyPrefix: string;
  /** Delivery and execution together. */
  expiresAfter: string;
  canceledAt?: string;
}

/** As the agent tells it: `documentStatus` of a reply. */
export type SsmInvocationState =
  | 'Pending'
  | 'InProgress'
  | 'Success'
  | 'Failed'
  | 'TimedOut'
  | 'Cancelled'
  | 'InvalidPlatform'
  | 'Terminated';

/** `id` is COMMAND/INSTANCE. */
export interface SsmInvocationRow extends Row {
  commandId: string;
  instanceId: string;
  state: SsmInvocationState;
  /** `maxConcurrency` others come first: not to be delivered yet. */
  isHeld?: boolean;
  isCanceling?: boolean;
  pluginName: string;
  responseCode: number;
  startedAt?: string;
  endedAt?: string;
  standardOutput: string;
  standardError: string;
  /** Of both, as ListCommandInvocations shows it. */
  output: string;
}

export interface SsmSessionRow extends Row {
  target: string;
  documentName: string;
  parameters: Record<string, string[]>;
  reason: string;
  /** The ARN of who asked, and their `aws:userid`. */
  owner: string;
  ownerUserId: string;
  /** What the client's end of the data channel shows; each ResumeSession gives another. */
  clientToken: string;
  startedAt: string;
  endedAt?: string;
  state: 'Connecting' | 'Connected' | 'Terminated';
}

export interface SsmRows {
  'ssm-managed-instance': ManagedInstanceRow;
  'ssm-command': SsmCommandRow;
  'ssm-invocation': SsmInvocationRow;
  'ssm-session': SsmSessionRow;
}
