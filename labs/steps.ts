// What the steps of every lab share: what was made so far, the two places where commands are typed, and the words for "must work" and "must fail".

import { randomBytes } from 'node:crypto';
import type { Ran } from './aws-cli.ts';
import { expect, type Step } from './lab.ts';
import type { Laptop } from './terminal.ts';

/** One run of a lab. */
export interface LabRun {
  readonly laptop: Laptop;
  /** Names for buckets: they are one space for everybody. */
  readonly bucket: string;
  readonly otherBucket: string;
  /** What earlier steps made and later steps need; filled in as the steps go. */
  readonly made: Map<string, string>;
}

export interface Lab {
  /** The letter that its steps begin with, in lower case. */
  readonly id: string;
  readonly title: string;
  readonly steps: readonly Step<LabRun>[];
}

export function newRun(laptop: Laptop): LabRun {
  const suffix = randomBytes(4).toString('hex');
  return { laptop, bucket: `lab-${suffix}`, otherBucket: `lab-other-${suffix}`, made: new Map() };
}

/** Reading one too early is a bug of the lab. */
export function made(lab: LabRun, name: string): string {
  const value = lab.made.get(name);
  if (value === undefined) throw new Error(`the lab uses ${name} before it is made`);
  return value;
}

export const region = 'us-east-1';
export const image = ['--image-id', 'ami-0abcdef1234567890', '--instance-type', 't3.micro'];
/** The CLI inside an instance: one try; and metadata, to which the CLI gives one second, may take longer on a busy machine. */
export const awsOnce = `AWS_DEFAULT_REGION=${region} AWS_MAX_ATTEMPTS=1 AWS_METADATA_SERVICE_TIMEOUT=20 aws`;
/** Only for steps whose outcome is a time-out: a busy machine's answer may take longer. */
export const impatient = '--cli-connect-timeout 4 --cli-read-timeout 6';
export const outsideHost = 'http://example.com/';

/** A shell command on the lab's instance. */
export const inside = (lab: LabRun, script: string): Promise<Ran> => lab.laptop.inside(made(lab, 'instance'), script);
export const awsInside = (lab: LabRun, args: string): Promise<Ran> => inside(lab, `${awsOnce} ${args}`);

/** The lines of a message that say why: without the CLI's own first words. */
export const why = (text: string): string =>
  text
    .trim()
    .split('\n')
    .at(-1)
    ?.replace(/^(fatal error: )?An error occurred /, '')
    .replace(/ when calling the (\w+) operation( \(reached max retries: 0\))?:/, ' $1:') ?? '';

export function mustWork(ran: Ran, what: string): string {
  expect(ran.code === 0, `${what} to work`, ran.output);
  return ran.stdout.trim();
}

export function mustFail(ran: Ran, text: string, what: string): string {
  expect(ran.code !== 0 && ran.output.includes(text), `${what} to fail with "${text}"`, ran.output);
  return why(ran.output);
}

export interface Road {
  readonly kind: string;
  readonly sourceIp: string;
  readonly vpcEndpointId?: string;
}

/** The road of the newest request of one operation. */
export async function lastRoad(lab: LabRun, operation: string): Promise<Road> {
  const ran = await lab.laptop.postern(['requests', '--json', '--limit', '200']);
  const events = ran.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { operation: string; path: Road });
  const event = events.filter((one) => one.operation === operation).at(-1);
  expect(event !== undefined, `a record of ${operation}`, ran.output.slice(-300));
  return event?.path ?? { kind: '', sourceIp: '' };
}

/** A record of CloudTrail's, as far as the labs read it. */
export interface Recorded {
  readonly eventName: string;
  readonly sourceIPAddress: string;
  readonly vpcEndpointId?: string;
  readonly userIdentity: {
    readonly type: string;
    readonly arn: string;
    readonly sessionContext?: { readonly ec2RoleDelivery?: string };
  };
}

/** The newest records of an operation in the account's Event history. */
export async function history(lab: LabRun, eventName: string): Promise<Recorded[]> {
  const attribute = `AttributeKey=EventName,AttributeValue=${eventName}`;
  const { Events } = await lab.laptop
    .aws`cloudtrail lookup-events --lookup-attributes ${attribute} --max-results 1 --no-paginate`;
  return (Events as { CloudTrailEvent: string }[]).map((one) => JSON.parse(one.CloudTrailEvent) as Recorded);
}

export async function lastRecord(lab: LabRun, eventName: string): Promise<Recorded> {
  const [newest] = await history(lab, eventName);
  expect(newest !== undefined, `CloudTrail’s record of ${eventName}`, 'there is none');
  return newest ?? { eventName, sourceIPAddress: '', userIdentity: { type: '', arn: '' } };
}
