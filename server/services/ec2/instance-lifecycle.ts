// Start, stop and reboot. Like terminate they write the wish; `control/` moves the machine. A stop releases the public address that was assigned at
// launch (when the machine has stopped), a start draws another; an Elastic IP stays (G4 of the labs).
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Stop_Start.html (read 2026-11-21). Gap: hibernation is refused.

import type {
  RebootInstancesRequest,
  StartInstancesRequest,
  StartInstancesResult,
  StopInstancesRequest,
  StopInstancesResult,
} from '@aws-sdk/client-ec2';
import { type Call, type Operation, operation } from '../../service.ts';
import type { InstanceRow } from '../../store/rows/ec2.ts';
import { missingParameter, operationNotPermitted, unsupportedOperation } from './errors.ts';
import { requireInstances, stateChange, userInitiated, wrongState } from './instance-state.ts';
import { assignPublicIp } from './public-address.ts';

function named(call: Call, ids: readonly string[] | undefined): InstanceRow[] {
  if (!ids || ids.length === 0) throw missingParameter('InstanceId');
  return requireInstances(call, ids);
}

export const instanceLifecycle = {
  StartInstances: operation<StartInstancesRequest, StartInstancesResult>({
    authorize: 'auto',
    run: (call, input) => {
      const rows = named(call, input.InstanceIds);
      for (const row of rows)
        if (row.state !== 'stopped' && row.state !== 'pending' && row.state !== 'running')
          throw wrongState(row, 'started');
      const StartingInstances = rows.map((row) => {
        if (row.state !== 'stopped') return stateChange(row, row.state);
        const { stateReason: _reason, ...rest } = row;
        assignPublicIp(call, row);
        call.tx.put('instance', {
          ...rest,
          state: 'pending',
          stateReason: { code: 'pending', message: 'pending' },
          stateTransitionReason: '',
          launchTime: call.now.toISOString(),
          bootGeneration: row.bootGeneration + 1,
        });
        return stateChange(row, 'pending');
      });
      return { StartingInstances };
    },
  }),

  StopInstances: operation<StopInstancesRequest, StopInstancesResult>({
    authorize: 'auto',
    run: (call, input) => {
      if (input.Hibernate) throw unsupportedOperation('Hibernation');
      const rows = named(call, input.InstanceIds);
      for (const row of rows) {
        if (row.state === 'shutting-down' || row.state === 'terminated') throw wrongState(row, 'stopped');
        if (row.disableApiStop && row.state !== 'stopped')
          throw operationNotPermitted(
            `The instance '${row.id}' may not be stopped. Modify its 'disableApiStop' instance attribute and try again.`,
          );
      }
      const StoppingInstances = rows.map((row) => {
        if (row.state === 'stopped' || row.state === 'stopping') return stateChange(row, row.state);
        call.tx.put('instance', userInitiated(call, row, 'stopping'));
        return stateChange(row, 'stopping');
      });
      return { StoppingInstances };
    },
  }),

  RebootInstances: operation<RebootInstancesRequest, Record<string, never>>({
    authorize: 'auto',
    run: (call, input) => {
      const rows = named(call, input.InstanceIds);
      for (const row of rows) if (row.state !== 'running' && row.state !== 'pending') throw wrongState(row, 'rebooted');
      for (const row of rows) call.tx.put('instance', { ...row, bootGeneration: row.bootGeneration + 1 });
      return {};
    },
  }),
} satisfies Record<string, Operation>;
