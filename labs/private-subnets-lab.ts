// Lab F: private subnets. A NAT gateway, then gateway and interface endpoints instead of it. F7 and F9 are done with the endpoints of STS and EC2.

import { cloudtrailStep } from './cloudtrail-step.ts';
import { expect } from './lab.ts';
import {
  awsInside,
  awsOnce,
  image,
  impatient,
  inside,
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
import { agentServices, becomeNode, commandAndShell, lostNode, nodeComesBack } from './systems-manager-steps.ts';

const timedOut = /timed? ?out|timeout/i;

/** @param args of the CLI inside the instance */
async function mustTimeOut(lab: LabRun, args: string, what: string): Promise<string> {
  const ran = await awsInside(lab, `${impatient} ${args}`);
  expect(ran.code !== 0 && timedOut.test(ran.output), `${what} to time out`, ran.output);
  return why(ran.output);
}

async function subnet(lab: LabRun, name: string, cidr: string, zone: string): Promise<string> {
  const vpc = made(lab, 'vpc');
  const answer = await lab.laptop
    .aws`ec2 create-subnet --vpc-id ${vpc} --cidr-block ${cidr} --availability-zone ${zone}`;
  lab.made.set(name, answer.Subnet.SubnetId);
  return answer.Subnet.SubnetId;
}

async function routeTable(lab: LabRun, name: string, ...subnets: readonly string[]): Promise<string> {
  const { laptop } = lab;
  const table = (await laptop.aws`ec2 create-route-table --vpc-id ${made(lab, 'vpc')}`).RouteTable.RouteTableId;
  for (const each of subnets) await laptop.aws`ec2 associate-route-table --route-table-id ${table} --subnet-id ${each}`;
  lab.made.set(name, table);
  return table;
}

/** What the name means inside the VPC, sorted. */
async function lookUp(lab: LabRun, name: string): Promise<string[]> {
  const ran = await inside(lab, `getent ahostsv4 ${name} | awk '{print $1}' | sort -u`);
  return mustWork(ran, `looking up ${name}`).split('\n');
}

const interfaceServices = ['sts', 'ec2', ...agentServices];

const steps: Lab['steps'] = [
  {
    id: 'F1',
    title: 'public and private subnets in two zones; a NAT gateway is the private ones’ way out',
    run: async (lab) => {
      const { laptop } = lab;
      const vpc = (await laptop.aws`ec2 create-vpc --cidr-block 10.0.0.0/16`).Vpc.VpcId;
      lab.made.set('vpc', vpc);
      await laptop.aws`ec2 modify-vpc-attribute --vpc-id ${vpc} --enable-dns-hostnames`;
      const publicA = await subnet(lab, 'public-a', '10.0.0.0/24', `${region}a`);
      const publicB = await subnet(lab, 'public-b', '10.0.1.0/24', `${region}b`);
      const privateA = await subnet(lab, 'private-a', '10.0.10.0/24', `${region}a`);
      const privateB = await subnet(lab, 'private-b', '10.0.11.0/24', `${region}b`);
      const gateway = (await laptop.aws`ec2 create-internet-gateway`).InternetGateway.InternetGatewayId;
      lab.made.set('gateway', gateway);
      await laptop.aws`ec2 attach-internet-gateway --internet-gateway-id ${gateway} --vpc-id ${vpc}`;
      const publicTable = await routeTable(lab, 'public-table', publicA, publicB);
      await laptop.aws`ec2 create-route --route-table-id ${publicTable} --destination-cidr-block 0.0.0.0/0 --gateway-id ${gateway}`;
      const privateTable = await routeTable(lab, 'private-table', privateA, privateB);
      const address = await laptop.aws`ec2 allocate-address --domain vpc`;
      lab.made.set('allocation', address.AllocationId);
      const nat = (
        await laptop.aws`ec2 create-nat-gateway --subnet-id ${publicA} --allocation-id ${address.AllocationId}`
      ).NatGateway.NatGatewayId;
      lab.made.set('nat', nat);
      await laptop.settle();
      await laptop.aws`ec2 wait nat-gateway-available --nat-gateway-ids ${nat}`;
      await laptop.aws`ec2 create-route --route-table-id ${privateTable} --destination-cidr-block 0.0.0.0/0 --nat-gateway-id ${nat}`;
      const group = (
        await laptop.aws`ec2 create-security-group --group-name lab --description ${'out, and ssh in'} --vpc-id ${vpc}`
      ).GroupId;
      lab.made.set('group', group);
      await laptop.aws`ec2 authorize-security-group-ingress --group-id ${group} --protocol tcp --port 22 --cidr 0.0.0.0/0`;
      await role(lab);
      const run =
        await laptop.aws`ec2 run-instances ${image} --subnet-id ${privateA} --security-group-ids ${group} --iam-instance-profile Name=lab-profile`;
      const id = run.Instances[0].InstanceId;
      lab.made.set('instance', id);
      await laptop.settle();
      await laptop.aws`ec2 wait instance-running --instance-ids ${id}`;
      await laptop.settle();
      const seen = mustWork(await inside(lab, 'curl -sS -m 5 http://checkip.amazonaws.com/'), 'the internet');
      expect(seen === address.PublicIp, `to be seen as ${address.PublicIp}`, seen);
      const connect = await laptop.postern(['connect', id, 'true']);
      expect(connect.code !== 0, 'no way in from the internet', connect.output);
      return [
        `${id} in ${privateA} has no public address and is seen outside as ${seen}, the Elastic IP of ${nat}`,
        `from the laptop: ${connect.output.trim().split('\n')[0] ?? ''}`,
      ];
    },
  },
  {
    id: 'F2',
    title: 'without the NAT route there is no way out',
    run: async (lab) => {
      const { laptop } = lab;
      await laptop.aws`ec2 delete-route --route-table-id ${made(lab, 'private-table')} --destination-cidr-block 0.0.0.0/0`;
      await laptop.settle();
      const web = await inside(lab, `curl -sS -m 3 ${outsideHost}`);
      expect(web.code === 28, 'curl to time out', web.output);
      return [why(web.output), `S3: ${await mustTimeOut(lab, 's3 ls', 'S3')}`];
    },
  },
  {
    id: 'F3',
    title: 'gateway endpoints for S3 and DynamoDB',
    run: async (lab) => {
      const { laptop, bucket } = lab;
      await laptop.aws`s3api create-bucket --bucket ${bucket}`;
      const tables = [made(lab, 'public-table'), made(lab, 'private-table')];
      for (const service of ['s3', 'dynamodb']) {
        const created =
          await laptop.aws`ec2 create-vpc-endpoint --vpc-id ${made(lab, 'vpc')} --service-name ${`com.amazonaws.${region}.${service}`} --route-table-ids ${tables}`;
        lab.made.set(`${service}-endpoint`, created.VpcEndpoint.VpcEndpointId);
      }
      await laptop.settle();
      mustWork(
        await inside(lab, `cd ~ && echo hello > one.txt && ${awsOnce} s3 cp one.txt s3://${bucket}/`),
        'S3 through its endpoint',
      );
      const road = await lastRoad(lab, 'PutObject');
      expect(
        road.vpcEndpointId === made(lab, 's3-endpoint'),
        `through ${made(lab, 's3-endpoint')}`,
        JSON.stringify(road),
      );
      const definition =
        '--attribute-definitions AttributeName=id,AttributeType=S --key-schema AttributeName=id,KeyType=HASH --billing-mode PAY_PER_REQUEST';
      mustWork(await awsInside(lab, `dynamodb create-table --table-name lab ${definition}`), 'create-table');
      mustWork(await awsInside(lab, 'dynamodb wait table-exists --table-name lab'), 'the table');
      mustWork(
        await awsInside(lab, `dynamodb put-item --table-name lab --item '{"id":{"S":"a"},"n":{"N":"1"}}'`),
        'put-item',
      );
      const item = mustWork(
        await awsInside(
          lab,
          `dynamodb get-item --table-name lab --key '{"id":{"S":"a"}}' --query Item.n.N --output text`,
        ),
        'get-item',
      );
      expect(item === '1', 'the item', item);
      const query = `dynamodb query --table-name lab --key-condition-expression 'id = :i' --expression-attribute-values '{":i":{"S":"a"}}' --query Count`;
      expect(mustWork(await awsInside(lab, query), 'query') === '1', 'one item', query);
      const table = await lastRoad(lab, 'Query');
      expect(
        table.vpcEndpointId === made(lab, 'dynamodb-endpoint'),
        `through ${made(lab, 'dynamodb-endpoint')}`,
        JSON.stringify(table),
      );
      const web = await inside(lab, `curl -sS -m 3 ${outsideHost}`);
      expect(web.code === 28, 'the internet to time out still', web.output);
      return [
        `S3 from ${road.sourceIp} through ${road.vpcEndpointId}`,
        `DynamoDB from ${table.sourceIp} through ${table.vpcEndpointId}`,
        why(web.output),
      ];
    },
  },
  {
    id: 'F4',
    title: 'interface endpoints: an interface per subnet, private DNS, no internet; the instance becomes a node',
    run: async (lab) => {
      const { laptop } = lab;
      const vpc = made(lab, 'vpc');
      const door = (
        await laptop.aws`ec2 create-security-group --group-name door --description ${'443 from the VPC'} --vpc-id ${vpc}`
      ).GroupId;
      lab.made.set('door', door);
      await laptop.aws`ec2 authorize-security-group-ingress --group-id ${door} --protocol tcp --port 443 --cidr 10.0.0.0/16`;
      const subnets = [made(lab, 'private-a'), made(lab, 'private-b')];
      const evidence: string[] = [];
      for (const service of interfaceServices) {
        const created =
          await laptop.aws`ec2 create-vpc-endpoint --vpc-endpoint-type Interface --vpc-id ${vpc} --service-name ${`com.amazonaws.${region}.${service}`} --subnet-ids ${subnets} --security-group-ids ${door} --private-dns-enabled`;
        const { VpcEndpointId, NetworkInterfaceIds } = created.VpcEndpoint;
        lab.made.set(`${service}-endpoint`, VpcEndpointId);
        expect(NetworkInterfaceIds.length === 2, 'one interface per subnet', JSON.stringify(NetworkInterfaceIds));
        await laptop.settle();
        const cards = (await laptop.aws`ec2 describe-network-interfaces --network-interface-ids ${NetworkInterfaceIds}`)
          .NetworkInterfaces;
        const addresses = cards.map((card: { PrivateIpAddress: string }) => card.PrivateIpAddress).sort();
        const found = await lookUp(lab, `${service}.${region}.amazonaws.com`);
        expect(found.join() === addresses.join(), `${service} to be ${addresses.join()}`, found.join());
        evidence.push(`${service}.${region}.amazonaws.com is ${found.join(', ')} in the VPC (${VpcEndpointId})`);
      }
      const arn = mustWork(
        await awsInside(lab, 'sts get-caller-identity --query Arn --output text'),
        'sts by its endpoint',
      );
      const road = await lastRoad(lab, 'GetCallerIdentity');
      expect(
        road.vpcEndpointId === made(lab, 'sts-endpoint'),
        `through ${made(lab, 'sts-endpoint')}`,
        JSON.stringify(road),
      );
      return [...evidence, `${arn} from ${road.sourceIp} through ${road.vpcEndpointId}`, await becomeNode(lab)];
    },
  },
  {
    id: 'F5',
    title: 'a command and a shell, with no internet, no public address and no open port',
    run: commandAndShell,
  },
  {
    id: 'F6',
    title: 'no 443 in the endpoint’s security group',
    run: async (lab) => {
      const { laptop } = lab;
      const rule = ['--group-id', made(lab, 'door'), '--protocol', 'tcp', '--port', '443', '--cidr', '10.0.0.0/16'];
      await laptop.aws`ec2 revoke-security-group-ingress ${rule}`;
      await laptop.settle();
      const message = await mustTimeOut(lab, 'sts get-caller-identity', 'sts');
      const lost = await lostNode(lab);
      await laptop.aws`ec2 authorize-security-group-ingress ${rule}`;
      await laptop.settle();
      return [message, ...lost, await nodeComesBack(lab)];
    },
  },
  {
    id: 'F7',
    title: 'private DNS off: public addresses, no route; the vpce- name still works',
    run: async (lab) => {
      const { laptop } = lab;
      const id = made(lab, 'sts-endpoint');
      await laptop.aws`ec2 modify-vpc-endpoint --vpc-endpoint-id ${id} --no-private-dns-enabled`;
      await laptop.settle();
      const found = await lookUp(lab, `sts.${region}.amazonaws.com`);
      expect(!found.some((one) => one.startsWith('10.')), 'public addresses', found.join());
      const message = await mustTimeOut(lab, 'sts get-caller-identity', 'sts by its public name');
      const described = (await laptop.aws`ec2 describe-vpc-endpoints --vpc-endpoint-ids ${id}`).VpcEndpoints[0];
      const name = described.DnsEntries[0].DnsName;
      mustWork(await awsInside(lab, `--endpoint-url https://${name} sts get-caller-identity`), 'sts by its vpce- name');
      await laptop.aws`ec2 modify-vpc-endpoint --vpc-endpoint-id ${id} --private-dns-enabled`;
      return [`sts.${region}.amazonaws.com is ${found.join(', ')}: ${message}`, `${name} works`];
    },
  },
  {
    id: 'F8',
    title: 'an outside host must fail, a file from S3 must come',
    run: async (lab) => {
      const { bucket } = lab;
      const web = await inside(lab, `curl -sS -m 3 ${outsideHost}`);
      expect(web.code === 28, 'curl to time out', web.output);
      const script = `cd ~ && head -c 20000000 /dev/zero > image && ${awsOnce} s3 cp image s3://${bucket}/ && rm image && ${awsOnce} s3 cp s3://${bucket}/image . && stat -c %s image`;
      const text = mustWork(await inside(lab, script), 'a file from S3');
      expect(text.endsWith('20000000'), '20,000,000 bytes', text);
      return [why(web.output), 'image: 20,000,000 bytes came from S3'];
    },
  },
  cloudtrailStep,
  {
    id: 'F11',
    title: 'clean up, in the wrong order and in the right one',
    run: async (lab) => {
      const { laptop, bucket } = lab;
      const vpc = made(lab, 'vpc');
      const violation = laptop.refused('DependencyViolation');
      const evidence = [
        why(await violation`ec2 delete-subnet --subnet-id ${made(lab, 'private-a')}`),
        why(await violation`ec2 delete-security-group --group-id ${made(lab, 'door')}`),
        mustFail(
          await laptop.try`ec2 release-address --allocation-id ${made(lab, 'allocation')}`,
          'InvalidIPAddress.InUse',
          'releasing the NAT gateway’s address',
        ),
      ];
      await laptop.aws`ec2 terminate-instances --instance-ids ${made(lab, 'instance')}`;
      await laptop.settle();
      await laptop.aws`ec2 wait instance-terminated --instance-ids ${made(lab, 'instance')}`;
      const endpoints = ['s3', 'dynamodb', ...interfaceServices].map((service) => made(lab, `${service}-endpoint`));
      await laptop.aws`ec2 delete-vpc-endpoints --vpc-endpoint-ids ${endpoints}`;
      await laptop.aws`ec2 delete-nat-gateway --nat-gateway-id ${made(lab, 'nat')}`;
      await laptop.settle();
      await laptop.aws`ec2 wait nat-gateway-deleted --nat-gateway-ids ${made(lab, 'nat')}`;
      await laptop.aws`ec2 release-address --allocation-id ${made(lab, 'allocation')}`;
      await laptop.aws`ec2 detach-internet-gateway --internet-gateway-id ${made(lab, 'gateway')} --vpc-id ${vpc}`;
      await laptop.aws`ec2 delete-internet-gateway --internet-gateway-id ${made(lab, 'gateway')}`;
      for (const name of ['public-a', 'public-b', 'private-a', 'private-b'])
        await laptop.aws`ec2 delete-subnet --subnet-id ${made(lab, name)}`;
      for (const name of ['public-table', 'private-table'])
        await laptop.aws`ec2 delete-route-table --route-table-id ${made(lab, name)}`;
      for (const name of ['group', 'door']) await laptop.aws`ec2 delete-security-group --group-id ${made(lab, name)}`;
      await laptop.aws`ec2 delete-vpc --vpc-id ${vpc}`;
      await laptop.aws`s3 rb --force s3://${bucket}`;
      await laptop.aws`dynamodb delete-table --table-name lab`;
      return [...evidence, 'in the right order everything goes'];
    },
  },
];

/** For the instance: all of S3 and DynamoDB, and to look at VPCs. */
async function role({ laptop }: LabRun): Promise<void> {
  const trust = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }],
  };
  const policy = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: ['s3:*', 'dynamodb:*', 'ec2:Describe*'], Resource: '*' }],
  };
  await laptop.aws`iam create-role --role-name lab-role --assume-role-policy-document ${JSON.stringify(trust)}`;
  await laptop.aws`iam put-role-policy --role-name lab-role --policy-name lab --policy-document ${JSON.stringify(policy)}`;
  await laptop.aws`iam create-instance-profile --instance-profile-name lab-profile`;
  await laptop.aws`iam add-role-to-instance-profile --instance-profile-name lab-profile --role-name lab-role`;
}

export const privateSubnetsLab: Lab = {
  id: 'f',
  title: 'private subnets: a NAT gateway, then endpoints and no internet',
  steps,
};
