// How is a trail named, and which one is meant? https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-trail-naming-requirements.html (read 2026-11-22)

import type { BaseCall, Call } from '../../service.ts';
import type { TrailRow } from '../../store/rows/cloudtrail.ts';
import { invalidArn, invalidHomeRegion, invalidTrailName, trailNotFound } from './errors.ts';

const arnPattern = /^arn:[\w-]+:cloudtrail:([\w-]+):(\d{12}):trail\/(.+)$/;

/** The ARN that a name or an ARN means; also of a trail that is not there, for the policies. */
export function trailArn(call: BaseCall, given: string): string {
  return given.startsWith('arn:')
    ? given
    : `arn:${call.partition}:cloudtrail:${call.region}:${call.accountId}:trail/${given}`;
}

/** @throws InvalidTrailNameException */
export function checkTrailName(name: string): void {
  const length = (limit: string) => `Specified name length: ${name.length} characters.`.replace(/^/, `${limit} `);
  if (name.length < 3) throw invalidTrailName(length('Trail name too short. Minimum allowed length: 3 characters.'));
  if (name.length > 128) throw invalidTrailName(length('Trail name too long. Maximum allowed length: 128 characters.'));
  if (!/^[\w.-]+$/.test(name))
    throw invalidTrailName(
      'Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods (.), hyphens (-), and underscores (_).',
    );
  if (!/^[a-zA-Z0-9]/.test(name)) throw invalidTrailName('Trail name must starts with a letter or number.');
  if (!/[a-zA-Z0-9]$/.test(name)) throw invalidTrailName('Trail name must ends with a letter or number.');
  if (/[._-]{2}/.test(name) || /^\d+\.\d+\.\d+\.\d+$/.test(name))
    throw invalidTrailName(
      'Trail name must not have periods, underscores or dashes beside each other, nor be an IP address.',
    );
}

/** A trail of this Region, or a multi-Region trail of another one by its ARN or its name. @throws TrailNotFoundException */
export function findTrail(call: Call, given: string): TrailRow {
  if (given.startsWith('arn:')) {
    if (!arnPattern.test(given)) throw invalidArn(given);
  } else checkTrailName(given);
  const row =
    call.tx.get('trail', trailArn(call, given)) ??
    visibleTrails(call).find((one) => one.name === given && one.isMultiRegion);
  if (!row || row.accountId !== call.accountId) throw trailNotFound(given, call.accountId);
  return row;
}

/** The same, to be changed: that is for its home Region alone. */
export function findOwnTrail(call: Call, given: string): TrailRow {
  const row = findTrail(call, given);
  if (row.region !== call.region) throw invalidHomeRegion(row.region);
  return row;
}

/** Those of this Region, and the shadows of multi-Region trails. */
export function visibleTrails(call: Call): TrailRow[] {
  return call.tx
    .list('trail', { accountId: call.accountId })
    .filter((row) => row.region === call.region || row.isMultiRegion);
}
