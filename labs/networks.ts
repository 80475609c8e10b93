// What the steps of lab G share: small networks, instances in them, and the question whether packets get from one to another.

import { expect } from './lab.ts';
import { image, type LabRun } from './steps.ts';

export type Reached = 'open' | 'timeout' | 'refused';
/** One attempt, which gives up after so many seconds. */
export type Attempt = (seconds: number) => Promise<Reached>;

export function ping(lab: LabRun, from: string, to: string): Attempt {
  return async (seconds) => {
    const ran = await lab.laptop.inside(from, `ping -n -c 1 -W ${seconds} ${to}`);
    return ran.code === 0 ? 'open' : 'timeout';
  };
}

/** The sshd that every instance has. */
export function ssh(lab: LabRun, from: string, to: string): Attempt {
  return async (seconds) => {
    const ran = await lab.laptop.inside(from, `timeout ${seconds} bash -c 'exec 3<>/dev/tcp/${to}/22'`);
    return ran.code === 0 ? 'open' : ran.code === 124 ? 'timeout' : 'refused';
  };
}

/** What must not arrive does not within a second either; what must has all the time that a busy machine takes. */
export async function reaches(what: string, attempt: Attempt, expected: Reached): Promise<string> {
  const seen = await attempt(expected === 'timeout' ? 1 : 20);
  expect(seen === expected, `${what}: ${expected}`, seen);
  return `${what}: ${seen}`;
}

export interface Made {
  readonly vpc: string;
  readonly gateway: string;
  readonly table: string;
  readonly group: string;
}

/** A VPC with an attached gateway, its main table without a route to it, and a group that lets everything in. */
export async function network({ laptop }: LabRun, cidr: string, ...options: readonly string[]): Promise<Made> {
  const vpc = (await laptop.aws`ec2 create-vpc --cidr-block ${cidr} ${options}`).Vpc.VpcId;
  const gateway = (await laptop.aws`ec2 create-internet-gateway ${options}`).InternetGateway.InternetGatewayId;
  await laptop.aws`ec2 attach-internet-gateway --internet-gateway-id ${gateway} --vpc-id ${vpc} ${options}`;
  const filter = ['--filters', `Name=vpc-id,Values=${vpc}`];
  const table = (await laptop.aws`ec2 describe-route-tables ${filter} ${options}`).RouteTables[0].RouteTableId;
  const group = await newGroup(laptop, vpc, 'open', options);
  await laptop.aws`ec2 authorize-security-group-ingress --group-id ${group} --protocol=-1 --cidr 0.0.0.0/0 ${options}`;
  return { vpc, gateway, table, group };
}

export async function newGroup(
  laptop: LabRun['laptop'],
  vpc: string,
  name: string,
  options: readonly string[] = [],
): Promise<string> {
  return (
    await laptop.aws`ec2 create-security-group --group-name ${name} --description ${name} --vpc-id ${vpc} ${options}`
  ).GroupId;
}

export async function subnet(
  { laptop }: LabRun,
  vpc: string,
  cidr: string,
  ...options: readonly string[]
): Promise<string> {
  return (await laptop.aws`ec2 create-subnet --vpc-id ${vpc} --cidr-block ${cidr} ${options}`).Subnet.SubnetId;
}

export interface Launched {
  readonly id: string;
  readonly eni: string;
  readonly privateIp: string;
  readonly publicIp?: string;
}

export async function launch(
  lab: LabRun,
  subnetId: string,
  group: string,
  ...options: readonly string[]
): Promise<Launched> {
  const run = await lab.laptop
    .aws`ec2 run-instances ${image} --subnet-id ${subnetId} --security-group-ids ${group} ${options}`;
  await lab.laptop.settle();
  return described(lab, run.Instances[0].InstanceId, options);
}

export async function described({ laptop }: LabRun, id: string, options: readonly string[] = []): Promise<Launched> {
  const where = options.filter((word, index) => word === '--region' || options[index - 1] === '--region');
  const instance = (await laptop.aws`ec2 describe-instances --instance-ids ${id} ${where}`).Reservations[0]
    .Instances[0];
  return {
    id,
    eni: instance.NetworkInterfaces[0].NetworkInterfaceId,
    privateIp: instance.PrivateIpAddress,
    publicIp: instance.PublicIpAddress,
  };
}

export async function end({ laptop }: LabRun, ...instances: readonly Launched[]): Promise<void> {
  for (const { id } of instances) await laptop.try`ec2 terminate-instances --instance-ids ${id}`;
}

export const publicly = '--associate-public-ip-address';
export const everywhere = ['--destination-cidr-block', '0.0.0.0/0'];
