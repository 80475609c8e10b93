// What did an instance's console print? The machine keeps the last 64 KiB beside its disk, and we read that file: a handler knows no machines.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetConsoleOutput.html (read 2026-11-21). Unlike AWS's it is always the latest.

import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { GetConsoleOutputRequest, GetConsoleOutputResult } from '@aws-sdk/client-ec2';
import { instanceDisk, type Operation, operation } from '../../service.ts';
import { unsupportedOperation } from './errors.ts';
import { requireRow } from './rows.ts';

export const consoleOutput = {
  GetConsoleOutput: operation<GetConsoleOutputRequest, GetConsoleOutputResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const row = requireRow(call, 'instance', input.InstanceId, 'InstanceId');
      // The id is a row's, so it is no path but its own.
      const file = join(instanceDisk(call.settings.dataDirectory, row.id), 'console.log');
      try {
        return { InstanceId: row.id, Timestamp: statSync(file).mtime, Output: readFileSync(file).toString('base64') };
      } catch {
        // It never ran, or its disk is gone with it.
        return { InstanceId: row.id, Timestamp: call.now };
      }
    },
  }),

  GetConsoleScreenshot: operation<{ InstanceId?: string }, never>({
    authorize: 'auto',
    readOnly: true,
    run: () => {
      throw unsupportedOperation('A screenshot of an instance without a screen');
    },
  }),
} satisfies Record<string, Operation>;
