// The API figures of EC2: reads small and large, and durable writes.

import { type Case, elementOf, once, type Target } from './measure.ts';

interface Ids {
  readonly vpcId: string;
  readonly groupId: string;
}

const query = (parameters: Record<string, string>) => ({
  service: 'ec2',
  method: 'POST',
  path: '/',
  headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
  body: Buffer.from(new URLSearchParams({ Version: '2016-11-15', ...parameters }).toString()),
});
let serial = 0;

export const apiCases: readonly Case<Ids>[] = [
  {
    name: 'DescribeVpcs',
    bareGoal: 0.3,
    motoGoal: 20,
    floor: 'signature',
    distinct: 1,
    wanted: () => query({ Action: 'DescribeVpcs' }),
  },
  { name: 'DescribeSubnets (1,000)', motoGoal: 20, distinct: 1, wanted: () => query({ Action: 'DescribeSubnets' }) },
  {
    name: 'CreateVpc',
    bareGoal: 0.3,
    motoGoal: 20,
    floor: 'commit',
    distinct: 1,
    wanted: () => query({ Action: 'CreateVpc', CidrBlock: '10.9.0.0/16' }),
  },
  {
    name: 'CreateSecurityGroup',
    bareGoal: 0.3,
    motoGoal: 20,
    floor: 'commit',
    distinct: 'each',
    wanted: (_index, ids) =>
      query({
        Action: 'CreateSecurityGroup',
        GroupName: `bench-${serial++}`,
        GroupDescription: 'bench',
        VpcId: ids.vpcId,
      }),
  },
  {
    name: 'AuthorizeSecurityGroupIngress',
    bareGoal: 0.3,
    motoGoal: 20,
    floor: 'commit',
    distinct: 'each',
    wanted: (_index, ids) => {
      const one = serial++;
      return query({
        Action: 'AuthorizeSecurityGroupIngress',
        GroupId: ids.groupId,
        'IpPermissions.1.IpProtocol': 'tcp',
        'IpPermissions.1.FromPort': '443',
        'IpPermissions.1.ToPort': '443',
        'IpPermissions.1.IpRanges.1.CidrIp': `10.${(one >> 16) & 255}.${(one >> 8) & 255}.${one & 255}/32`,
      });
    },
  },
];

export async function furnishApi(target: Target, subnets = 1000): Promise<Ids> {
  const vpcId = elementOf(
    target,
    await once(target, query({ Action: 'CreateVpc', CidrBlock: '10.0.0.0/16' })),
    'vpcId',
  );
  for (let index = 0; index < subnets; index += 1) {
    const cidr = `10.0.${index >> 4}.${(index & 15) * 16}/28`;
    await once(target, query({ Action: 'CreateSubnet', VpcId: vpcId, CidrBlock: cidr }));
  }
  const groupId = elementOf(
    target,
    await once(
      target,
      query({ Action: 'CreateSecurityGroup', GroupName: 'bench', GroupDescription: 'bench', VpcId: vpcId }),
    ),
    'groupId',
  );
  return { vpcId, groupId };
}
