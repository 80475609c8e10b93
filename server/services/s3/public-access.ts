// What is blocked of public access (T7): a bucket's switches and its account's together, and their form in the API.

import type { PublicAccessBlockConfiguration } from '@aws-sdk/client-s3';
import { AwsError } from '../../errors.ts';
import type { BucketRow, PublicAccessBlock } from '../../store/rows/s3.ts';
import type { Transaction } from '../../store/store.ts';
import { invalidRequest, malformedXml } from './errors.ts';

/** What is blocked for a bucket: whatever it or its account blocks. */
export function effectiveBlock(tx: Transaction, bucket: BucketRow): PublicAccessBlock {
  const own = bucket.publicAccessBlock ?? nothing;
  const account = accountBlock(tx, bucket.accountId);
  if (!account) return own;
  return {
    blockPublicAcls: own.blockPublicAcls || account.blockPublicAcls,
    ignorePublicAcls: own.ignorePublicAcls || account.ignorePublicAcls,
    blockPublicPolicy: own.blockPublicPolicy || account.blockPublicPolicy,
    restrictPublicBuckets: own.restrictPublicBuckets || account.restrictPublicBuckets,
  };
}

const nothing: PublicAccessBlock = {
  blockPublicAcls: false,
  ignorePublicAcls: false,
  blockPublicPolicy: false,
  restrictPublicBuckets: false,
};

export function accountBlock(tx: Transaction, accountId: string): PublicAccessBlock | undefined {
  return tx.get('account-public-access-block', accountId)?.publicAccessBlock;
}

/** @throws MalformedXML, InvalidRequest */
export function blockOf(wanted: PublicAccessBlockConfiguration | undefined): PublicAccessBlock {
  if (!wanted) throw malformedXml();
  if (Object.values(wanted).every((value) => value === undefined))
    throw invalidRequest('Must specify at least one configuration.');
  return switchesOf(wanted);
}

/** What is not said is off. */
export function switchesOf(wanted: PublicAccessBlockConfiguration): PublicAccessBlock {
  return {
    blockPublicAcls: wanted.BlockPublicAcls ?? false,
    ignorePublicAcls: wanted.IgnorePublicAcls ?? false,
    blockPublicPolicy: wanted.BlockPublicPolicy ?? false,
    restrictPublicBuckets: wanted.RestrictPublicBuckets ?? false,
  };
}

export function blockMembers(block: PublicAccessBlock): PublicAccessBlockConfiguration {
  return {
    BlockPublicAcls: block.blockPublicAcls,
    IgnorePublicAcls: block.ignorePublicAcls,
    BlockPublicPolicy: block.blockPublicPolicy,
    RestrictPublicBuckets: block.restrictPublicBuckets,
  };
}

/** @param of the bucket or the account */
export function noPublicAccessBlock(of: Record<string, string>): AwsError {
  return new AwsError(
    'NoSuchPublicAccessBlockConfiguration',
    404,
    'The public access block configuration was not found',
    { fields: of },
  );
}
