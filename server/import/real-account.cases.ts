// A small real account as AWS describes it, with what real accounts have: a transit gateway, load balancers, a database and a function, a terminated instance, IPv6,
// a list of customers' addresses, entries that AWS adds of its own. Written by hand after the shapes of the AWS CLI's documented examples. Used by tests only.

const Tags = (name: string) => [{ Key: 'Name', Value: name }];
const VpcId = 'vpc-0a1b2c3d4e5f60718';
const owner = '111122223333';
const everywhere = [{ CidrIp: '0.0.0.0/0' }];

const associated = { State: 'associated' };

function subnet(SubnetId: string, name: string, CidrBlock: string, zone: string) {
  return {
    AvailabilityZone: `eu-west-1${zone}`,
    AvailabilityZoneId: `euw1-az${zone === 'a' ? 1 : 2}`,
    AvailableIpAddressCount: 240,
    CidrBlock,
    DefaultForAz: false,
    MapPublicIpOnLaunch: false,
    MapCustomerOwnedIpOnLaunch: false,
    State: 'available',
    SubnetId,
    VpcId,
    OwnerId: owner,
    AssignIpv6AddressOnCreation: false,
    Ipv6CidrBlockAssociationSet: [],
    Tags: Tags(name),
    SubnetArn: `arn:aws:ec2:eu-west-1:${owner}:subnet/${SubnetId}`,
    EnableDns64: false,
    Ipv6Native: false,
    PrivateDnsNameOptionsOnLaunch: {
      HostnameType: 'ip-name',
      EnableResourceNameDnsARecord: false,
      EnableResourceNameDnsAAAARecord: false,
    },
    BlockPublicAccessStates: { InternetGatewayBlockMode: 'off' },
  };
}

function card(NetworkInterfaceId: string, SubnetId: string, PrivateIpAddress: string, group: string, more: object) {
  return {
    AvailabilityZone: 'eu-west-1a',
    Description: '',
    Groups: [{ GroupName: group.slice(3), GroupId: group }],
    InterfaceType: 'interface',
    Ipv6Addresses: [],
    MacAddress: '02:d0:11:22:33:44',
    NetworkInterfaceId,
    OwnerId: owner,
    PrivateDnsName: '',
    PrivateIpAddress,
    PrivateIpAddresses: [{ Primary: true, PrivateIpAddress }],
    RequesterManaged: false,
    SourceDestCheck: true,
    Status: 'in-use',
    SubnetId,
    TagSet: [],
    VpcId,
    ...more,
  };
}

/** An interface that a service of AWS's made for itself. */
const managed = (RequesterId: string, InstanceOwnerId: string, Description: string, InterfaceType = 'interface') => ({
  RequesterManaged: true,
  RequesterId,
  Description,
  InterfaceType,
  Attachment: {
    AttachmentId: 'ela-attach-0f0f0f0f',
    DeleteOnTermination: false,
    DeviceIndex: 1,
    InstanceOwnerId,
    Status: 'attached',
  },
});

const attached = (InstanceId: string) => ({
  Attachment: {
    AttachTime: '2026-01-10T10:10:10+00:00',
    AttachmentId: 'eni-attach-0a0a0a0a',
    DeleteOnTermination: true,
    DeviceIndex: 0,
    NetworkCardIndex: 0,
    InstanceId,
    InstanceOwnerId: owner,
    Status: 'attached',
  },
});

const Association = (PublicIp: string) => ({
  IpOwnerId: 'amazon',
  PublicDnsName: `ec2-${PublicIp.replaceAll('.', '-')}.eu-west-1.compute.amazonaws.com`,
  PublicIp,
});

const instance = (InstanceId: string, name: string, SubnetId: string) => ({
  InstanceId,
  ImageId: 'ami-0c1bc246476a5572b',
  InstanceType: 't3.micro',
  State: { Code: 16, Name: 'running' },
  SubnetId,
  VpcId,
  Tags: Tags(name),
  MetadataOptions: {
    State: 'applied',
    HttpTokens: 'required',
    HttpPutResponseHopLimit: 2,
    HttpEndpoint: 'enabled',
    HttpProtocolIpv6: 'disabled',
    InstanceMetadataTags: 'disabled',
  },
  PrivateDnsNameOptions: { HostnameType: 'ip-name' },
});

const [open, app, data] = ['subnet-0aaaaaaaaaaaaaaa1', 'subnet-0aaaaaaaaaaaaaaa2', 'subnet-0aaaaaaaaaaaaaaa3'];
const acl = (Egress: boolean) => [
  { CidrBlock: '0.0.0.0/0', Egress, Protocol: '-1', RuleAction: 'allow', RuleNumber: 100 },
  { Ipv6CidrBlock: '::/0', Egress, Protocol: '-1', RuleAction: 'allow', RuleNumber: 101 },
  { CidrBlock: '0.0.0.0/0', Egress, Protocol: '-1', RuleAction: 'deny', RuleNumber: 32767 },
  { Ipv6CidrBlock: '::/0', Egress, Protocol: '-1', RuleAction: 'deny', RuleNumber: 32768 },
]; // biome-ignore format: a table
const group = (GroupId: string, IpPermissions: object[]) => ({
  Description: GroupId,
  GroupName: GroupId.slice(3),
  GroupId,
  OwnerId: owner,
  VpcId,
  Tags: [],
  IpPermissions,
  IpPermissionsEgress: [
    { IpProtocol: '-1', IpRanges: everywhere, Ipv6Ranges: [], PrefixListIds: [], UserIdGroupPairs: [] },
  ],
});
const permit = (port: number, more: object) => ({
  IpProtocol: 'tcp',
  FromPort: port,
  ToPort: port,
  IpRanges: [],
  Ipv6Ranges: [],
  PrefixListIds: [],
  UserIdGroupPairs: [],
  ...more,
});
const from = (GroupId: string) => ({ UserIdGroupPairs: [{ GroupId, UserId: owner }] });
const route = (destination: object, target: object, more: object = {}) => ({
  ...destination,
  ...target,
  Origin: 'CreateRoute',
  State: 'active',
  ...more,
});
const to = (DestinationCidrBlock: string) => ({ DestinationCidrBlock });

/** By the name of the file. */
export const realAccount: Readonly<Record<string, object>> = {
  vpcs: {
    Vpcs: [
      {
        CidrBlock: '10.20.0.0/16',
        DhcpOptionsId: 'dopt-19edf471',
        State: 'available',
        VpcId,
        OwnerId: owner,
        InstanceTenancy: 'default',
        IsDefault: false,
        Tags: Tags('prod'),
        CidrBlockAssociationSet: [
          { AssociationId: 'vpc-cidr-assoc-062c', CidrBlock: '10.20.0.0/16', CidrBlockState: associated },
          {
            AssociationId: 'vpc-cidr-assoc-063c',
            CidrBlock: '100.64.0.0/20',
            CidrBlockState: { State: 'disassociated' },
          },
        ],
      },
    ],
  },
  subnets: {
    Subnets: [
      subnet(open, 'public-a', '10.20.0.0/24', 'a'),
      subnet(app, 'app-a', '10.20.1.0/24', 'a'),
      subnet(data, 'data-a', '10.20.2.0/24', 'a'),
    ],
  },
  'route-tables': {
    RouteTables: [
      {
        RouteTableId: 'rtb-0main',
        VpcId,
        OwnerId: owner,
        PropagatingVgws: [],
        Tags: [],
        Associations: [
          {
            Main: true,
            RouteTableAssociationId: 'rtbassoc-01',
            RouteTableId: 'rtb-0main',
            AssociationState: associated,
          },
        ],
        Routes: [
          route(to('10.20.0.0/16'), { GatewayId: 'local' }, { Origin: 'CreateRouteTable' }),
          route({ DestinationPrefixListId: 'pl-6da54004' }, { GatewayId: 'vpce-0gateway' }),
          route(to('10.0.0.0/8'), { TransitGatewayId: 'tgw-0123456789abcdef0' }),
          route(to('172.16.0.0/12'), { GatewayId: 'vgw-0a1b2c3d' }, { Origin: 'EnableVgwRoutePropagation' }),
          route(to('0.0.0.0/0'), { NatGatewayId: 'nat-0aaaaaaaaaaaaaaaa' }),
        ],
      },
      {
        RouteTableId: 'rtb-0public',
        VpcId,
        OwnerId: owner,
        PropagatingVgws: [],
        Tags: [],
        Associations: [
          {
            Main: false,
            RouteTableAssociationId: 'rtbassoc-02',
            RouteTableId: 'rtb-0public',
            SubnetId: open,
            AssociationState: associated,
          },
        ],
        Routes: [
          route(to('10.20.0.0/16'), { GatewayId: 'local' }),
          route(to('0.0.0.0/0'), { GatewayId: 'igw-0a1b2c3d' }),
          route(to('192.0.2.0/24'), { NetworkInterfaceId: 'eni-0gone' }, { State: 'blackhole' }),
        ],
      },
      {
        RouteTableId: 'rtb-0data',
        VpcId,
        OwnerId: owner,
        PropagatingVgws: [],
        Tags: [],
        Associations: [
          {
            Main: false,
            RouteTableAssociationId: 'rtbassoc-03',
            RouteTableId: 'rtb-0data',
            SubnetId: data,
            AssociationState: associated,
          },
        ],
        Routes: [route(to('10.20.0.0/16'), { GatewayId: 'local' })],
      },
    ],
  },
  'network-acls': {
    NetworkAcls: [
      {
        NetworkAclId: 'acl-5fb85d36',
        VpcId,
        OwnerId: owner,
        IsDefault: true,
        Tags: [],
        Entries: [...acl(true), ...acl(false)],
        Associations: [open, app, data].map((SubnetId, place) => ({
          NetworkAclAssociationId: `aclassoc-0${place}`,
          NetworkAclId: 'acl-5fb85d36',
          SubnetId,
        })),
      },
    ],
  },
  'security-groups': {
    SecurityGroups: [
      group('sg-alb', [permit(443, { IpRanges: everywhere, Ipv6Ranges: [{ CidrIpv6: '::/0' }] })]),
      group('sg-app', [
        permit(8080, from('sg-alb')),
        permit(22, { PrefixListIds: [{ PrefixListId: 'pl-0customer' }] }),
      ]),
      group('sg-db', [permit(5432, from('sg-app'))]),
      group('sg-fn', []),
      group('sg-office', [permit(22, { IpRanges: [{ CidrIp: '10.0.0.0/8' }] })]),
    ],
  },
  'network-interfaces': {
    NetworkInterfaces: [
      card('eni-0alb', open, '10.20.0.10', 'sg-alb', {
        ...managed('amazon-elb', 'amazon-elb', 'ELB app/front/50dc6c495c0c9188'),
        Association: Association('54.229.0.10'),
        PrivateIpAddresses: [
          { Primary: true, PrivateIpAddress: '10.20.0.10', Association: Association('54.229.0.10') },
        ],
      }),
      card('eni-0bastion', open, '10.20.0.11', 'sg-office', {
        ...attached('i-0bastion'),
        Association: Association('54.229.0.11'),
        PrivateIpAddresses: [
          { Primary: true, PrivateIpAddress: '10.20.0.11', Association: Association('54.229.0.11') },
        ],
      }),
      card('eni-0app', app, '10.20.1.10', 'sg-app', attached('i-0app')),
      card(
        'eni-0fn',
        app,
        '10.20.1.20',
        'sg-fn',
        managed('AROAEXAMPLE:fn', 'amazon-aws', 'AWS Lambda VPC ENI-fn-6f1a', 'lambda'),
      ),
      card('eni-0db', data, '10.20.2.10', 'sg-db', managed('amazon-rds', 'amazon-rds', 'RDSNetworkInterface')),
      card('eni-0nat', open, '10.20.0.12', 'sg-none', {
        ...managed('145896863245', 'amazon-aws', 'Interface for NAT Gateway nat-0aaaaaaaaaaaaaaaa', 'nat_gateway'),
        Groups: [],
        SourceDestCheck: false,
        PrivateIpAddresses: [
          { Primary: true, PrivateIpAddress: '10.20.0.12', Association: Association('54.229.0.12') },
        ],
      }),
      card('eni-0free', app, '10.20.1.99', 'sg-app', { Status: 'available' }),
    ],
  },
  instances: {
    Reservations: [
      {
        OwnerId: owner,
        ReservationId: 'r-1',
        Groups: [],
        Instances: [
          instance('i-0bastion', 'bastion', open),
          instance('i-0app', 'app', app),
          {
            InstanceId: 'i-0terminated',
            State: { Code: 48, Name: 'terminated' },
            InstanceType: 't3.micro',
            NetworkInterfaces: [],
            SecurityGroups: [],
          },
        ],
      },
    ],
  },
  'internet-gateways': {
    InternetGateways: [
      { InternetGatewayId: 'igw-0a1b2c3d', OwnerId: owner, Attachments: [{ State: 'available', VpcId }], Tags: [] },
    ],
  },
  'nat-gateways': {
    NatGateways: [
      {
        NatGatewayId: 'nat-0aaaaaaaaaaaaaaaa',
        VpcId,
        SubnetId: open,
        State: 'available',
        ConnectivityType: 'public',
        CreateTime: '2026-01-01T00:00:00+00:00',
        Tags: [],
        NatGatewayAddresses: [
          {
            AllocationId: 'eipalloc-01',
            NetworkInterfaceId: 'eni-0nat',
            PrivateIp: '10.20.0.12',
            PublicIp: '54.229.0.12',
            IsPrimary: true,
            Status: 'succeeded',
          },
        ],
      },
    ],
  },
  'vpc-endpoints': {
    VpcEndpoints: [
      {
        VpcEndpointId: 'vpce-0gateway',
        VpcEndpointType: 'Gateway',
        VpcId,
        ServiceName: 'com.amazonaws.eu-west-1.s3',
        State: 'available',
        OwnerId: owner,
        RouteTableIds: ['rtb-0main'],
        SubnetIds: [],
        Groups: [],
        PolicyDocument:
          '{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:Get*","Resource":"*"}]}',
        PrivateDnsEnabled: false,
        NetworkInterfaceIds: [],
        DnsEntries: [],
      },
    ],
  },
  'prefix-lists': {
    PrefixLists: [
      {
        PrefixListId: 'pl-6da54004',
        PrefixListName: 'com.amazonaws.eu-west-1.s3',
        Cidrs: ['52.218.0.0/17', '3.5.64.0/21'],
      },
    ],
  },
  'managed-prefix-lists': {
    PrefixLists: [
      {
        PrefixListId: 'pl-0customer',
        AddressFamily: 'IPv4',
        State: 'create-complete',
        PrefixListName: 'offices',
        MaxEntries: 10,
        Version: 1,
        OwnerId: owner,
      },
    ],
  },
  'transit-gateways': {
    TransitGateways: [{ TransitGatewayId: 'tgw-0123456789abcdef0', State: 'available', OwnerId: owner }],
  },
  iam: {
    UserDetailList: [],
    GroupDetailList: [],
    Policies: [],
    RoleDetailList: [
      {
        Path: '/',
        RoleName: 'app',
        RoleId: 'AROAAPP',
        Arn: `arn:aws:iam::${owner}:role/app`,
        CreateDate: '2026-01-01T00:00:00+00:00',
        AttachedManagedPolicies: [],
        InstanceProfileList: [],
        AssumeRolePolicyDocument: {
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }],
        },
        RolePolicyList: [
          {
            PolicyName: 'media',
            PolicyDocument: {
              Version: '2012-10-17',
              Statement: [
                {
                  Sid: 'Read',
                  Effect: 'Allow',
                  Action: ['s3:GetObject', 's3:PutObject'],
                  Resource: 'arn:aws:s3:::media/*',
                },
                {
                  Effect: 'Allow',
                  Action: 's3:ListBucket',
                  Resource: 'arn:aws:s3:::media',
                  Condition: { StringLike: { 's3:prefix': 'photos/*' } },
                },
              ],
            },
          },
        ],
      },
    ],
  },
  buckets: {
    Buckets: [{ Name: 'media', CreationDate: '2026-01-01T00:00:00+00:00', BucketRegion: 'eu-west-1' }],
    Owner: { ID: 'abc' },
  },
  'bucket-policy.media': {
    Policy:
      '{"Version":"2012-10-17","Statement":[{"Sid":"OnlyOurDoor","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::media","arn:aws:s3:::media/*"],"Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-0gateway"}}}]}',
  },
};
