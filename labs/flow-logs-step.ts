// G12: flow logs to a bucket and to a log group. What is refused by a group and what by an ACL is told apart by the records alone: of a ping that a group lets
// in, the reply is let out too, so a reply that is rejected was rejected by an ACL.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect } from './lab.ts';
import { end, type Launched, launch, network, newGroup, ping, reaches, ssh, subnet } from './networks.ts';
import { type Lab, type LabRun, mustWork } from './steps.ts';

const group = '/lab/flow-logs';
const roleName = 'lab-flow-logs';
const vpcBlock = '10.120.0.0/16';

async function makeRole({ laptop }: LabRun): Promise<string> {
  const statement = (members: object) => JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...members }] }); // biome-ignore format: few words
  const trust = statement({ Principal: { Service: 'vpc-flow-logs.amazonaws.com' }, Action: 'sts:AssumeRole' });
  const policy = statement({ Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Resource: '*' });
  const { Role } = await laptop.aws`iam create-role --role-name ${roleName} --assume-role-policy-document ${trust}`;
  await laptop.aws`iam put-role-policy --role-name ${roleName} --policy-name logs --policy-document ${policy}`;
  return Role.Arn;
}

/** `SOURCE>DESTINATION ACTION` of the records of one protocol at an interface, since a time in ms. */
async function records({ laptop }: LabRun, { eni }: Launched, protocol: number, since: number): Promise<string[]> {
  const pattern = `[version, account, eni, src, dst, srcport, dstport, protocol=${protocol}, packets, bytes, start, end, action, status]`;
  const found =
    await laptop.aws`logs filter-log-events --log-group-name ${group} --log-stream-names ${`${eni}-all`} --filter-pattern ${pattern}`;
  return (found.events as { message: string; ingestionTime: number }[])
    .filter(({ ingestionTime }) => ingestionTime >= since)
    .map(({ message }) => {
      const fields = message.split(' ');
      return `${fields[3]}>${fields[4]} ${fields[12]}`;
    })
    .toSorted();
}

async function tells(lab: LabRun, at: Launched, what: string, since: number, ...expected: string[]): Promise<string> {
  const seen = await records(lab, at, 1, since);
  expect(JSON.stringify(seen) === JSON.stringify(expected.toSorted()), `${what}: ${expected.join(', ')}`, seen.join(', ')); // biome-ignore format: few words
  return `${what}: ${seen.join(', ')}`;
}

/** The lines of a bucket's files: one as a rule, two when five minutes were over in between. */
async function linesIn({ laptop }: LabRun, bucket: string): Promise<string[]> {
  const { Contents = [] } = await laptop.aws`s3api list-objects-v2 --bucket ${bucket}`;
  const directory = mkdtempSync(join(tmpdir(), 'postern-lab-'));
  const lines: string[] = [];
  try {
    for (const { Key: key } of Contents as { Key: string }[]) {
      expect(key.includes('/vpcflowlogs/us-east-1/') && key.endsWith('.log.gz'), 'a file of a flow log', key);
      const file = join(directory, 'log.gz');
      mustWork(await laptop.try`s3 cp s3://${bucket}/${key} ${file}`, 'the download');
      lines.push(...gunzipSync(readFileSync(file)).toString().trimEnd().split('\n'));
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  return lines;
}

export const flowLogsStep: Lab['steps'][number] = {
  id: 'G12',
  title: 'flow logs to a bucket and a log group: the real packets, accepted and rejected',
  run: async (lab) => {
    const { laptop } = lab;
    const bucket = `${lab.bucket}-flow-logs`;
    const { vpc, group: open } = await network(lab, vpcBlock);
    const [a, b] = [await subnet(lab, vpc, '10.120.0.0/24'), await subnet(lab, vpc, '10.120.1.0/24')];
    const onlySsh = await newGroup(laptop, vpc, 'only-ssh');
    await laptop.aws`ec2 authorize-security-group-ingress --group-id ${onlySsh} --protocol tcp --port 22 --cidr ${vpcBlock}`;
    await laptop.aws`s3api create-bucket --bucket ${bucket}`;
    await laptop.aws`logs create-log-group --log-group-name ${group}`;
    const log = ['--resource-type', 'VPC', '--resource-ids', vpc, '--traffic-type'];
    const toBucket = ['--log-destination-type', 's3', '--log-destination', `arn:aws:s3:::${bucket}`];
    const toGroup = ['--log-group-name', group, '--deliver-logs-permission-arn', await makeRole(lab)];
    const made = [
      ...(await laptop.aws`ec2 create-flow-logs ${log} REJECT ${toBucket}`).FlowLogIds,
      ...(await laptop.aws`ec2 create-flow-logs ${log} ALL ${toGroup}`).FlowLogIds,
    ];
    expect(made.length === 2, 'two flow logs', JSON.stringify(made));
    const [caller, server] = [await launch(lab, a, open), await launch(lab, b, onlySsh)];
    const deliver = async () => mustWork(await laptop.postern(['flow-logs']), 'the delivery');
    const request = `${caller.privateIp}>${server.privateIp}`;
    const reply = `${server.privateIp}>${caller.privateIp}`;
    const evidence = [
      await reaches('ssh, which the group lets in', ssh(lab, caller.id, server.privateIp), 'open'),
      await reaches('ping, which it does not', ping(lab, caller.id, server.privateIp), 'timeout'),
    ];
    await deliver();
    evidence.push(
      await tells(lab, caller, 'at the sender', 0, `${request} ACCEPT`),
      await tells(lab, server, 'at the receiver', 0, `${request} REJECT`),
    );
    const connected = await records(lab, server, 6, 0);
    expect(connected.includes(`${request} ACCEPT`), 'the ssh connection in the records', connected.join(', '));
    const lines = await linesIn(lab, bucket);
    const rejected = lines.filter((line) => line.includes(` ${server.privateIp} 0 0 1 1 84 `) && line.endsWith('REJECT OK')); // biome-ignore format: few words
    expect(rejected.length === 1, 'the ping in the file', lines.join('; '));
    evidence.push(`in the bucket: ${rejected[0]}`);

    await laptop.aws`ec2 authorize-security-group-ingress --group-id ${onlySsh} --protocol icmp --port=-1 --cidr ${vpcBlock}`;
    const filter = ['--filters', `Name=association.subnet-id,Values=${b}`];
    const acl = (await laptop.aws`ec2 describe-network-acls ${filter}`).NetworkAcls[0].NetworkAclId;
    const deny = ['--rule-number', '90', '--egress', '--rule-action', 'deny', '--protocol=-1', '--cidr-block', '10.120.0.0/24']; // biome-ignore format: one command
    await laptop.aws`ec2 create-network-acl-entry --network-acl-id ${acl} ${deny}`;
    await laptop.settle();
    const since = Date.now();
    // One ACL is for both subnets; what it keeps from leaving is what is sent to the caller's.
    evidence.push(await reaches('ping, when the ACL lets no reply out', ping(lab, caller.id, server.privateIp), 'timeout')); // biome-ignore format: few words
    await deliver();
    evidence.push(await tells(lab, server, 'at the receiver', since, `${request} ACCEPT`, `${reply} REJECT`));
    const states = (await laptop.aws`ec2 describe-flow-logs --flow-log-ids ${made}`).FlowLogs;
    for (const { DeliverLogsStatus: status } of states) expect(status === 'SUCCESS', 'SUCCESS', status);
    await laptop.aws`ec2 delete-flow-logs --flow-log-ids ${made}`;
    await end(lab, caller, server);
    return evidence;
  },
};
