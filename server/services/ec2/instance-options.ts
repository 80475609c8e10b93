// What is asked of an instance's processor and upkeep: credit option, CPU options, automatic recovery. They are kept and told, and change nothing (docs/gaps.md).
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceCreditSpecification.html, …_CpuOptionsRequest.html and
// …_ModifyInstanceMaintenanceOptions.html (read 2026-11-21). No source was found for the wordings.

import type {
  CpuOptionsRequest,
  DescribeInstanceCreditSpecificationsRequest,
  DescribeInstanceCreditSpecificationsResult,
  InstanceMaintenanceOptionsRequest,
  ModifyInstanceCreditSpecificationRequest,
  ModifyInstanceCreditSpecificationResult,
  ModifyInstanceMaintenanceOptionsRequest,
  ModifyInstanceMaintenanceOptionsResult,
  RunInstancesRequest,
  UnsuccessfulInstanceCreditSpecificationItem,
} from '@aws-sdk/client-ec2';
import { type Operation, operation } from '../../service.ts';
import type { InstanceRow } from '../../store/rows/ec2.ts';
import { invalidCombination, invalidParameterValue, missingParameter, refuseUnsupported } from './errors.ts';
import { type InstanceTypeFacts, instanceTypes, threadsPerCore } from './instance-type-table.ts';
import { requireRow, scopeOf, selectRows } from './rows.ts';

type Options = Pick<InstanceRow, 'cpuCredits' | 'cpuOptions' | 'autoRecovery'>;

const oneOf = (value: string, parameter: string, known: readonly string[]) =>
  invalidParameterValue(
    `Value (${value}) for parameter ${parameter} is invalid. Expected one of: ${known.join(', ')}.`,
  );

/** What a launch asks for. */
export function optionsOf(input: RunInstancesRequest, type: InstanceTypeFacts): Options {
  const credits = type.burstable ? input.CreditSpecification?.CpuCredits : undefined;
  return {
    ...(credits !== undefined && { cpuCredits: cpuCreditsOf(credits) }),
    ...cpuOptionsOf(input.CpuOptions, type),
    ...recoveryOf(input.MaintenanceOptions),
  };
}

function cpuCreditsOf(value: string): 'standard' | 'unlimited' {
  if (value === 'standard' || value === 'unlimited') return value;
  throw oneOf(value, 'cpuCredits', ['standard', 'unlimited']);
}

function cpuOptionsOf(input: CpuOptionsRequest | undefined, type: InstanceTypeFacts): Options {
  if (!input) return {};
  refuseUnsupported('RunInstances', input, ['AmdSevSnp', 'NestedVirtualization']);
  const { CoreCount: coreCount, ThreadsPerCore: threads } = input;
  if (coreCount === undefined && threads === undefined) return {};
  if (coreCount === undefined || threads === undefined)
    throw invalidCombination('CoreCount and ThreadsPerCore must be specified together.');
  const most = type.vCpus / threadsPerCore(type);
  if (coreCount < 1 || coreCount > most)
    throw invalidParameterValue(`CoreCount ${coreCount} is not valid for instance type ${type.instanceType}.`);
  if (threads < 1 || threads > threadsPerCore(type))
    throw invalidParameterValue(`ThreadsPerCore ${threads} is not valid for instance type ${type.instanceType}.`);
  return { cpuOptions: { coreCount, threadsPerCore: threads } };
}

function recoveryOf(input: InstanceMaintenanceOptionsRequest | undefined): Options {
  const value = input?.AutoRecovery;
  if (value === undefined) return {};
  if (value === 'default' || value === 'disabled') return { autoRecovery: value };
  throw oneOf(value, 'autoRecovery', ['default', 'disabled']);
}

/** As DescribeInstances tells them. */
export function cpuOptionsShown(row: InstanceRow) {
  const type = instanceTypes.get(row.instanceType);
  const threads = type ? threadsPerCore(type) : 1;
  return {
    CoreCount: row.cpuOptions?.coreCount ?? (type?.vCpus ?? 1) / threads,
    ThreadsPerCore: row.cpuOptions?.threadsPerCore ?? threads,
  };
}

function whyNoCredits(
  row: InstanceRow | undefined,
  id: string,
): UnsuccessfulInstanceCreditSpecificationItem['Error'] | undefined {
  if (!row) return { Code: 'InvalidInstanceID.NotFound', Message: `The instance ID '${id}' does not exist` };
  if (row.state === 'terminated')
    return {
      Code: 'IncorrectInstanceState',
      Message: `The instance '${id}' is in the 'terminated' state and cannot be modified.`,
    };
  if (instanceTypes.get(row.instanceType)?.burstable) return undefined;
  return {
    Code: 'InstanceCreditSpecification.NotSupported',
    Message: `The instance type ${row.instanceType} of '${id}' has no credit option.`,
  };
}

export const instanceOptions = {
  DescribeInstanceCreditSpecifications: operation<
    DescribeInstanceCreditSpecificationsRequest,
    DescribeInstanceCreditSpecificationsResult
  >({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const rows = selectRows(call, 'instance', input.InstanceIds).filter(
        (row) => instanceTypes.get(row.instanceType)?.burstable,
      );
      return {
        InstanceCreditSpecifications: rows.map((row) => ({
          InstanceId: row.id,
          CpuCredits: row.cpuCredits ?? (row.instanceType.startsWith('t2.') ? 'standard' : 'unlimited'),
        })),
      };
    },
  }),

  /** Each instance by itself: those that cannot be changed are told beside those that were. */
  ModifyInstanceCreditSpecification: operation<
    ModifyInstanceCreditSpecificationRequest,
    ModifyInstanceCreditSpecificationResult
  >({
    authorize: 'auto',
    run: (call, input) => {
      const wanted = input.InstanceCreditSpecifications ?? [];
      if (wanted.length === 0) throw missingParameter('InstanceCreditSpecification');
      const done: string[] = [];
      const failed: UnsuccessfulInstanceCreditSpecificationItem[] = [];
      const own = new Map(call.tx.list('instance', scopeOf(call)).map((row) => [row.id as string, row]));
      for (const { InstanceId: id = '', CpuCredits: credits } of wanted) {
        if (credits === undefined) throw missingParameter('CpuCredits');
        const cpuCredits = cpuCreditsOf(credits);
        const row = own.get(id);
        const because = whyNoCredits(row, id);
        if (because) failed.push({ InstanceId: id, Error: because });
        else if (row) {
          call.tx.put('instance', { ...row, cpuCredits });
          done.push(id);
        }
      }
      return {
        SuccessfulInstanceCreditSpecifications: done.map((InstanceId) => ({ InstanceId })),
        UnsuccessfulInstanceCreditSpecifications: failed,
      };
    },
  }),

  ModifyInstanceMaintenanceOptions: operation<
    ModifyInstanceMaintenanceOptionsRequest,
    ModifyInstanceMaintenanceOptionsResult
  >({
    authorize: 'auto',
    run: (call, input) => {
      refuseUnsupported('ModifyInstanceMaintenanceOptions', input, ['RebootMigration']);
      const row = requireRow(call, 'instance', input.InstanceId, 'InstanceId');
      const after = { ...row, ...recoveryOf(input) };
      call.tx.put('instance', after);
      return { InstanceId: row.id, AutoRecovery: after.autoRecovery ?? 'default' };
    },
  }),
} satisfies Record<string, Operation>;
