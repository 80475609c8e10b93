// Lab E, E9 to E18: the same instance asks S3 through a gateway endpoint: its route, its policy, a bucket that takes nothing else, and what is in the way of removing it all.

import { heldIsDropped, holdConnection } from './held-connection.ts';
import { expect } from './lab.ts';
import {
  awsInside,
  awsOnce,
  image,
  inside,
  type Lab,
  type LabRun,
  lastRecord,
  lastRoad,
  made,
  mustFail,
  mustWork,
  outsideHost,
  region,
  why,
} from './steps.ts';

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

export const gatewayEndpointSteps: Lab['steps'] = [
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
        await awsInside(lab, `s3 ls s3://${bucket}/`),
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
      const text = mustWork(await inside(lab, script), 'list, put and get');
      expect(text.endsWith('hello'), 'what was put to come back', text);
      const road = await lastRoad(lab, 'GetObject');
      expect(
        road.kind === 'endpoint' && road.vpcEndpointId === made(lab, 'endpoint'),
        `through ${made(lab, 'endpoint')}`,
        JSON.stringify(road),
      );
      expect(road.sourceIp === made(lab, 'private'), `from ${made(lab, 'private')}`, road.sourceIp);
      await lab.laptop.refused('explicit deny in a resource-based policy')`s3api list-objects-v2 --bucket ${bucket}`;
      mustWork(await awsInside(lab, 's3 ls'), 'aws s3 ls');
      const record = await lastRecord(lab, 'ListBuckets');
      expect(
        record.vpcEndpointId === made(lab, 'endpoint') && record.sourceIPAddress === made(lab, 'private'),
        `CloudTrail’s record from ${made(lab, 'private')} through ${made(lab, 'endpoint')}`,
        JSON.stringify(record),
      );
      return [
        `list, put, get work, from ${road.sourceIp} through ${road.vpcEndpointId}`,
        `cloudtrail lookup-events: ListBuckets from ${record.sourceIPAddress}, vpcEndpointId ${record.vpcEndpointId}`,
        'the laptop is still denied',
      ];
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
          await awsInside(lab, `s3 ls s3://${lab.bucket}/`),
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
      mustWork(await awsInside(lab, `s3 ls s3://${bucket}/`), 'this bucket');
      const other = mustFail(
        await awsInside(lab, `s3 ls s3://${otherBucket}/`),
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
        await awsInside(lab, `s3 ls s3://${lab.bucket}/`),
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
      mustWork(await inside(lab, outside), 'the internet, before its route is removed');
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
      mustWork(await awsInside(lab, `s3 ls s3://${lab.bucket}/`), 'S3 without internet');
      const ping = await inside(lab, 'ping -c 1 -W 2 198.51.100.7');
      expect(ping.code !== 0 && ping.output.includes('100% packet loss'), 'ping to be lost', ping.output);
      const curl = await inside(lab, `curl -sS -m 3 ${outsideHost}`);
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
