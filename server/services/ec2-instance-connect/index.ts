// EC2 Instance Connect: a public key for 60 seconds, in the instance's metadata (J1–J3). Messages: API reference, SendSSHPublicKey
// https://docs.aws.amazon.com/ec2-instance-connect/latest/APIReference/API_SendSSHPublicKey.html (read 2026-11-21).
// The tunnel of an EIC endpoint is server/open-tunnel.ts. Gap: serial console keys.

import type { SendSSHPublicKeyRequest, SendSSHPublicKeyResponse } from '@aws-sdk/client-ec2-instance-connect';
import { AwsError } from '../../errors.ts';
import { type Call, operation, type Service } from '../../service.ts';
import type { InstanceRow } from '../../store/rows/ec2.ts';
import type { Transaction } from '../../store/store.ts';

const keyLifeMs = 60_000;
const keyTypes = ['ssh-rsa ', 'ssh-ed25519 ', 'ecdsa-sha2-nistp256 ', 'ecdsa-sha2-nistp384 ', 'ecdsa-sha2-nistp521 '];

const invalidArgs = (message: string) => new AwsError('InvalidArgsException', 400, message);
const instanceNotFound = () =>
  new AwsError(
    'EC2InstanceNotFoundException',
    400,
    'The specified EC2 instance cannot be found. Please provide an active EC2 instance and try again.',
  );
const stateInvalid = () =>
  new AwsError(
    'EC2InstanceStateInvalidException',
    400,
    'Instance is not running. Provide a running EC2 instance and try again.',
  );

function instanceOf(call: Call, input: SendSSHPublicKeyRequest): InstanceRow | undefined {
  const row = call.tx.get('instance', input.InstanceId ?? '');
  return row?.accountId === call.accountId && row.region === call.region ? row : undefined;
}

/** Puts a key where the instance's metadata shows it; the newest key of a user replaces the one before. */
export function putKey(tx: Transaction, instance: InstanceRow, user: string, publicKey: string, now: Date): void {
  for (const old of tx.list('instance-connect-key'))
    if (old.expiresAt <= now.toISOString()) tx.delete('instance-connect-key', old.id);
  tx.put('instance-connect-key', {
    id: `${instance.id}/${user}`,
    accountId: instance.accountId,
    region: instance.region,
    instanceId: instance.id,
    user,
    publicKey: publicKey.trim(),
    expiresAt: new Date(now.getTime() + keyLifeMs).toISOString(),
  });
}

export const ec2InstanceConnect: Service = {
  name: 'ec2-instance-connect',
  operations: {
    SendSSHPublicKey: operation<SendSSHPublicKeyRequest, SendSSHPublicKeyResponse>({
      authorize: (call, input) => [
        {
          action: 'ec2-instance-connect:SendSSHPublicKey',
          resource: `arn:${call.partition}:ec2:${call.region}:${call.accountId}:instance/${input.InstanceId ?? ''}`,
          context: { 'ec2:osuser': [input.InstanceOSUser ?? ''] },
        },
      ],
      run: (call, input) => {
        const user = input.InstanceOSUser ?? '';
        if (!/^[A-Za-z_][A-Za-z0-9@._-]{0,30}[A-Za-z0-9$_-]?$/.test(user))
          throw invalidArgs(`Invalid OS user: ${user}`);
        const publicKey = input.SSHPublicKey ?? '';
        if (!keyTypes.some((type) => publicKey.startsWith(type)) || /[\r\n]./.test(publicKey.trim())) {
          throw invalidArgs('Provided SSH public key is invalid.');
        }
        const instance = instanceOf(call, input);
        if (!instance) throw instanceNotFound();
        if (instance.state !== 'running') throw stateInvalid();
        if (input.AvailabilityZone !== undefined && input.AvailabilityZone !== instance.availabilityZone)
          throw instanceNotFound();
        putKey(call.tx, instance, user, publicKey, call.now);
        return { RequestId: call.requestId, Success: true };
      },
    }),
  },
  denied: (call, request, decision) =>
    new AwsError(
      'AccessDeniedException',
      400,
      `User: ${call.principal.arn} is not authorized to perform: ${request.action} on resource: ${request.resource} ${decision.reason}`,
    ),
};
