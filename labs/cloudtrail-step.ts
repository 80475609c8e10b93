// F9: CloudTrail says who used which endpoint, and from where. Management calls are in the Event history; object-level calls are data events, which
// only a trail that selects them has, in its log files.

import { setTimeout as delay } from 'node:timers/promises';
import { expect } from './lab.ts';
import {
  awsInside,
  awsOnce,
  inside,
  type Lab,
  type LabRun,
  lastRecord,
  made,
  mustWork,
  type Recorded,
  region,
} from './steps.ts';

const trail = 'lab-trail';
const deliveryMs = 60_000;

/** What AWS's guide puts on a trail's bucket. */
function letsCloudTrailWrite(bucket: string, accountId: string): string {
  const Principal = { Service: 'cloudtrail.amazonaws.com' };
  const from = { 'aws:SourceArn': `arn:aws:cloudtrail:${region}:${accountId}:trail/${trail}` };
  const acl = { 's3:x-amz-acl': 'bucket-owner-full-control' };
  const [all, files] = [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/AWSLogs/${accountId}/*`];
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal, Action: 's3:GetBucketAcl', Resource: all, Condition: { StringEquals: from } },
      {
        Effect: 'Allow',
        Principal,
        Action: 's3:PutObject',
        Resource: files,
        Condition: { StringEquals: { ...from, ...acl } },
      },
    ],
  });
}

/** Uploads of the lab's objects, and nothing else. */
const uploadsTo = (bucket: string) =>
  JSON.stringify([
    {
      FieldSelectors: [
        { Field: 'eventCategory', Equals: ['Data'] },
        { Field: 'resources.type', Equals: ['AWS::S3::Object'] },
        { Field: 'resources.ARN', StartsWith: [`arn:aws:s3:::${bucket}/`] },
        { Field: 'eventName', Equals: ['PutObject'] },
      ],
    },
  ]);

/** The one record in the first log file that comes. */
async function deliveredRecord(lab: LabRun, logs: string): Promise<Recorded> {
  const { laptop } = lab;
  for (const end = Date.now() + deliveryMs; ; await delay(1000)) {
    const { Contents } = await laptop.aws`s3api list-objects-v2 --bucket ${logs}`;
    const [file] = (Contents ?? []) as { Key: string }[];
    if (file) {
      const text = mustWork(await inside(lab, `${awsOnce} s3 cp s3://${logs}/${file.Key} - | gunzip`), 'the log file');
      const [record] = (JSON.parse(text) as { Records: Recorded[] }).Records;
      if (record) return record;
    }
    const status =
      Date.now() < end ? '' : JSON.stringify(await laptop.aws`cloudtrail get-trail-status --name ${trail}`);
    expect(status === '', `a log file in s3://${logs}`, status);
  }
}

export const cloudtrailStep: Lab['steps'][number] = {
  id: 'F9',
  title: 'CloudTrail: who used which endpoint, and from where',
  run: async (lab) => {
    const { laptop, bucket } = lab;
    mustWork(await awsInside(lab, 'ec2 describe-vpcs'), 'ec2 by its endpoint');
    const ec2 = await lastRecord(lab, 'DescribeVpcs');
    const privateIp = mustWork(await inside(lab, 'hostname -I'), 'the address').trim();
    expect(
      ec2.vpcEndpointId === made(lab, 'ec2-endpoint') && ec2.sourceIPAddress === privateIp,
      `a record from ${privateIp} through EC2’s endpoint`,
      JSON.stringify(ec2),
    );
    const { arn } = ec2.userIdentity;
    expect(arn.endsWith(`/${made(lab, 'instance')}`), 'the instance’s role', arn);

    const logs = `${bucket}-logs`;
    const accountId = (await laptop.aws`sts get-caller-identity`).Account;
    await laptop.aws`s3 mb s3://${logs}`;
    const refused = laptop.refused('InsufficientS3BucketPolicyException');
    await refused`cloudtrail create-trail --name ${trail} --s3-bucket-name ${logs}`;
    await laptop.aws`s3api put-bucket-policy --bucket ${logs} --policy ${letsCloudTrailWrite(logs, accountId)}`;
    await laptop.aws`cloudtrail create-trail --name ${trail} --s3-bucket-name ${logs}`;
    await laptop.aws`cloudtrail put-event-selectors --trail-name ${trail} --advanced-event-selectors ${uploadsTo(bucket)}`;
    await laptop.aws`cloudtrail start-logging --name ${trail}`;
    mustWork(await inside(lab, `cd ~ && echo hello > note && ${awsOnce} s3 cp note s3://${bucket}/`), 'an upload');
    const put = await deliveredRecord(lab, logs);
    expect(
      put.eventName === 'PutObject' &&
        put.vpcEndpointId === made(lab, 's3-endpoint') &&
        put.sourceIPAddress === privateIp,
      `a record of PutObject from ${privateIp} through S3’s endpoint`,
      JSON.stringify(put),
    );
    await laptop.aws`cloudtrail delete-trail --name ${trail}`;
    await laptop.aws`s3 rb --force s3://${logs}`;
    return [
      `cloudtrail lookup-events: DescribeVpcs by ${arn} from ${ec2.sourceIPAddress}, vpcEndpointId ${ec2.vpcEndpointId}`,
      `log file of ${trail}: PutObject from ${put.sourceIPAddress}, vpcEndpointId ${put.vpcEndpointId}`,
    ];
  },
};
