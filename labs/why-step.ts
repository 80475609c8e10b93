// G14: why is a request denied, and what would open it? One chain through the network and the policies; what it prints is carried out, and packets and
// policies agree.

import { expect } from './lab.ts';
import { end, launch, network, subnet } from './networks.ts';
import { type Lab, type LabRun, mustFail, mustWork } from './steps.ts';

interface Told {
  readonly verdict: string;
  readonly chain: readonly { readonly stage: string; readonly verdict: string }[];
  readonly cure?: {
    readonly plans: readonly {
      readonly title: string;
      readonly steps: readonly { readonly commands: readonly string[]; readonly guard?: string }[];
    }[];
  };
}

async function told({ laptop }: LabRun, words: readonly string[]): Promise<Told> {
  return JSON.parse((await laptop.postern([...words, '--json'])).stdout) as Told;
}

/** The stages that say no must be these. */
function says({ chain }: Told, ...stages: readonly string[]): string {
  const drops = chain.filter((link) => link.verdict === 'drop').map((link) => link.stage);
  expect(drops.join() === stages.join(), `✗ at ${stages.join(', ') || 'nothing'}`, drops.join(', ') || 'nothing');
  return drops.length === 0 ? 'nothing is in the way' : `in the way: ${drops.join(', ')}`;
}

/** Types the commands of a plan, as they are printed. */
async function carryOut({ laptop }: LabRun, { cure }: Told, place = 0): Promise<string> {
  const plan = cure?.plans[place];
  const commands = plan?.steps.flatMap((step) => step.commands) ?? [];
  expect(commands.length > 0, 'a plan', JSON.stringify(cure));
  for (const command of commands) {
    const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
    mustWork(await laptop.postern(words), command);
  }
  await laptop.settle();
  return `${plan?.title}: ${commands.length} commands`;
}

export const whyStep: Lab['steps'][number] = {
  id: 'G14',
  title: 'why a request is denied, and what would open it',
  run: async (lab) => {
    const { laptop } = lab;
    const bucket = `${lab.bucket}-why`;
    const { vpc, group } = await network(lab, '10.140.0.0/16');
    const trust =
      '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}';
    await laptop.aws`iam create-role --role-name why --assume-role-policy-document ${trust}`;
    await laptop.aws`iam create-instance-profile --instance-profile-name why`;
    await laptop.aws`iam add-role-to-instance-profile --instance-profile-name why --role-name why`;
    const instance = await launch(
      lab,
      await subnet(lab, vpc, '10.140.0.0/24'),
      group,
      '--iam-instance-profile',
      'Name=why',
    );
    await laptop.aws`s3api create-bucket --bucket ${bucket}`;
    await laptop.aws`s3api put-object --bucket ${bucket} --key k`;
    const service = 'com.amazonaws.us-east-1.s3';
    const endpoint = (await laptop.aws`ec2 create-vpc-endpoint --vpc-id ${vpc} --service-name ${service}`).VpcEndpoint
      .VpcEndpointId;
    const onlyEndpoint = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          ...{ Sid: 'OnlyEndpoint', Effect: 'Deny', Principal: '*', Action: 's3:GetObject' },
          Resource: `arn:aws:s3:::${bucket}/*`,
          Condition: { StringNotEquals: { 'aws:SourceVpce': endpoint } },
        },
      ],
    });
    await laptop.aws`s3api put-bucket-policy --bucket ${bucket} --policy ${onlyEndpoint}`;
    const question = ['trace', '--from', instance.id, '--to', `s3://${bucket}/k`];
    const before = await told(lab, question);
    const get = `aws s3api get-object --bucket ${bucket} --key k /tmp/k`;
    const evidence = [says(before, 'route', 'identity policy'), await carryOut(lab, before)];
    evidence.push(says(await told(lab, question)));
    mustWork(await laptop.inside(instance.id, get), 'the request inside');
    evidence.push(
      mustFail(
        await laptop.try`s3api get-object --bucket ${bucket} --key k /tmp/k`,
        'AccessDenied',
        'the same from the terminal',
      ),
    );
    const denied = await told(lab, ['why', '--last']);
    evidence.push(`from the terminal, ${says(denied, 'resource policy')}`);
    const guard = denied.cure?.plans[0]?.steps[0]?.guard ?? '';
    expect(guard.includes(endpoint), 'the guard to be called one', guard);
    evidence.push(`a guard, which demands ${guard}`);
    await end(lab, instance);
    return evidence;
  },
};
