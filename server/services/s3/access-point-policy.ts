// The policy of an access point: about itself and the objects behind it, and public only where nothing blocks that.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-policies.html (read 2026-11-21)

import { POLICY_SIZE, parsePolicy } from '@postern/policy/document.ts';
import { publicStatement } from '@postern/policy/public.ts';
import type { Call } from '../../service.ts';
import type { AccessPointRow } from '../../store/rows/s3.ts';
import { actionExists } from './actions.ts';
import { principalExists } from './bucket-policy.ts';
import { malformedPolicy, publicPolicyBlocked } from './errors.ts';
import { accountBlock } from './public-access.ts';

/** A pattern may be wider than one object and not than the access point. */
function resourceFits(own: string, resource: string): boolean {
  return resource === own || resource.startsWith(`${own}/object/`);
}

/** @throws MalformedPolicy and what else a bucket's policy would be refused with; AccessDenied for a public one that is blocked */
export function checkPointPolicy(call: Call, point: AccessPointRow, text: string): void {
  const parsed = parsePolicy(text, {
    kind: 'resource',
    maxSize: POLICY_SIZE.bucketPolicy,
    resourceFits: (resource) => resourceFits(point.id, resource),
    actionExists,
    principalExists: (name) => principalExists(call.tx, name),
  });
  if (!parsed.ok) throw malformedPolicy(parsed.code, parsed.message);
  const blocked =
    point.publicAccessBlock.blockPublicPolicy || accountBlock(call.tx, point.accountId)?.blockPublicPolicy;
  if (blocked && point.vpcId === undefined && publicStatement(parsed.document))
    throw publicPolicyBlocked(call, 's3:PutAccessPointPolicy', point.id);
}
