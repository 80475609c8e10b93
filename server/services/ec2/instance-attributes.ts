// One attribute of an instance at a time: describe, modify, reset. Type and user data change only while it is stopped; groups and the
// source/destination check are the primary interface's. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceAttribute.html
// (read 2026-11-21). Gap: kernel, ramdisk, SR-IOV and block devices other than the root's deleteOnTermination are refused.

import type {
  DescribeInstanceAttributeRequest,
  InstanceAttribute,
  ModifyInstanceAttributeRequest,
  ModifyInstanceMetadataOptionsRequest,
  ModifyInstanceMetadataOptionsResult,
  MonitorInstancesRequest,
  MonitorInstancesResult,
  ResetInstanceAttributeRequest,
} from '@aws-sdk/client-ec2';
import { type Call, type Operation, operation } from '../../service.ts';
import type { InstanceRow, NetworkInterfaceRow } from '../../store/rows/ec2.ts';
import {
  ec2Error,
  invalidCombination,
  invalidParameterValue,
  missingParameter,
  refuseUnsupported,
  unsupportedOperation,
} from './errors.ts';
import { rootDeviceName } from './instance-output.ts';
import { requireInstances } from './instance-state.ts';
import { instanceTypes } from './instance-type-table.ts';
import { changeMetadataOptions, toMetadataOptions } from './metadata-options.ts';
import { interfaceView, toGroups } from './network-interface-output.ts';
import { chooseGroups } from './new-network-interface.ts';
import { requireRow, scopeOf } from './rows.ts';
import { checkUserData } from './user-data.ts';

function requireLiving(call: Call, id: string | undefined): InstanceRow {
  const row = requireRow(call, 'instance', id, 'InstanceId');
  if (row.state === 'terminated')
    throw ec2Error(
      'IncorrectInstanceState',
      `The instance '${row.id}' is in the 'terminated' state and cannot be modified.`,
    );
  return row;
}

function requireStopped(row: InstanceRow): void {
  if (row.state !== 'stopped')
    throw ec2Error('IncorrectInstanceState', `The instance '${row.id}' is not in the 'stopped' state.`);
}

/** @throws InvalidInstanceID when the instance has several interfaces and the caller must name one */
function onlyInterface(call: Call, instance: InstanceRow): NetworkInterfaceRow {
  const attached = call.tx
    .list('network-interface', scopeOf(call))
    .filter((row) => row.attachment?.instanceId === instance.id);
  const [first] = attached;
  if (attached.length > 1)
    throw ec2Error(
      'InvalidInstanceID',
      `There are multiple interfaces attached to instance '${instance.id}'. Please specify an interface ID for the operation instead.`,
    );
  if (!first) throw new Error(`${instance.id} has no interface`);
  return first;
}

function primaryInterface(call: Call, instance: InstanceRow): NetworkInterfaceRow | undefined {
  return interfaceView(call).byInstance.get(instance.id)?.[0];
}

/** Attribute → how it is shown. */
const readers: Readonly<Record<string, (call: Call, row: InstanceRow) => Omit<InstanceAttribute, 'InstanceId'>>> = {
  blockDeviceMapping: (_call, row) => ({
    BlockDeviceMappings: [
      {
        DeviceName: rootDeviceName(row),
        Ebs: {
          VolumeId: row.rootVolumeId,
          Status: 'attached',
          AttachTime: new Date(row.launchTime),
          DeleteOnTermination: row.rootVolume?.deleteOnTermination ?? true,
        },
      },
    ],
  }),
  disableApiStop: (_call, row) => ({ DisableApiStop: { Value: row.disableApiStop } }),
  disableApiTermination: (_call, row) => ({ DisableApiTermination: { Value: row.disableApiTermination } }),
  ebsOptimized: (_call, row) => ({ EbsOptimized: { Value: row.ebsOptimized } }),
  enaSupport: () => ({ EnaSupport: { Value: true } }),
  enclaveOptions: () => ({ EnclaveOptions: { Enabled: false } }),
  groupSet: (call, row) => {
    const primary = primaryInterface(call, row);
    return { Groups: primary ? toGroups(interfaceView(call), primary).map(({ GroupId }) => ({ GroupId })) : [] };
  },
  instanceInitiatedShutdownBehavior: (_call, row) => ({
    InstanceInitiatedShutdownBehavior: { Value: row.instanceInitiatedShutdownBehavior },
  }),
  instanceType: (_call, row) => ({ InstanceType: { Value: row.instanceType } }),
  kernel: () => ({ KernelId: {} }),
  productCodes: () => ({ ProductCodes: [] }),
  ramdisk: () => ({ RamdiskId: {} }),
  rootDeviceName: (_call, row) => ({ RootDeviceName: { Value: rootDeviceName(row) } }),
  sourceDestCheck: (call, row) => ({
    SourceDestCheck: { Value: primaryInterface(call, row)?.sourceDestCheck ?? true },
  }),
  sriovNetSupport: () => ({ SriovNetSupport: { Value: 'simple' } }),
  userData: (_call, row) => ({ UserData: row.userData === undefined ? {} : { Value: row.userData } }),
};

const unknownAttribute = (name: string) =>
  invalidParameterValue(`Value (${name}) for parameter attribute is invalid. Unknown attribute.`);

/** The old form, `Attribute` and `Value`, as the new one. */
function fromOldForm(input: ModifyInstanceAttributeRequest): ModifyInstanceAttributeRequest {
  const { Attribute: attribute, Value: value, ...rest } = input;
  if (attribute === undefined) return input;
  if (value === undefined) return rest;
  const flag = { Value: value === 'true' };
  if (attribute === 'disableApiTermination') return { ...rest, DisableApiTermination: flag };
  if (attribute === 'disableApiStop') return { ...rest, DisableApiStop: flag };
  if (attribute === 'sourceDestCheck') return { ...rest, SourceDestCheck: flag };
  if (attribute === 'ebsOptimized') return { ...rest, EbsOptimized: flag };
  if (attribute === 'instanceType') return { ...rest, InstanceType: { Value: value } };
  if (attribute === 'instanceInitiatedShutdownBehavior')
    return { ...rest, InstanceInitiatedShutdownBehavior: { Value: value } };
  if (attribute === 'userData') {
    checkUserData(value);
    return { ...rest, UserData: { Value: Buffer.from(value, 'base64') } };
  }
  if (attribute === 'groupSet') return { ...rest, Groups: [value] };
  throw unknownAttribute(attribute);
}

/** @returns the changed row; the row as it is when its interface was changed instead */
function modified(call: Call, row: InstanceRow, input: ModifyInstanceAttributeRequest): InstanceRow {
  if (input.DisableApiTermination?.Value !== undefined)
    return { ...row, disableApiTermination: input.DisableApiTermination.Value };
  if (input.DisableApiStop?.Value !== undefined) return { ...row, disableApiStop: input.DisableApiStop.Value };
  if (input.EbsOptimized?.Value !== undefined) return { ...row, ebsOptimized: input.EbsOptimized.Value };
  if (input.EnaSupport?.Value === true) return row;
  if (input.InstanceInitiatedShutdownBehavior?.Value !== undefined) {
    const behaviour = input.InstanceInitiatedShutdownBehavior.Value;
    if (behaviour !== 'stop' && behaviour !== 'terminate')
      throw invalidParameterValue(
        `Value (${behaviour}) for parameter instanceInitiatedShutdownBehavior is invalid. Expected one of: stop, terminate.`,
      );
    return { ...row, instanceInitiatedShutdownBehavior: behaviour };
  }
  if (input.InstanceType?.Value !== undefined) {
    requireStopped(row);
    if (!instanceTypes.has(input.InstanceType.Value))
      throw invalidParameterValue(`Invalid value '${input.InstanceType.Value}' for InstanceType.`);
    return { ...row, instanceType: input.InstanceType.Value };
  }
  if (input.UserData !== undefined) {
    requireStopped(row);
    const { userData: _before, ...rest } = row;
    const userData = checkUserData(Buffer.from(input.UserData.Value ?? []).toString('base64'));
    return { ...rest, ...(userData !== undefined && { userData }) };
  }
  if (input.SourceDestCheck?.Value !== undefined) {
    const networkInterface = onlyInterface(call, row);
    call.tx.put('network-interface', { ...networkInterface, sourceDestCheck: input.SourceDestCheck.Value });
    return row;
  }
  if (input.Groups !== undefined && input.Groups.length > 0) {
    const networkInterface = onlyInterface(call, row);
    const subnet = requireRow(call, 'subnet', networkInterface.subnetId);
    call.tx.put('network-interface', { ...networkInterface, groupIds: chooseGroups(call, subnet, input.Groups) });
    return row;
  }
  if (input.BlockDeviceMappings !== undefined && input.BlockDeviceMappings.length > 0) {
    const [mapping] = input.BlockDeviceMappings;
    const keep = mapping?.Ebs?.DeleteOnTermination;
    if (
      mapping?.DeviceName !== rootDeviceName(row) ||
      input.BlockDeviceMappings.length > 1 ||
      keep === undefined ||
      !row.rootVolume
    )
      throw unsupportedOperation('A block device besides the root device');
    return { ...row, rootVolume: { ...row.rootVolume, deleteOnTermination: keep } };
  }
  throw invalidCombination('No attributes specified.');
}

const changeable = [
  'BlockDeviceMappings', 'DisableApiStop', 'DisableApiTermination', 'EbsOptimized', 'EnaSupport', 'Groups', 'InstanceInitiatedShutdownBehavior',
  'InstanceType', 'SourceDestCheck', 'UserData',
] as const satisfies (keyof ModifyInstanceAttributeRequest)[]; // biome-ignore format: a list

function setMonitoring(
  call: Call,
  input: MonitorInstancesRequest,
  monitoring: InstanceRow['monitoring'],
): MonitorInstancesResult {
  if (!input.InstanceIds?.length) throw missingParameter('InstanceId');
  const rows = requireInstances(call, input.InstanceIds);
  for (const row of rows) call.tx.put('instance', { ...row, monitoring });
  const State = monitoring === 'enabled' ? 'pending' : 'disabling';
  return { InstanceMonitorings: rows.map((row) => ({ InstanceId: row.id, Monitoring: { State } })) };
}

export const instanceAttributes = {
  DescribeInstanceAttribute: operation<DescribeInstanceAttributeRequest, InstanceAttribute>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const row = requireRow(call, 'instance', input.InstanceId, 'InstanceId');
      const { Attribute: name } = input;
      if (!name) throw missingParameter('Attribute');
      const read = Object.hasOwn(readers, name) ? readers[name] : undefined;
      if (!read) throw unknownAttribute(name);
      return { InstanceId: row.id, ...read(call, row) };
    },
  }),

  ModifyInstanceAttribute: operation<ModifyInstanceAttributeRequest, Record<string, never>>({
    authorize: 'auto',
    run: (call, given) => {
      const input = fromOldForm(given);
      const row = requireLiving(call, input.InstanceId);
      refuseUnsupported('ModifyInstanceAttribute', input, ['Kernel', 'Ramdisk', 'SriovNetSupport', 'EnclaveOptions']);
      if (changeable.filter((name) => input[name] !== undefined).length > 1)
        throw invalidCombination('Fields for multiple attribute types specified');
      const after = modified(call, row, input);
      if (after !== row) call.tx.put('instance', after);
      return {};
    },
  }),

  ResetInstanceAttribute: operation<ResetInstanceAttributeRequest, Record<string, never>>({
    authorize: 'auto',
    run: (call, input) => {
      const row = requireLiving(call, input.InstanceId);
      if (input.Attribute !== 'sourceDestCheck')
        throw unsupportedOperation(`Resetting the attribute ${input.Attribute}`);
      call.tx.put('network-interface', { ...onlyInterface(call, row), sourceDestCheck: true });
      return {};
    },
  }),

  ModifyInstanceMetadataOptions: operation<ModifyInstanceMetadataOptionsRequest, ModifyInstanceMetadataOptionsResult>({
    authorize: 'auto',
    run: (call, input) => {
      const row = requireLiving(call, input.InstanceId);
      const metadataOptions = changeMetadataOptions(row.metadataOptions, input);
      call.tx.put('instance', { ...row, metadataOptions });
      return {
        InstanceId: row.id,
        InstanceMetadataOptions: { ...toMetadataOptions(metadataOptions), State: 'pending' },
      };
    },
  }),

  MonitorInstances: operation<MonitorInstancesRequest, MonitorInstancesResult>({
    authorize: 'auto',
    run: (call, input) => setMonitoring(call, input, 'enabled'),
  }),

  UnmonitorInstances: operation<MonitorInstancesRequest, MonitorInstancesResult>({
    authorize: 'auto',
    run: (call, input) => setMonitoring(call, input, 'disabled'),
  }),
} satisfies Record<string, Operation>;
