// What AWS does by itself in an account, as records: EC2 gives an instance its role (E6).
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html#cloudtrail-event-reference-user-identity-fields (read 2026-11-22).

import { randomUUID } from 'node:crypto';
import type { EventRecord } from './api-event.ts';

export interface InstanceRole {
  readonly accountId: string;
  readonly region: string;
  readonly instanceId: string;
  readonly roleArn: string;
  readonly accessKeyId: string;
  readonly now: Date;
}

/** A fresh set of credentials for the metadata of an instance. */
export function instanceRoleEvent({
  accountId,
  region,
  instanceId,
  roleArn,
  accessKeyId,
  now,
}: InstanceRole): EventRecord {
  const service = 'ec2.amazonaws.com';
  const text = JSON.stringify({
    eventVersion: '1.11',
    userIdentity: { type: 'AWSService', invokedBy: service },
    eventTime: `${now.toISOString().slice(0, 19)}Z`,
    eventSource: 'sts.amazonaws.com',
    eventName: 'AssumeRole',
    awsRegion: region,
    sourceIPAddress: service,
    userAgent: service,
    requestParameters: { roleArn, roleSessionName: instanceId },
    responseElements: { credentials: { accessKeyId } },
    requestID: randomUUID(),
    eventID: randomUUID(),
    readOnly: true,
    resources: [{ accountId, type: 'AWS::IAM::Role', ARN: roleArn }],
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: accountId,
    eventCategory: 'Management',
  });
  return { accountId, region, text };
}
