// The form of a case: who asks what, under which policies, and what AWS answers. One table serves the tests of every rule of 7.1–7.3.

import type { PolicyLayer, Principal } from '../types.ts';

export const account = '111111111111';
export const other = '222222222222';

export const ana: Principal = {
  type: 'user',
  accountId: account,
  arn: `arn:aws:iam::${account}:user/ana`,
  userId: 'AIDAEXAMPLEANA0000001',
  userName: 'ana',
};
export const root: Principal = {
  type: 'root',
  accountId: account,
  arn: `arn:aws:iam::${account}:root`,
  userId: account,
};
export const roleArn = `arn:aws:iam::${account}:role/team/app`;
export const session: Principal = {
  type: 'role-session',
  accountId: account,
  arn: `arn:aws:sts::${account}:assumed-role/app/i-0ab1`,
  roleArn,
  userId: 'AROAEXAMPLEAPP0000001:i-0ab1',
};
export const federated: Principal = {
  type: 'federated-user',
  accountId: account,
  arn: `arn:aws:sts::${account}:federated-user/bo`,
  parentArn: `arn:aws:iam::${account}:user/ana`,
  userId: `${account}:bo`,
};
export const anonymous: Principal = {
  type: 'anonymous',
  accountId: 'anonymous',
  arn: 'anonymous',
  userId: 'anonymous',
};
export const ec2Service: Principal = {
  type: 'service',
  accountId: 'aws',
  arn: 'ec2.amazonaws.com',
  userId: 'ec2.amazonaws.com',
  serviceName: 'ec2.amazonaws.com',
};

/** A statement as a person writes it; Effect is Allow, Action and Resource are `*` unless given. */
export type RawStatement = Record<string, unknown>;

export interface RawPolicies {
  readonly identity?: readonly RawStatement[];
  readonly resource?: readonly RawStatement[];
  readonly boundary?: readonly RawStatement[];
  readonly session?: readonly RawStatement[];
  /** One list per level. */
  readonly scps?: readonly (readonly RawStatement[])[];
  readonly rcps?: readonly (readonly RawStatement[])[];
  readonly endpoint?: readonly RawStatement[];
  readonly trust?: readonly RawStatement[];
}

export interface Case {
  readonly rule: string;
  readonly name: string;
  readonly who?: Principal;
  readonly action?: string;
  readonly resource?: string;
  readonly owner?: string;
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
  readonly version?: '2012-10-17' | '2008-10-17';
  readonly policies: RawPolicies;
  /** The layer that allows (`+identity`), denies outright (`!resource`) or does not allow (`-endpoint`). */
  readonly answer: `${'+' | '!' | '-'}${PolicyLayer | 'root' | 'owner'}`;
}

export const allow = (more: RawStatement = {}): RawStatement => ({ Effect: 'Allow', ...defaults(more), ...more });
export const deny = (more: RawStatement = {}): RawStatement => ({ Effect: 'Deny', ...defaults(more), ...more });

function defaults(more: RawStatement): RawStatement {
  return {
    ...(!('Action' in more) && !('NotAction' in more) && { Action: '*' }),
    ...(!('Resource' in more) && !('NotResource' in more) && { Resource: '*' }),
  };
}

/** A condition around a context, tested through one identity policy: allowed when it is true. */
export function conditionCase(
  rule: string,
  name: string,
  condition: Record<string, Record<string, unknown>>,
  context: Readonly<Record<string, string | readonly string[]>>,
  holds: boolean,
  version: '2012-10-17' | '2008-10-17' = '2012-10-17',
): Case {
  return {
    rule,
    name,
    version,
    context,
    policies: { identity: [allow({ Condition: condition })] },
    answer: holds ? '+identity' : '-identity',
  };
}
