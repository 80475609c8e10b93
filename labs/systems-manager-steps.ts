// The steps of lab F that need Systems Manager's agent (F4 to F6): a node that has no way but its endpoints, commands and shells on it, and what is left when
// their group lets nothing in.

import { expect, StepFailed } from './lab.ts';
import { awsInside, inside, type LabRun, made, mustWork, why } from './steps.ts';

export const agentServices = ['ssm', 'ssmmessages', 'ec2messages'] as const;
const policyArn = 'arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore';
/** For a busy machine; it is a second or two. */
const patienceMs = 60_000;

/** Asks until the answer is the one. */
async function until(what: string, ask: () => Promise<boolean>, lab: LabRun): Promise<void> {
  for (const deadline = Date.now() + patienceMs; !(await ask()); ) {
    if (Date.now() < deadline) continue;
    const log = await inside(lab, 'tail -n 20 /var/log/amazon/ssm/amazon-ssm-agent.log');
    throw new StepFailed(`waited in vain for ${what}; the agent says:\n${log.output}`);
  }
}

async function pingStatus(lab: LabRun): Promise<string> {
  const filter = `Key=InstanceIds,Values=${made(lab, 'instance')}`;
  const told = await lab.laptop.aws`ssm describe-instance-information --filters ${filter}`;
  return told.InstanceInformationList[0]?.PingStatus ?? 'unknown';
}

/** F4: the role's policy; then the instance registers when it starts again. */
export async function becomeNode(lab: LabRun): Promise<string> {
  const { laptop } = lab;
  const id = made(lab, 'instance');
  const before = await pingStatus(lab);
  expect(before === 'unknown', 'no node without the policy', before);
  await laptop.aws`iam attach-role-policy --role-name lab-role --policy-arn ${policyArn}`;
  await reboot(lab);
  await until('the node to be Online', async () => (await pingStatus(lab)) === 'Online', lab);
  return `${id} is Online after a reboot: its agent came through the endpoints`;
}

async function reboot({ laptop, made: things }: LabRun): Promise<void> {
  await laptop.aws`ec2 reboot-instances --instance-ids ${things.get('instance') ?? ''}`;
  await laptop.settle();
}

/** F5: a command's output comes back, and a shell. */
export async function commandAndShell(lab: LabRun): Promise<string[]> {
  const { laptop } = lab;
  const id = made(lab, 'instance');
  const sent =
    await laptop.aws`ssm send-command --document-name AWS-RunShellScript --instance-ids ${id} --parameters ${'commands=["hostname -I","curl -sS -m 3 http://example.com/"]'}`;
  const command = sent.Command.CommandId;
  let told = { Status: '', StandardOutputContent: '', StandardErrorContent: '' };
  const ended = async () => {
    told = await laptop.aws`ssm get-command-invocation --command-id ${command} --instance-id ${id}`;
    return !['Pending', 'InProgress'].includes(told.Status);
  };
  await until('the command to end', ended, lab);
  expect(told.Status === 'Failed', 'curl of an outside host to fail', JSON.stringify(told));
  expect(told.StandardErrorContent.includes('timed out'), 'a time-out', told.StandardErrorContent);
  const shell = await laptop.postern(['session', id, '--', 'id -u; tty']);
  expect(shell.code === 0 && shell.output.includes('/dev/pts/'), 'a shell at a terminal', shell.output);
  const described = (await laptop.aws`ec2 describe-instances --instance-ids ${id}`).Reservations[0].Instances[0];
  expect(described.PublicIpAddress === undefined, 'no public address', described.PublicIpAddress);
  const history = (await laptop.aws`ssm describe-sessions --state History`).Sessions;
  return [
    `send-command: ${told.StandardOutputContent.trim()}; outside: ${why(told.StandardErrorContent.split('\n')[0] ?? '')}`,
    `session ${history[0].SessionId}: ${shell.stdout.trim().split(/\s+/).join(' ')}`,
  ];
}

/** F6: without 443 nothing new gets through to the endpoints; what is open stays so, until the instance starts again. */
export async function lostNode(lab: LabRun): Promise<string[]> {
  const { laptop } = lab;
  const id = made(lab, 'instance');
  await reboot(lab);
  await until('the node to be lost', async () => (await pingStatus(lab)) === 'ConnectionLost', lab);
  const session = await laptop.refused('TargetNotConnected')`ssm start-session --target ${id}`;
  const command = await laptop.refused(
    'InvalidInstanceId',
  )`ssm send-command --document-name AWS-RunShellScript --instance-ids ${id} --parameters commands=ls`;
  return ['PingStatus: ConnectionLost', why(session), why(command)];
}

/** It comes back by itself: the agent tries again, a minute later at most. */
export async function nodeComesBack(lab: LabRun): Promise<string> {
  await until('the node to be Online again', async () => (await pingStatus(lab)) === 'Online', lab);
  mustWork(await awsInside(lab, 'sts get-caller-identity'), 'sts, with the rule again');
  return 'with the rule again it works, and the node is Online';
}
