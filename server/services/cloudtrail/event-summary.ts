// What LookupEvents tells of a record besides its text: whose name it is under, and which resources it names.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_Event.html (read 2026-11-22); which resources AWS finds in which record no page says:
// here they are those whose ids or names are in the request and the answer.

import type { Event, Resource } from '@aws-sdk/client-cloudtrail';

export interface EventFields {
  readonly eventID: string;
  readonly eventName: string;
  readonly eventSource: string;
  readonly eventTime: string;
  readonly readOnly: boolean;
  readonly userIdentity: {
    readonly type: string;
    readonly accessKeyId?: string;
    readonly userName?: string;
    readonly principalId?: string;
  };
  readonly requestParameters?: unknown;
  readonly responseElements?: unknown;
}

/** The user; `root`; the name of a role's session or of a federated user. */
function usernameOf({ type, userName, principalId }: EventFields['userIdentity']): string | undefined {
  switch (type) {
    case 'Root':
      return 'root';
    case 'AssumedRole':
    case 'FederatedUser':
      return principalId?.slice(principalId.indexOf(':') + 1);
    default:
      return userName;
  }
}

type Types = Readonly<Record<string, string>>;

const ec2Types: Types = {
  vpcId: 'AWS::EC2::VPC',
  subnetId: 'AWS::EC2::Subnet',
  instanceId: 'AWS::EC2::Instance',
  imageId: 'AWS::EC2::Ami',
  groupId: 'AWS::EC2::SecurityGroup',
  internetGatewayId: 'AWS::EC2::InternetGateway',
  natGatewayId: 'AWS::EC2::NatGateway',
  routeTableId: 'AWS::EC2::RouteTable',
  networkAclId: 'AWS::EC2::NetworkAcl',
  networkInterfaceId: 'AWS::EC2::NetworkInterface',
  vpcEndpointId: 'AWS::EC2::VPCEndpoint',
  vpcPeeringConnectionId: 'AWS::EC2::VPCPeeringConnection',
  transitGatewayId: 'AWS::EC2::TransitGateway',
  volumeId: 'AWS::EC2::Volume',
  allocationId: 'AWS::EC2::EIP',
  keyName: 'AWS::EC2::KeyPair',
};
const iamTypes: Types = {
  userName: 'AWS::IAM::User',
  groupName: 'AWS::IAM::Group',
  roleName: 'AWS::IAM::Role',
  policyArn: 'AWS::IAM::Policy',
  policyName: 'AWS::IAM::Policy',
  instanceProfileName: 'AWS::IAM::InstanceProfile',
  accessKeyId: 'AWS::IAM::AccessKey',
  serialNumber: 'AWS::IAM::MfaDevice',
};
/** By the event's source: members of request and answer whose values are resources. */
const typesBySource: Readonly<Record<string, Types>> = {
  'ec2.amazonaws.com': ec2Types,
  'ec2-instance-connect.amazonaws.com': ec2Types,
  'iam.amazonaws.com': iamTypes,
  'sts.amazonaws.com': {
    roleArn: 'AWS::IAM::Role',
    arn: 'AWS::STS::AssumedRole',
    assumedRoleId: 'AWS::STS::AssumedRole',
    accessKeyId: 'AWS::IAM::AccessKey',
  },
  's3.amazonaws.com': { bucketName: 'AWS::S3::Bucket' },
  'dynamodb.amazonaws.com': { tableName: 'AWS::DynamoDB::Table', tableArn: 'AWS::DynamoDB::Table' },
  'kms.amazonaws.com': { keyId: 'AWS::KMS::Key', targetKeyId: 'AWS::KMS::Key', aliasName: 'AWS::KMS::Alias' },
  'cloudtrail.amazonaws.com': { trailName: 'AWS::CloudTrail::Trail', trailARN: 'AWS::CloudTrail::Trail' },
  'ssm.amazonaws.com': { target: 'AWS::EC2::Instance', instanceId: 'AWS::EC2::Instance' },
};

function resourcesOf({ eventSource, requestParameters, responseElements }: EventFields): Resource[] {
  const types = typesBySource[eventSource];
  const found = new Map<string, Resource>();
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [name, inner] of Object.entries(value)) {
      // The query's names begin with a capital.
      const ResourceType = types?.[name.charAt(0).toLowerCase() + name.slice(1)];
      if (ResourceType === undefined || typeof inner === 'object') look(inner);
      else found.set(`${ResourceType} ${inner}`, { ResourceType, ResourceName: String(inner) });
    }
  };
  look(requestParameters);
  look(responseElements);
  return [...found.values()];
}

export function summaryOf(fields: EventFields, text: string): Event {
  const Username = usernameOf(fields.userIdentity);
  const AccessKeyId = fields.userIdentity.accessKeyId;
  return {
    EventId: fields.eventID,
    EventName: fields.eventName,
    ReadOnly: String(fields.readOnly),
    ...(AccessKeyId !== undefined && { AccessKeyId }),
    EventTime: new Date(fields.eventTime),
    EventSource: fields.eventSource,
    ...(Username !== undefined && { Username }),
    Resources: resourcesOf(fields),
    CloudTrailEvent: text,
  };
}
