import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  DescribeInstanceCreditSpecificationsResult,
  DescribeInstancesResult,
  ModifyInstanceCreditSpecificationResult,
  Reservation,
} from '@aws-sdk/client-ec2';
import { awsError } from '../../testing.ts';
import { makeWorld } from './testing.ts';

function place() {
  const { run } = makeWorld();
  const launch = async (input: object = {}) => {
    const request = { ImageId: 'ami-0123456789abcdef0', InstanceType: 't3.micro', MinCount: 1, MaxCount: 1, ...input };
    return (await run<Reservation>('RunInstances', request)).Instances?.[0]?.InstanceId ?? '';
  };
  const shown = async (id: string) =>
    (await run<DescribeInstancesResult>('DescribeInstances', { InstanceIds: [id] })).Reservations?.[0]?.Instances?.[0];
  const credits = async (id: string) => {
    const input = { InstanceIds: [id] };
    const told = await run<DescribeInstanceCreditSpecificationsResult>('DescribeInstanceCreditSpecifications', input);
    return told.InstanceCreditSpecifications?.map(({ CpuCredits }) => CpuCredits);
  };
  return { run, launch, shown, credits };
}

test('the credit option is what was asked for, at the launch or later', async () => {
  const { run, launch, credits } = place();
  assert.deepEqual(await credits(await launch()), ['unlimited']);
  assert.deepEqual(await credits(await launch({ InstanceType: 't2.micro' })), ['standard']);
  assert.deepEqual(await credits(await launch({ InstanceType: 'm5.large' })), []);
  const id = await launch({ CreditSpecification: { CpuCredits: 'standard' } });
  assert.deepEqual(await credits(id), ['standard']);
  const change = { InstanceCreditSpecifications: [{ InstanceId: id, CpuCredits: 'unlimited' }] };
  const changed = await run<ModifyInstanceCreditSpecificationResult>('ModifyInstanceCreditSpecification', change);
  assert.deepEqual(changed.SuccessfulInstanceCreditSpecifications, [{ InstanceId: id }]);
  assert.deepEqual(await credits(id), ['unlimited']);
});

test('instances whose credit option cannot change are told beside those that were changed', async () => {
  const { run, launch } = place();
  const ids = [await launch({ InstanceType: 'm5.large' }), 'i-00000000000000000', await launch()];
  const change = { InstanceCreditSpecifications: ids.map((InstanceId) => ({ InstanceId, CpuCredits: 'standard' })) };
  const told = await run<ModifyInstanceCreditSpecificationResult>('ModifyInstanceCreditSpecification', change);
  assert.deepEqual(told.SuccessfulInstanceCreditSpecifications, [{ InstanceId: ids[2] }]);
  assert.deepEqual(
    told.UnsuccessfulInstanceCreditSpecifications?.map((one) => one.Error?.Code),
    ['InstanceCreditSpecification.NotSupported', 'InvalidInstanceID.NotFound'],
  );
});

test('CPU options and automatic recovery are kept; a type says what it can have', async () => {
  const { run, launch, shown } = place();
  const asked = { CpuOptions: { CoreCount: 1, ThreadsPerCore: 1 }, MaintenanceOptions: { AutoRecovery: 'disabled' } };
  const id = await launch({ InstanceType: 'm5.xlarge', ...asked });
  assert.deepEqual((await shown(id))?.CpuOptions, { CoreCount: 1, ThreadsPerCore: 1 });
  assert.deepEqual((await shown(id))?.MaintenanceOptions, { AutoRecovery: 'disabled' });
  await run('ModifyInstanceMaintenanceOptions', { InstanceId: id, AutoRecovery: 'default' });
  assert.deepEqual((await shown(id))?.MaintenanceOptions, { AutoRecovery: 'default' });
  const plain = await launch({ InstanceType: 'm5.xlarge' });
  assert.deepEqual((await shown(plain))?.CpuOptions, { CoreCount: 2, ThreadsPerCore: 2 });
  await assert.rejects(
    launch({ InstanceType: 'm5.xlarge', CpuOptions: { CoreCount: 3, ThreadsPerCore: 1 } }),
    awsError('InvalidParameterValue', 'CoreCount 3 is not valid for instance type m5.xlarge.'),
  );
});
