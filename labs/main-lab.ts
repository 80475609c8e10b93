// Lab E: private access to S3 through a gateway endpoint, E1 to E18. Every step is what a person does with the AWS CLI on the laptop or on the
// instance, and every outcome is what AWS shows. The commands are AWS's own; only `postern exec|connect|requests|wait` are not.

import type { Ran } from './aws-cli.ts';
import { heldIsDropped, holdConnection } from './held-connection.ts';
import { expect } from './lab.ts';
import {
  awsOnce,
  image,
  type Lab,
  type LabRun,
  lastRoad,
  made,
  mustFail,
  mustWork,
  outsideHost,
  region,
  why,
} from './steps.ts';

const instance = (lab: LabRun, script: string): Promise<Ran> => lab.laptop.inside(made(lab, 'instance'), script);
const onInstance = (lab: LabRun, args: string): Promise<Ran> => instance(lab, `${awsOnce} ${args}`);

/** Only requests through this endpoint may touch the bucket. */
function onlyThrough(bucket: string, vpcEndpointId: string): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'OnlyThroughTheEndpoint',
        Effect: 'Deny',
        Principal: '*',
        Action: 's3:*',
        Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
        Condition: { StringNotEquals: { 'aws:SourceVpce': vpcEndpointId } },
      },
    ],
  });
}

/** What the newest refusal's record adds to AWS's message: the resources that are in the way. */
async function inTheWay(lab: LabRun): Promise<string> {
  const ran = await lab.laptop.postern(['requests', '--json', '--limit', '1']);
  return (JSON.parse(ran.stdout) as { explanation?: string }).explanation ?? '';
}

const steps: Lab['steps'] = [
  {
    id: 'E1',
    title: 'a VPC with a public subnet, an internet gateway and a route',
    run: async (lab) => {
      const { laptop, made } = lab;
      const vpc = (await laptop.aws`ec2 create-vpc --cidr-block 10.0.0.0/16`).Vpc.VpcId;
      made.set('vpc', vpc);
      const subnet = (await laptop.aws`ec2 create-subnet --vpc-id ${vpc} --cidr-block 10.0.0.0/24`).Subnet;
      made.set('subnet', subnet.SubnetId);
      expect(
        subnet.AvailableIpAddressCount === 251,
        '251 free addresses in a /24',
        String(subnet.AvailableIpAddressCount),
      );
      await laptop.aws`ec2 modify-subnet-attribute --subnet-id ${subnet.SubnetId} --map-public-ip-on-launch`;
      const gateway = (await laptop.aws`ec2 create-internet-gateway`).InternetGateway.InternetGatewayId;
      made.set('gateway', gateway);
      await laptop.aws`ec2 attach-internet-gateway --internet-gateway-id ${gateway} --vpc-id ${vpc}`;
      const table = (await laptop.aws`ec2 create-route-table --vpc-id ${vpc}`).RouteTable.RouteTableId;
      made.set('table', table);
      await laptop.aws`ec2 create-route --route-table-id ${table} --destination-cidr-block 0.0.0.0/0 --gateway-id ${gateway}`;
      const association =
        await laptop.aws`ec2 associate-route-table --route-table-id ${table} --subnet-id ${subnet.SubnetId}`;
      made.set('association', association.AssociationId);
      const group = (
        await laptop.aws`ec2 create-security-group --group-name lab --description ${'ssh in'} --vpc-id ${vpc}`
      ).GroupId;
      made.set('group', group);
      await laptop.aws`ec2 authorize-security-group-ingress --group-id ${group} --protocol tcp --port 22 --cidr 0.0.0.0/0`;
      const seen = await laptop.aws`ec2 describe-route-tables --route-table-ids ${table}`;
      const route = seen.RouteTables[0].Routes.find((one: { GatewayId: string }) => one.GatewayId === gateway);
      expect(route?.State === 'active', 'an active route to the gateway', JSON.stringify(seen.RouteTables[0].Routes));
      return [
        `${vpc} 10.0.0.0/16, ${subnet.SubnetId} 10.0.0.0/24 (251 free)`,
        `0.0.0.0/0 → ${gateway} active in ${table}`,
      ];
    },
  },
  {
    id: 'E2',
    title: 'a bucket with two objects; an instance',
    run: async (lab) => {
      const { laptop, bucket, otherBucket, made: things } = lab;
      for (const name of [bucket, otherBucket]) {
        await laptop.aws`s3api create-bucket --bucket ${name}`;
        for (const key of ['one.txt', 'two.txt']) await laptop.aws`s3api put-object --bucket ${name} --key ${key}`;
      }
      const run =
        await laptop.aws`ec2 run-instances ${image} --subnet-id ${made(lab, 'subnet')} --security-group-ids ${made(lab, 'group')}`;
      const id = run.Instances[0].InstanceId;
      things.set('instance', id);
      // The waiter asks every 15 seconds; whoever asks after the fact need not wait for the second time.
      await laptop.settle();
      await laptop.aws`ec2 wait instance-running --instance-ids ${id}`;
      const described = (await laptop.aws`ec2 describe-instances --instance-ids ${id}`).Reservations[0].Instances[0];
      things.set('private', described.PrivateIpAddress);
      things.set('public', described.PublicIpAddress);
      expect(
        /^10\.0\.0\.\d+$/.test(described.PrivateIpAddress),
        'an address in 10.0.0.0/24',
        described.PrivateIpAddress,
      );
      expect(described.PublicIpAddress !== undefined, 'a public address', JSON.stringify(described));
      const listed = (await laptop.aws`s3api list-objects-v2 --bucket ${bucket}`).Contents.map(
        (one: { Key: string }) => one.Key,
      );
      expect(listed.join() === 'one.txt,two.txt', 'both objects', listed.join());
      return [
        `${id} running, ${described.PrivateIpAddress} and ${described.PublicIpAddress}`,
        `s3://${bucket}: ${listed.join(', ')}`,
      ];
    },
  },
  {
    id: 'E3',
    title: 'connect to the instance; without port 22, told what is missing',
    run: async (lab) => {
      const { laptop } = lab;
      await laptop.settle();
      const shell = await laptop.postern(['connect', made(lab, 'instance'), 'hostname; command -v aws curl ping ip']);
      const lines = mustWork(shell, 'postern connect').split('\n');
      expect(lines.length >= 5, 'aws, curl, ping and ip', shell.output);
      const rule = ['--group-id', made(lab, 'group'), '--protocol', 'tcp', '--port', '22', '--cidr', '0.0.0.0/0'];
      await laptop.aws`ec2 revoke-security-group-ingress ${rule}`;
      await laptop.settle();
      const closed = await laptop.postern(['connect', made(lab, 'instance'), 'true']);
      expect(
        closed.code === 1 && closed.output.includes(made(lab, 'group')),
        'the security group to be named',
        closed.output,
      );
      await laptop.aws`ec2 authorize-security-group-ingress ${rule}`;
      await laptop.settle();
      return [
        `a shell on ${lines[0]}, with aws, curl, ping, ip`,
        `port 22 closed: refused, naming ${made(lab, 'group')}`,
      ];
    },
  },
  {
    id: 'E4',
    title: 'no credentials yet',
    run: async (lab) => [mustFail(await onInstance(lab, 's3 ls'), 'Unable to locate credentials', 'aws s3 ls')],
  },
  {
    id: 'E5',
    title: 'an access key; a wrong secret; a deleted key',
    run: async (lab) => {
      const { laptop } = lab;
      await laptop.aws`iam create-user --user-name lab-user`;
      await laptop.aws`iam attach-user-policy --user-name lab-user --policy-arn arn:aws:iam::aws:policy/AmazonS3FullAccess`;
      const key = (await laptop.aws`iam create-access-key --user-name lab-user`).AccessKey;
      const configure = (secret: string) =>
        instance(
          lab,
          `aws configure set aws_access_key_id ${key.AccessKeyId}; aws configure set aws_secret_access_key '${secret}'; aws configure set region ${region}`,
        );
      mustWork(await configure(key.SecretAccessKey), 'aws configure');
      const listed = mustWork(await onInstance(lab, 's3 ls'), 'aws s3 ls with the key');
      expect(listed.includes(lab.bucket), 'the bucket to be listed', listed);
      // Its last character may be either.
      await configure(key.SecretAccessKey.replace(/.$/, (last: string) => (last === 'x' ? 'y' : 'x')));
      const wrong = mustFail(await onInstance(lab, 's3 ls'), 'SignatureDoesNotMatch', 'a wrong secret');
      await configure(key.SecretAccessKey);
      await laptop.aws`iam delete-access-key --user-name lab-user --access-key-id ${key.AccessKeyId}`;
      const gone = mustFail(await onInstance(lab, 's3 ls'), 'InvalidAccessKeyId', 'a deleted key');
      await laptop.aws`iam detach-user-policy --user-name lab-user --policy-arn arn:aws:iam::aws:policy/AmazonS3FullAccess`;
      await laptop.aws`iam delete-user --user-name lab-user`;
      return [`the key lists ${lab.bucket}`, wrong, gone];
    },
  },
  {
    id: 'E6',
    title: 'better: a role, by the instance’s metadata',
    run: async (lab) => {
      const { laptop } = lab;
      mustWork(await instance(lab, 'rm -rf ~/.aws'), 'removing the keys');
      const trust = {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }],
      };
      await laptop.aws`iam create-role --role-name lab-role --assume-role-policy-document ${JSON.stringify(trust)}`;
      const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }] };
      await laptop.aws`iam put-role-policy --role-name lab-role --policy-name s3 --policy-document ${JSON.stringify(policy)}`;
      await laptop.aws`iam create-instance-profile --instance-profile-name lab-profile`;
      await laptop.aws`iam add-role-to-instance-profile --instance-profile-name lab-profile --role-name lab-role`;
      await laptop.aws`ec2 associate-iam-instance-profile --instance-id ${made(lab, 'instance')} --iam-instance-profile Name=lab-profile`;
      const listed = mustWork(await onInstance(lab, 's3 ls'), 'aws s3 ls with the role');
      expect(listed.includes(lab.bucket), 'the bucket to be listed', listed);
      const arn = mustWork(
        await onInstance(lab, `sts get-caller-identity --region ${region} --query Arn --output text`),
        'get-caller-identity',
      );
      expect(arn.endsWith(`:assumed-role/lab-role/${made(lab, 'instance')}`), 'assumed-role/lab-role/INSTANCE', arn);
      return [arn];
    },
  },
  {
    id: 'E7',
    title: 'upload from the instance',
    run: async (lab) => {
      const script = `cd ~ && sudo touch x.txt && ${awsOnce} s3 cp x.txt s3://${lab.bucket}/ && ${awsOnce} s3 ls s3://${lab.bucket}/`;
      const text = mustWork(await instance(lab, script), 'the upload');
      expect(text.includes('x.txt'), 'x.txt to be listed', text);
      return [
        text
          .split('\n')
          .filter((line) => line.includes('upload:'))
          .at(-1)
          ?.trim() ?? text,
      ];
    },
  },
  {
    id: 'E8',
    title: 'which way did it go? over the internet',
    run: async (lab) => {
      const road = await lastRoad(lab, 'PutObject');
      expect(
        road.kind === 'internet' && road.sourceIp === made(lab, 'public'),
        `internet, from ${made(lab, 'public')}`,
        JSON.stringify(road),
      );
      return [`PutObject came from ${road.sourceIp}, the instance’s public address, no endpoint`];
    },
  },
  {
    id: 'E9',
    title: 'a gateway endpoint with no route table',
    run: async (lab) => {
      const { laptop } = lab;
      const created =
        await laptop.aws`ec2 create-vpc-endpoint --vpc-id ${made(lab, 'vpc')} --service-name com.amazonaws.${region}.s3`;
      const endpoint = created.VpcEndpoint;
      lab.made.set('endpoint', endpoint.VpcEndpointId);
      expect(
        endpoint.State === 'available' && endpoint.VpcEndpointType === 'Gateway',
        'an available gateway endpoint',
        JSON.stringify(endpoint),
      );
      const tables = (await laptop.aws`ec2 describe-route-tables --filters Name=vpc-id,Values=${made(lab, 'vpc')}`)
        .RouteTables;
      const uses = JSON.stringify(tables).includes(endpoint.VpcEndpointId);
      expect(!uses, 'no route to it', JSON.stringify(tables));
      return [`${endpoint.VpcEndpointId} available; no route uses it`];
    },
  },
  {
    id: 'E10',
    title: 'bucket policy: only through the endpoint',
    run: async (lab) => {
      const { laptop, bucket } = lab;
      await laptop.aws`s3api put-bucket-policy --bucket ${bucket} --policy ${onlyThrough(bucket, made(lab, 'endpoint'))}`;
      const home = await laptop.refused(
        'with an explicit deny in a resource-based policy',
      )`s3api list-objects-v2 --bucket ${bucket}`;
      const there = mustFail(
        await onInstance(lab, `s3 ls s3://${bucket}/`),
        'explicit deny in a resource-based policy',
        'the instance',
      );
      return [`laptop: ${why(home)}`, `instance: ${there}`];
    },
  },
  {
    id: 'E11',
    title: 'associate the endpoint with the subnet’s route table',
    run: async (lab) => {
      const { laptop } = lab;
      await holdConnection(lab);
      await laptop.aws`ec2 modify-vpc-endpoint --vpc-endpoint-id ${made(lab, 'endpoint')} --add-route-table-ids ${made(lab, 'table')}`;
      const seen = (await laptop.aws`ec2 describe-route-tables --route-table-ids ${made(lab, 'table')}`).RouteTables[0];
      const route = seen.Routes.find((one: { GatewayId?: string }) => one.GatewayId === made(lab, 'endpoint'));
      expect(route?.DestinationPrefixListId?.startsWith('pl-'), 'the route pl-… → vpce-…', JSON.stringify(seen.Routes));
      await laptop.settle();
      await heldIsDropped(lab);
      return [
        `${route.DestinationPrefixListId} → ${route.GatewayId} in ${made(lab, 'table')}`,
        'the connection that was open got no answer: dropped',
      ];
    },
  },
  {
    id: 'E12',
    title: 'the instance gets in, by the endpoint',
    run: async (lab) => {
      const { bucket } = lab;
      const script = `set -e; cd ~; ${awsOnce} s3 ls s3://${bucket}/; echo hello > y.txt; ${awsOnce} s3 cp y.txt s3://${bucket}/; ${awsOnce} s3 cp s3://${bucket}/y.txt z.txt; cat z.txt`;
      const text = mustWork(await instance(lab, script), 'list, put and get');
      expect(text.endsWith('hello'), 'what was put to come back', text);
      const road = await lastRoad(lab, 'GetObject');
      expect(
        road.kind === 'endpoint' && road.vpcEndpointId === made(lab, 'endpoint'),
        `through ${made(lab, 'endpoint')}`,
        JSON.stringify(road),
      );
      expect(road.sourceIp === made(lab, 'private'), `from ${made(lab, 'private')}`, road.sourceIp);
      await lab.laptop.refused('explicit deny in a resource-based policy')`s3api list-objects-v2 --bucket ${bucket}`;
      return [`list, put, get work, from ${road.sourceIp} through ${road.vpcEndpointId}`, 'the laptop is still denied'];
    },
  },
  {
    id: 'E13',
    title: 'endpoint policy: deny everything',
    run: async (lab) => {
      const deny = {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Deny', Principal: '*', Action: '*', Resource: '*' }],
      };
      await lab.laptop
        .aws`ec2 modify-vpc-endpoint --vpc-endpoint-id ${made(lab, 'endpoint')} --policy-document ${JSON.stringify(deny)}`;
      return [
        mustFail(
          await onInstance(lab, `s3 ls s3://${lab.bucket}/`),
          'with an explicit deny in a VPC endpoint policy',
          'the instance',
        ),
      ];
    },
  },
  {
    id: 'E14',
    title: 'endpoint policy: this bucket only',
    run: async (lab) => {
      const { bucket, otherBucket } = lab;
      const only = {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: '*',
            Action: 's3:*',
            Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
          },
        ],
      };
      await lab.laptop
        .aws`ec2 modify-vpc-endpoint --vpc-endpoint-id ${made(lab, 'endpoint')} --policy-document ${JSON.stringify(only)}`;
      mustWork(await onInstance(lab, `s3 ls s3://${bucket}/`), 'this bucket');
      const other = mustFail(
        await onInstance(lab, `s3 ls s3://${otherBucket}/`),
        'because no VPC endpoint policy allows',
        'another bucket',
      );
      return [`${bucket} works`, other];
    },
  },
  {
    id: 'E15',
    title: 'disassociate the route table again',
    run: async (lab) => {
      await lab.laptop
        .aws`ec2 modify-vpc-endpoint --vpc-endpoint-id ${made(lab, 'endpoint')} --remove-route-table-ids ${made(lab, 'table')}`;
      await lab.laptop.settle();
      const denied = mustFail(
        await onInstance(lab, `s3 ls s3://${lab.bucket}/`),
        'explicit deny in a resource-based policy',
        'the instance',
      );
      const road = await lastRoad(lab, 'ListObjectsV2');
      expect(road.kind === 'internet', 'the internet road', JSON.stringify(road));
      return [`back on the internet path, from ${road.sourceIp}: ${denied}`];
    },
  },
  {
    id: 'E16',
    title: 'no internet route and no public address, the endpoint’s route on',
    run: async (lab) => {
      const { laptop } = lab;
      await laptop.aws`ec2 modify-vpc-endpoint --vpc-endpoint-id ${made(lab, 'endpoint')} --add-route-table-ids ${made(lab, 'table')}`;
      await laptop.settle();
      const outside = `curl -sS -m 5 -o /dev/null ${outsideHost} && ping -c 1 -W 3 198.51.100.7`;
      mustWork(await instance(lab, outside), 'the internet, before its route is removed');
      const cut = ['--route-table-id', made(lab, 'table'), '--destination-cidr-block', '0.0.0.0/0'];
      await laptop.aws`ec2 delete-route ${cut}`;
      // The public address of a running instance stays its own: another instance takes over, launched without one.
      const run =
        await laptop.aws`ec2 run-instances ${image} --subnet-id ${made(lab, 'subnet')} --security-group-ids ${made(lab, 'group')} --no-associate-public-ip-address --iam-instance-profile Name=lab-profile`;
      const id = run.Instances[0].InstanceId;
      await laptop.aws`ec2 terminate-instances --instance-ids ${made(lab, 'instance')}`;
      lab.made.set('instance', id);
      await laptop.settle();
      await laptop.aws`ec2 wait instance-running --instance-ids ${id}`;
      await laptop.settle();
      const described = (await laptop.aws`ec2 describe-instances --instance-ids ${id}`).Reservations[0].Instances[0];
      expect(described.PublicIpAddress === undefined, 'no public address', String(described.PublicIpAddress));
      mustWork(await onInstance(lab, `s3 ls s3://${lab.bucket}/`), 'S3 without internet');
      const ping = await instance(lab, 'ping -c 1 -W 2 198.51.100.7');
      expect(ping.code !== 0 && ping.output.includes('100% packet loss'), 'ping to be lost', ping.output);
      const curl = await instance(lab, `curl -sS -m 3 ${outsideHost}`);
      expect(curl.code === 28, 'curl to time out', curl.output);
      return [
        `${id}, ${described.PrivateIpAddress} and no public address: S3 works`,
        'ping: 100% packet loss',
        why(curl.output),
      ];
    },
  },
  {
    id: 'E17',
    title: 'locked out? root deletes the bucket policy; an administrator cannot',
    run: async (lab) => {
      const { laptop, bucket } = lab;
      await laptop.aws`iam create-user --user-name lab-admin`;
      const administrator = 'arn:aws:iam::aws:policy/AdministratorAccess';
      await laptop.aws`iam attach-user-policy --user-name lab-admin --policy-arn ${administrator}`;
      const key = (await laptop.aws`iam create-access-key --user-name lab-admin`).AccessKey;
      const admin = laptop.as(key.AccessKeyId, key.SecretAccessKey);
      const refused = await admin.refused('AccessDenied')`s3api delete-bucket-policy --bucket ${bucket}`;
      await laptop.aws`s3api delete-bucket-policy --bucket ${bucket}`;
      await laptop.aws`s3api list-objects-v2 --bucket ${bucket}`;
      await laptop.aws`iam delete-access-key --user-name lab-admin --access-key-id ${key.AccessKeyId}`;
      await laptop.aws`iam detach-user-policy --user-name lab-admin --policy-arn ${administrator}`;
      await laptop.aws`iam delete-user --user-name lab-admin`;
      return [`administrator: ${why(refused)}`, 'root: the policy is gone and the laptop lists again'];
    },
  },
  {
    id: 'E18',
    title: 'clean up, in the wrong order and in the right one',
    run: async (lab) => {
      const { laptop, bucket, otherBucket } = lab;
      const vpc = made(lab, 'vpc');
      const subnet = ['--subnet-id', made(lab, 'subnet')];
      const group = ['--group-id', made(lab, 'group')];
      // AWS says that something depends on it; the record of the request says what.
      const dependency = async (message: string, holder: string): Promise<string> => {
        const explanation = await inTheWay(lab);
        expect(explanation.includes(holder), `the record to name ${holder}`, explanation);
        return `${why(message)} (${explanation})`;
      };
      const violation = laptop.refused('DependencyViolation');
      const evidence = [
        await dependency(await violation`ec2 delete-vpc --vpc-id ${vpc}`, made(lab, 'subnet')),
        await dependency(await violation`ec2 delete-subnet ${subnet}`, 'eni-'),
        await dependency(await violation`ec2 delete-security-group ${group}`, 'eni-'),
        await dependency(
          await violation`ec2 delete-internet-gateway --internet-gateway-id ${made(lab, 'gateway')}`,
          vpc,
        ),
        await dependency(
          await violation`ec2 delete-route-table --route-table-id ${made(lab, 'table')}`,
          made(lab, 'subnet'),
        ),
        why(await laptop.refused('BucketNotEmpty')`s3api delete-bucket --bucket ${bucket}`),
        why(await laptop.refused('DeleteConflict')`iam delete-role --role-name lab-role`),
      ];
      const filter = ['--filters', `Name=instance-id,Values=${made(lab, 'instance')}`];
      const profiles = await laptop.aws`ec2 describe-iam-instance-profile-associations ${filter}`;
      for (const { AssociationId } of profiles.IamInstanceProfileAssociations) {
        await laptop.aws`ec2 disassociate-iam-instance-profile --association-id ${AssociationId}`;
      }
      await laptop.aws`ec2 terminate-instances --instance-ids ${made(lab, 'instance')}`;
      await laptop.settle();
      await laptop.aws`ec2 wait instance-terminated --instance-ids ${made(lab, 'instance')}`;
      await laptop.aws`ec2 delete-vpc-endpoints --vpc-endpoint-ids ${made(lab, 'endpoint')}`;
      await laptop.aws`ec2 disassociate-route-table --association-id ${made(lab, 'association')}`;
      await laptop.aws`ec2 delete-route-table --route-table-id ${made(lab, 'table')}`;
      await laptop.aws`ec2 detach-internet-gateway --internet-gateway-id ${made(lab, 'gateway')} --vpc-id ${vpc}`;
      await laptop.aws`ec2 delete-internet-gateway --internet-gateway-id ${made(lab, 'gateway')}`;
      await laptop.aws`ec2 delete-subnet ${subnet}`;
      await laptop.aws`ec2 delete-security-group ${group}`;
      await laptop.aws`ec2 delete-vpc --vpc-id ${vpc}`;
      for (const name of [bucket, otherBucket]) await laptop.aws`s3 rb --force s3://${name}`;
      await laptop.aws`iam remove-role-from-instance-profile --instance-profile-name lab-profile --role-name lab-role`;
      await laptop.aws`iam delete-instance-profile --instance-profile-name lab-profile`;
      await laptop.aws`iam delete-role-policy --role-name lab-role --policy-name s3`;
      await laptop.aws`iam delete-role --role-name lab-role`;
      const vpcs = (await laptop.aws`ec2 describe-vpcs`).Vpcs.map((one: { IsDefault: boolean }) => one.IsDefault);
      const buckets = (await laptop.aws`s3api list-buckets`).Buckets.length;
      const roles = (await laptop.aws`iam list-roles`).Roles.length;
      expect(
        vpcs.join() === 'true' && buckets === 0 && roles === 0,
        'only the default VPC left',
        JSON.stringify({ vpcs, buckets, roles }),
      );
      return [...evidence, 'in the right order everything goes: only the default VPC is left'];
    },
  },
];

export const mainLab: Lab = { id: 'e', title: 'private access to S3 through a gateway endpoint', steps };
