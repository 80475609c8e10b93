// What must be gone before an entity can be deleted. One table for all kinds: each row is a dependent with AWS's words, in the order in which AWS tells them
// when there are several. Every order of removing them is tried that begins somewhere and goes round, forwards and backwards.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { beforeEach, describe, it } from 'node:test';
import { ensureFirstState } from '../../accounts.ts';
import type { Store } from '../../store/store.ts';
import { awsError, makeStore, runOperation, testNow } from '../../testing.ts';
import { iam } from './index.ts';
import { codes, type Device, selfSigned } from './testing.ts';

type Output = Record<string, Record<string, unknown>>;
let store: Store;

const run = <O = Output>(name: string, input: object) => runOperation<O>(store, iam, name, input);

interface Dependent {
  readonly what: string;
  /** @returns how it is taken away */
  readonly add: () => Promise<() => Promise<unknown>>;
  readonly told: string;
}

interface Entity {
  readonly make: () => Promise<unknown>;
  readonly remove: () => Promise<unknown>;
  readonly dependents: readonly Dependent[];
}

const trust = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }],
});
const document = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 's3:Get*', Resource: '*' }],
});
const awsPolicy = 'arn:aws:iam::aws:policy/ReadOnlyAccess';
const ownPolicy = 'arn:aws:iam::123456789012:policy/own';
const device = 'arn:aws:iam::123456789012:mfa/phone';
const user = { UserName: 'ana' };
const role = { RoleName: 'app' };
const group = { GroupName: 'staff' };
const profile = { InstanceProfileName: 'app' };
const { certificate } = selfSigned();
const publicKey = generateKeyPairSync('rsa', { modulusLength: 2048 })
  .publicKey.export({ type: 'spki', format: 'pem' })
  .toString();

/** Added by one operation, removed by another, with the same input and what the answer named. */
function pair(
  what: string,
  told: string,
  [add, remove]: readonly [string, string],
  input: object,
  more: { readonly adding?: object; readonly naming?: (answer: Output) => object } = {},
): Dependent {
  return {
    what,
    told,
    add: async () => {
      const answer = await run(add, { ...input, ...more.adding });
      return () => run(remove, { ...input, ...more.naming?.(answer) });
    },
  };
}

const policies = (kind: 'User' | 'Role' | 'Group', input: object): readonly Dependent[] => [
  pair(
    'attached policies',
    'Cannot delete entity, must detach all policies first.',
    [`Attach${kind}Policy`, `Detach${kind}Policy`],
    { ...input, PolicyArn: awsPolicy },
  ),
  pair(
    'inline policies',
    'Cannot delete entity, must delete policies first.',
    [`Put${kind}Policy`, `Delete${kind}Policy`],
    { ...input, PolicyName: 'p' },
    { adding: { PolicyDocument: document } },
  ),
];

const membership = pair(
  'members',
  'Cannot delete entity, must remove users from group first.',
  ['AddUserToGroup', 'RemoveUserFromGroup'],
  { ...group, ...user },
);
const inProfile = pair(
  'instance profiles',
  'Cannot delete entity, must remove roles from instance profile first.',
  ['AddRoleToInstanceProfile', 'RemoveRoleFromInstanceProfile'],
  { ...profile, ...role },
);
const references = 'Cannot delete entity, must remove referenced objects first.';

const assigned = (told: string): Dependent => ({
  what: 'an MFA device',
  told,
  add: async () => {
    const { VirtualMFADevice } = await run<{ VirtualMFADevice: Device }>('CreateVirtualMFADevice', {
      VirtualMFADeviceName: 'phone',
    });
    const input = { ...user, SerialNumber: VirtualMFADevice.SerialNumber };
    await run('EnableMFADevice', { ...input, ...codes(VirtualMFADevice) });
    return () => run('DeactivateMFADevice', input);
  },
});

const makeUser = () => run('CreateUser', user);
const makeRole = () => run('CreateRole', { ...role, AssumeRolePolicyDocument: trust });
const makeGroup = () => run('CreateGroup', group);
const makeProfile = () => run('CreateInstanceProfile', profile);
const makePolicy = () => run('CreatePolicy', { PolicyName: 'own', PolicyDocument: document });

const entities: Readonly<Record<string, Entity>> = {
  'a user': {
    make: async () => {
      await makeUser();
      await makeGroup();
    },
    remove: () => run('DeleteUser', user),
    dependents: [
      membership,
      ...policies('User', user),
      assigned('Cannot delete entity, must remove tokens from principal first.'),
      pair(
        'access keys',
        'Cannot delete entity, must delete access keys first.',
        ['CreateAccessKey', 'DeleteAccessKey'],
        user,
        { naming: ({ AccessKey }) => ({ AccessKeyId: AccessKey?.AccessKeyId }) },
      ),
      pair(
        'a login profile',
        'Cannot delete entity, must delete login profile first.',
        ['CreateLoginProfile', 'DeleteLoginProfile'],
        user,
        { adding: { Password: 'First1234!' } },
      ),
      pair(
        'signing certificates',
        'Cannot delete entity, must delete signing certificates first.',
        ['UploadSigningCertificate', 'DeleteSigningCertificate'],
        user,
        {
          adding: { CertificateBody: certificate },
          naming: ({ Certificate }) => ({ CertificateId: Certificate?.CertificateId }),
        },
      ),
      pair('SSH keys', references, ['UploadSSHPublicKey', 'DeleteSSHPublicKey'], user, {
        adding: { SSHPublicKeyBody: publicKey },
        naming: ({ SSHPublicKey }) => ({ SSHPublicKeyId: SSHPublicKey?.SSHPublicKeyId }),
      }),
      pair(
        'service credentials',
        references,
        ['CreateServiceSpecificCredential', 'DeleteServiceSpecificCredential'],
        user,
        {
          adding: { ServiceName: 'codecommit.amazonaws.com' },
          naming: ({ ServiceSpecificCredential }) => ({
            ServiceSpecificCredentialId: ServiceSpecificCredential?.ServiceSpecificCredentialId,
          }),
        },
      ),
    ],
  },
  'a role': {
    make: async () => {
      await makeRole();
      await makeProfile();
    },
    remove: () => run('DeleteRole', role),
    dependents: [inProfile, ...policies('Role', role)],
  },
  'a group': {
    make: async () => {
      await makeGroup();
      await makeUser();
    },
    remove: () => run('DeleteGroup', group),
    dependents: [membership, ...policies('Group', group)],
  },
  'an instance profile': {
    make: async () => {
      await makeRole();
      await makeProfile();
    },
    remove: () => run('DeleteInstanceProfile', profile),
    dependents: [inProfile],
  },
  'a managed policy': {
    make: async () => {
      await makePolicy();
      await makeUser();
      await makeRole();
    },
    remove: () => run('DeletePolicy', { PolicyArn: ownPolicy }),
    dependents: [
      pair('users', 'Cannot delete a policy attached to entities.', ['AttachUserPolicy', 'DetachUserPolicy'], {
        ...user,
        PolicyArn: ownPolicy,
      }),
      pair(
        'boundaries',
        'Cannot delete a policy attached to entities.',
        ['PutRolePermissionsBoundary', 'DeleteRolePermissionsBoundary'],
        role,
        { adding: { PermissionsBoundary: ownPolicy } },
      ),
      pair(
        'versions',
        "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
        ['CreatePolicyVersion', 'DeletePolicyVersion'],
        { PolicyArn: ownPolicy },
        {
          adding: { PolicyDocument: document },
          naming: ({ PolicyVersion }) => ({ VersionId: PolicyVersion?.VersionId }),
        },
      ),
    ],
  },
  'a version of a policy': {
    make: async () => {
      await makePolicy();
      await run('CreatePolicyVersion', { PolicyArn: ownPolicy, PolicyDocument: document });
    },
    remove: () => run('DeletePolicyVersion', { PolicyArn: ownPolicy, VersionId: 'v2' }),
    dependents: [
      {
        what: 'being the default',
        told: 'Cannot delete the default version of a policy.',
        add: async () => {
          const choose = (VersionId: string) => run('SetDefaultPolicyVersion', { PolicyArn: ownPolicy, VersionId });
          await choose('v2');
          return () => choose('v1');
        },
      },
    ],
  },
  'a virtual MFA device': {
    make: makeUser,
    remove: () => run('DeleteVirtualMFADevice', { SerialNumber: device }),
    dependents: [assigned('MFA VirtualDevice in use. Must deactivate first.')],
  },
};

/** The places of a list, from each on and round, in both directions. */
function ordersOf(length: number): number[][] {
  const places = Array.from({ length }, (_, place) => place);
  const rounds = places.map((start) => places.map((place) => (start + place) % length));
  return [...rounds, ...rounds.map((round) => round.toReversed())];
}

beforeEach(() => {
  store = makeStore((tx) => ensureFirstState(tx, testNow));
});

for (const [name, { make, remove, dependents }] of Object.entries(entities)) {
  describe(`${name} cannot be deleted`, () => {
    for (const { what, told, add } of dependents) {
      it(`with ${what}`, async () => {
        await make();
        const takeAway = await add();
        await assert.rejects(remove(), awsError('DeleteConflict', told));
        await takeAway();
        await remove();
      });
    }

    it('before the last of all is gone, whatever goes first, and the first of them is told', async () => {
      for (const order of ordersOf(dependents.length)) {
        store = makeStore((tx) => ensureFirstState(tx, testNow));
        await make();
        const left = new Map<number, () => Promise<unknown>>();
        for (const [place, { add }] of dependents.entries()) left.set(place, await add());
        for (const place of order) {
          const first = dependents[Math.min(...left.keys())];
          await assert.rejects(remove(), awsError('DeleteConflict', first?.told));
          await left.get(place)?.();
          left.delete(place);
        }
        await remove();
      }
    });
  });
}
