// Lab E, E1 to E8: an instance in a public subnet asks S3 over the internet, with a user's key and then with its role.

import { expect } from './lab.ts';
import {
  awsInside,
  awsOnce,
  history,
  image,
  inside,
  type Lab,
  lastRecord,
  lastRoad,
  made,
  mustFail,
  mustWork,
  region,
} from './steps.ts';

export const internetSteps: Lab['steps'] = [
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
    run: async (lab) => [mustFail(await awsInside(lab, 's3 ls'), 'Unable to locate credentials', 'aws s3 ls')],
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
        inside(
          lab,
          `aws configure set aws_access_key_id ${key.AccessKeyId}; aws configure set aws_secret_access_key '${secret}'; aws configure set region ${region}`,
        );
      mustWork(await configure(key.SecretAccessKey), 'aws configure');
      const listed = mustWork(await awsInside(lab, 's3 ls'), 'aws s3 ls with the key');
      expect(listed.includes(lab.bucket), 'the bucket to be listed', listed);
      // Its last character may be either.
      await configure(key.SecretAccessKey.replace(/.$/, (last: string) => (last === 'x' ? 'y' : 'x')));
      const wrong = mustFail(await awsInside(lab, 's3 ls'), 'SignatureDoesNotMatch', 'a wrong secret');
      await configure(key.SecretAccessKey);
      await laptop.aws`iam delete-access-key --user-name lab-user --access-key-id ${key.AccessKeyId}`;
      const gone = mustFail(await awsInside(lab, 's3 ls'), 'InvalidAccessKeyId', 'a deleted key');
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
      mustWork(await inside(lab, 'rm -rf ~/.aws'), 'removing the keys');
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
      const listed = mustWork(await awsInside(lab, 's3 ls'), 'aws s3 ls with the role');
      expect(listed.includes(lab.bucket), 'the bucket to be listed', listed);
      const arn = mustWork(
        await awsInside(lab, `sts get-caller-identity --query Arn --output text`),
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
      const text = mustWork(await inside(lab, script), 'the upload');
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
      const objectCalls = await history(lab, 'PutObject');
      expect(objectCalls.length === 0, 'no data events in the Event history', JSON.stringify(objectCalls));
      mustWork(await awsInside(lab, 's3 ls'), 'aws s3 ls');
      const listed = await lastRecord(lab, 'ListBuckets');
      expect(
        listed.sourceIPAddress === made(lab, 'public') && listed.vpcEndpointId === undefined,
        `ListBuckets from ${made(lab, 'public')}, by no endpoint`,
        JSON.stringify(listed),
      );
      const { type, arn, sessionContext } = listed.userIdentity;
      expect(
        type === 'AssumedRole' && sessionContext?.ec2RoleDelivery === '2.0',
        'the role, by IMDSv2',
        JSON.stringify(listed.userIdentity),
      );
      return [
        `postern requests: PutObject came from ${road.sourceIp}, the instance’s public address, no endpoint`,
        `cloudtrail lookup-events: ListBuckets by ${arn} from ${listed.sourceIPAddress}, no vpcEndpointId`,
        'PutObject is a data event: the Event history never has it',
      ];
    },
  },
];
