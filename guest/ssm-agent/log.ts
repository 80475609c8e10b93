// The agent's log, where AWS's has it.

import { appendFileSync, mkdirSync } from 'node:fs';

const directory = '/var/log/amazon/ssm';

export function log(text: string): void {
  try {
    mkdirSync(directory, { recursive: true });
    appendFileSync(`${directory}/amazon-ssm-agent.log`, `${new Date().toISOString()} ${text}\n`);
  } catch {
    // A full or odd disk must not end the agent.
  }
}
