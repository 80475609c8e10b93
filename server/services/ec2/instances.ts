// Instances: run, describe, status, terminate. The handlers write the state that was asked for (pending, shutting-down); `control/` moves the
// machine and writes what it became (running, terminated). https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html (read 2026-11-21).

import type {
  DescribeInstanceStatusRequest,
  DescribeInstanceStatusResult,
  DescribeInstancesRequest,
  DescribeInstancesResult,
  InstanceStatus,
  InstanceStatusSummary,
  Reservation,
  RunInstancesRequest,
  TerminateInstancesRequest,
  TerminateInstancesResult,
} from '@aws-sdk/client-ec2';
import { type Operation, operation } from '../../service.ts';
import type { InstanceRow } from '../../store/rows/ec2.ts';
import { describe } from './describe.ts';
import { invalidParameterValue, missingParameter, operationNotPermitted } from './errors.ts';
import { applyFilters } from './filters.ts';
import { oncePerToken } from './idempotency.ts';
import { instanceFilters, statusFilters } from './instance-filters.ts';
import { toReservations, toState } from './instance-output.ts';
import { requireInstances, stateChange, userInitiated } from './instance-state.ts';
import { launch } from './launch.ts';
import { interfaceView } from './network-interface-output.ts';
import { paginate } from './pagination.ts';
import { findRow, selectRows } from './rows.ts';
import { zonesOf } from './zones.ts';

const longestToken = 64;

function toStatus(row: InstanceRow): InstanceStatus {
  // A running machine has its namespaces and its network: there is nothing more to wait for, so `initializing` is never shown.
  const summary: InstanceStatusSummary =
    row.state === 'running'
      ? { Status: 'ok', Details: [{ Name: 'reachability', Status: 'passed' }] }
      : { Status: 'not-applicable' };
  const zoneId = zonesOf(row.region).find((zone) => zone.name === row.availabilityZone)?.id;
  return {
    InstanceId: row.id,
    AvailabilityZone: row.availabilityZone,
    ...(zoneId && { AvailabilityZoneId: zoneId }),
    InstanceState: toState(row.state),
    InstanceStatus: summary,
    SystemStatus: summary,
    ...(row.state === 'running' && {
      AttachedEbsStatus: { Status: 'ok', Details: [{ Name: 'reachability', Status: 'passed' }] },
    }),
  };
}

export const instances = {
  RunInstances: operation<RunInstancesRequest, Reservation>({
    authorize: 'auto',
    run: (call, input) => {
      if ((input.ClientToken?.length ?? 0) > longestToken)
        throw invalidParameterValue(
          `Value (${input.ClientToken}) for parameter clientToken is invalid. It must not be longer than ${longestToken} characters.`,
        );
      const ids = oncePerToken(
        call,
        input.ClientToken,
        input,
        (before) => before.every((id) => call.tx.get('instance', id) !== undefined),
        () => launch(call, input),
      );
      const rows = ids.flatMap((id) => findRow(call, 'instance', id) ?? []);
      const [reservation] = toReservations(interfaceView(call), rows);
      return reservation ?? {};
    },
  }),

  DescribeInstances: operation<DescribeInstancesRequest, DescribeInstancesResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const view = interfaceView(call);
      const how = { ids: input.InstanceIds, parameter: 'instancesSet', filters: instanceFilters(view) };
      const { page, next } = describe(call, 'instance', input, how);
      return { Reservations: toReservations(view, page), ...next };
    },
  }),

  DescribeInstanceStatus: operation<DescribeInstanceStatusRequest, DescribeInstanceStatusResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const all = selectRows(call, 'instance', input.InstanceIds).filter(
        (row) => input.IncludeAllInstances || row.state === 'running',
      );
      const rows = applyFilters(all, input.Filters, statusFilters);
      const bounds = { min: 5, max: 1000, ids: { values: input.InstanceIds, parameter: 'instancesSet' } };
      const { page, ...next } = paginate(rows, input, bounds, (row) => row.id);
      return { InstanceStatuses: page.map(toStatus), ...next };
    },
  }),

  TerminateInstances: operation<TerminateInstancesRequest, TerminateInstancesResult>({
    authorize: 'auto',
    run: (call, input) => {
      if (!input.InstanceIds || input.InstanceIds.length === 0) throw missingParameter('InstanceId');
      const rows = requireInstances(call, input.InstanceIds);
      for (const row of rows)
        if (row.disableApiTermination && row.state !== 'terminated')
          throw operationNotPermitted(
            `The instance '${row.id}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.`,
          );
      const TerminatingInstances = rows.map((row) => {
        if (row.state === 'terminated' || row.state === 'shutting-down') return stateChange(row, row.state);
        call.tx.put('instance', userInitiated(call, row, 'shutting-down'));
        return stateChange(row, 'shutting-down');
      });
      return { TerminatingInstances };
    },
  }),
} satisfies Record<string, Operation>;
