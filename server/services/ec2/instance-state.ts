// Which instances does a state-changing call name, and what does it answer about each?

import type { InstanceStateChange } from '@aws-sdk/client-ec2';
import type { Call } from '../../service.ts';
import type { InstanceRow } from '../../store/rows/ec2.ts';
import { ec2Error, isWellFormedId, malformedId } from './errors.ts';
import { toState } from './instance-output.ts';
import { selectRows } from './rows.ts';

/** @throws InvalidInstanceID.Malformed, InvalidInstanceID.NotFound naming every missing one */
export function requireInstances(call: Call, ids: readonly string[]): InstanceRow[] {
  for (const id of ids) if (!isWellFormedId('instance', id)) throw malformedId('instance', id);
  return selectRows(call, 'instance', ids);
}

export function stateChange(before: InstanceRow, after: InstanceRow['state']): InstanceStateChange {
  return { InstanceId: before.id, CurrentState: toState(after), PreviousState: toState(before.state) };
}

/** What AWS shows of an end that a person asked for. */
export function userInitiated(call: Call, row: InstanceRow, state: 'stopping' | 'shutting-down'): InstanceRow {
  return {
    ...row,
    state,
    stateReason: {
      code: 'Client.UserInitiatedShutdown',
      message: 'Client.UserInitiatedShutdown: User initiated shutdown',
    },
    stateTransitionReason: `User initiated (${call.now.toISOString().slice(0, 19).replace('T', ' ')} GMT)`,
  };
}

/** @throws IncorrectInstanceState `This instance 'i-1' is not in a state from which it can be …` */
export function wrongState(row: InstanceRow, verb: string): Error {
  return ec2Error('IncorrectInstanceState', `The instance '${row.id}' is not in a state from which it can be ${verb}.`);
}
