// Which policies does AWS itself manage, and what do they say? The ones that labs and everyday examples attach; versions and dates as published by 2026-03.
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html. Gaps: the others are not there; ReadOnlyAccess, SecurityAudit and
// ViewOnlyAccess are stated in a short form of our own for the services that Postern has (AWS lists thousands of actions).

import { createHash } from 'node:crypto';

type Conditions = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;

interface AuthoredStatement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action?: string | readonly string[];
  readonly NotAction?: readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Conditions;
}

interface AuthoredPolicy {
  readonly path?: string;
  readonly version: number;
  /** When that version was published. */
  readonly date: string;
  readonly statements: readonly AuthoredStatement[];
}

/** Actions of one service, named without its prefix. */
function of(service: string, names: string): string[] {
  return names
    .trim()
    .split(/\s+/)
    .map((name) => `${service}:${name}`);
}

function allow(...actions: readonly (string | readonly string[])[]): AuthoredStatement {
  return { Effect: 'Allow', Action: actions.flat(), Resource: '*' };
}

function allowOn(resource: string | readonly string[], ...actions: readonly string[]): AuthoredStatement {
  return { Effect: 'Allow', Action: actions, Resource: resource };
}

const ssmAgentCore = of(
  'ssm',
  `DescribeAssociation GetDeployablePatchSnapshotForInstance GetDocument DescribeDocument GetManifest ListAssociations ListInstanceAssociations
   PutInventory PutComplianceItems PutConfigurePackageResult UpdateAssociationStatus UpdateInstanceAssociationStatus UpdateInstanceInformation`,
);
const ssmMessages = of('ssmmessages', 'CreateControlChannel CreateDataChannel OpenControlChannel OpenDataChannel');
const ec2Messages = of('ec2messages', 'AcknowledgeMessage DeleteMessage FailMessage GetEndpoint GetMessages SendReply');

const vpcDescribes = `DescribeAccountAttributes DescribeAddresses DescribeCarrierGateways DescribeClassicLinkInstances DescribeCustomerGateways
  DescribeDhcpOptions DescribeEgressOnlyInternetGateways DescribeFlowLogs DescribeInternetGateways DescribeLocalGatewayRouteTables
  DescribeLocalGatewayRouteTableVpcAssociations DescribeMovingAddresses DescribeNatGateways DescribeNetworkAcls DescribeNetworkInterfaceAttribute
  DescribeNetworkInterfacePermissions DescribeNetworkInterfaces DescribePrefixLists DescribeRouteTables DescribeSecurityGroupReferences
  DescribeSecurityGroupRules DescribeSecurityGroups DescribeSecurityGroupVpcAssociations DescribeStaleSecurityGroups DescribeSubnets DescribeTags
  DescribeVpcAttribute DescribeVpcClassicLink DescribeVpcClassicLinkDnsSupport DescribeVpcEndpoints DescribeVpcEndpointConnectionNotifications
  DescribeVpcEndpointConnections DescribeVpcEndpointServiceConfigurations DescribeVpcEndpointServicePermissions DescribeVpcEndpointServices
  DescribeVpcPeeringConnections DescribeVpcs DescribeVpnConnections DescribeVpnGateways GetSecurityGroupsForVpc`;

const vpcChanges = `AcceptVpcPeeringConnection AcceptVpcEndpointConnections AllocateAddress AssignIpv6Addresses AssignPrivateIpAddresses AssociateAddress
  AssociateDhcpOptions AssociateRouteTable AssociateSecurityGroupVpc AssociateSubnetCidrBlock AssociateVpcCidrBlock AttachClassicLinkVpc
  AttachInternetGateway AttachNetworkInterface AttachVpnGateway AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress CreateCarrierGateway
  CreateCustomerGateway CreateDefaultSubnet CreateDefaultVpc CreateDhcpOptions CreateEgressOnlyInternetGateway CreateFlowLogs CreateInternetGateway
  CreateLocalGatewayRouteTableVpcAssociation CreateNatGateway CreateNetworkAcl CreateNetworkAclEntry CreateNetworkInterface
  CreateNetworkInterfacePermission CreateRoute CreateRouteTable CreateSecurityGroup CreateSubnet CreateTags CreateVpc CreateVpcEndpoint
  CreateVpcEndpointConnectionNotification CreateVpcEndpointServiceConfiguration CreateVpcPeeringConnection CreateVpnConnection
  CreateVpnConnectionRoute CreateVpnGateway DeleteCarrierGateway DeleteCustomerGateway DeleteDhcpOptions DeleteEgressOnlyInternetGateway
  DeleteFlowLogs DeleteInternetGateway DeleteLocalGatewayRouteTableVpcAssociation DeleteNatGateway DeleteNetworkAcl DeleteNetworkAclEntry
  DeleteNetworkInterface DeleteNetworkInterfacePermission DeleteRoute DeleteRouteTable DeleteSecurityGroup DeleteSubnet DeleteTags DeleteVpc
  DeleteVpcEndpoints DeleteVpcEndpointConnectionNotifications DeleteVpcEndpointServiceConfigurations DeleteVpcPeeringConnection
  DeleteVpnConnection DeleteVpnConnectionRoute DeleteVpnGateway DetachClassicLinkVpc DetachInternetGateway DetachNetworkInterface
  DetachVpnGateway DisableVgwRoutePropagation DisableVpcClassicLink DisableVpcClassicLinkDnsSupport DisassociateAddress DisassociateRouteTable
  DisassociateSecurityGroupVpc DisassociateSubnetCidrBlock DisassociateVpcCidrBlock EnableVgwRoutePropagation EnableVpcClassicLink
  EnableVpcClassicLinkDnsSupport ModifyNetworkInterfaceAttribute ModifySecurityGroupRules ModifySubnetAttribute ModifyVpcAttribute
  ModifyVpcEndpoint ModifyVpcEndpointConnectionNotification ModifyVpcEndpointServiceConfiguration ModifyVpcEndpointServicePermissions
  ModifyVpcPeeringConnectionOptions ModifyVpcTenancy MoveAddressToVpc RejectVpcEndpointConnections RejectVpcPeeringConnection ReleaseAddress
  ReplaceNetworkAclAssociation ReplaceNetworkAclEntry ReplaceRoute ReplaceRouteTableAssociation ResetNetworkInterfaceAttribute
  RestoreAddressToClassic RevokeSecurityGroupEgress RevokeSecurityGroupIngress UnassignIpv6Addresses UnassignPrivateIpAddresses
  UpdateSecurityGroupRuleDescriptionsEgress UpdateSecurityGroupRuleDescriptionsIngress`;

/** The short form of the three wide reading policies. */
const readEverything = [
  ...of('account', 'Get* List*'),
  ...of('cloudtrail', 'Describe* Get* List* LookupEvents'),
  ...of('cloudwatch', 'Describe* Get* List*'),
  ...of('dynamodb', 'BatchGet* Describe* Get* List* PartiQLSelect Query Scan'),
  ...of('ec2', 'Describe* Get* List* SearchTransitGatewayRoutes'),
  ...of('iam', 'Generate* Get* List* Simulate*'),
  ...of('logs', 'Describe* FilterLogEvents Get* List* StartQuery StopQuery TestMetricFilter'),
  ...of('s3', 'DescribeJob Get* List*'),
  ...of('ssm', 'Describe* Get* List*'),
  ...of('sts', 'GetAccessKeyInfo GetCallerIdentity GetSessionToken'),
  ...of('tag', 'Get*'),
];

const policies = {
  AdministratorAccess: { version: 1, date: '2015-02-06T18:39:46Z', statements: [allow('*')] },
  PowerUserAccess: {
    version: 12,
    date: '2026-02-12T17:59:14Z',
    statements: [
      { Effect: 'Allow', NotAction: ['iam:*', 'organizations:*', 'account:*'], Resource: '*' },
      allow(
        of('account', 'GetAccountInformation GetGovCloudAccountInformation GetPrimaryEmail ListRegions'),
        of('iam', 'CreateServiceLinkedRole DeleteServiceLinkedRole ListRoles'),
        of('organizations', 'DescribeEffectivePolicy DescribeOrganization'),
      ),
    ],
  },
  ReadOnlyAccess: { version: 178, date: '2026-02-12T18:01:33Z', statements: [allow(readEverything)] },
  ViewOnlyAccess: {
    path: '/job-function/',
    version: 43,
    date: '2026-02-12T18:02:40Z',
    statements: [
      allow(
        of('cloudtrail', 'DescribeTrails ListTrails LookupEvents'),
        of('cloudwatch', 'Get* List*'),
        of('dynamodb', 'List*'),
        of('ec2', 'Describe*'),
        of('iam', 'Get* List*'),
        of('logs', 'Describe*'),
        of('s3', 'ListAllMyBuckets ListBucket'),
        of('ssm', 'Describe* List*'),
      ),
    ],
  },
  SecurityAudit: {
    version: 85,
    date: '2026-03-02T17:12:11Z',
    statements: [
      allow(
        of('account', 'GetRegionOptStatus ListRegions'),
        of('cloudtrail', 'Describe* Get* List* LookupEvents'),
        of('cloudwatch', 'Describe* ListTagsForResource'),
        of('dynamodb', 'Describe* GetResourcePolicy List*'),
        of('ec2', 'Describe* GetEbsEncryptionByDefault GetManagedPrefixListAssociations GetManagedPrefixListEntries'),
        of('iam', 'Generate* Get* List* Simulate*'),
        of('logs', 'Describe* ListTagsLogGroup'),
        of('s3', 'GetAccountPublicAccessBlock GetBucket* GetEncryptionConfiguration ListAllMyBuckets'),
        of('ssm', 'Describe* GetDocument List*'),
        of('tag', 'GetResources GetTagKeys'),
      ),
    ],
  },
  AmazonS3FullAccess: {
    version: 2,
    date: '2021-09-27T20:16:37Z',
    statements: [allow('s3:*', 's3-object-lambda:*')],
  },
  AmazonS3ReadOnlyAccess: {
    version: 3,
    date: '2023-08-10T21:31:39Z',
    statements: [allow(of('s3', 'Get* List* Describe*'), of('s3-object-lambda', 'Get* List*'))],
  },
  AmazonEC2FullAccess: {
    version: 5,
    date: '2018-11-27T02:16:56Z',
    statements: [
      allow('ec2:*'),
      allow('elasticloadbalancing:*'),
      allow('cloudwatch:*'),
      allow('autoscaling:*'),
      {
        ...allow('iam:CreateServiceLinkedRole'),
        Condition: {
          StringEquals: {
            'iam:AWSServiceName': 'autoscaling ec2scheduled elasticloadbalancing spot spotfleet transitgateway'
              .split(' ')
              .map((name) => `${name}.amazonaws.com`),
          },
        },
      },
    ],
  },
  AmazonEC2ReadOnlyAccess: {
    version: 5,
    date: '2026-02-12T18:03:17Z',
    statements: [
      allow(of('ec2', 'Describe* GetSecurityGroupsForVpc')),
      allow('elasticloadbalancing:Describe*'),
      allow(of('cloudwatch', 'ListMetrics GetMetricStatistics Describe*')),
      allow('autoscaling:Describe*'),
    ],
  },
  AmazonVPCFullAccess: {
    version: 13,
    date: '2026-02-12T18:00:44Z',
    statements: [
      {
        ...allow(
          of('ec2', vpcChanges),
          of('ec2', vpcDescribes),
          of('ec2', 'DescribeAvailabilityZones DescribeInstances DescribeIpv6Pools DescribeKeyPairs'),
        ),
        Sid: 'AmazonVPCFullAccess',
      },
    ],
  },
  AmazonVPCReadOnlyAccess: {
    version: 12,
    date: '2026-02-12T17:58:19Z',
    statements: [{ ...allow(of('ec2', vpcDescribes)), Sid: 'AmazonVPCReadOnlyAccess' }],
  },
  EC2InstanceConnect: {
    version: 1,
    date: '2019-06-27T18:53:34Z',
    statements: [
      { ...allow('ec2:DescribeInstances', 'ec2-instance-connect:SendSSHPublicKey'), Sid: 'EC2InstanceConnect' },
    ],
  },
  IAMFullAccess: {
    version: 2,
    date: '2019-06-21T19:40:00Z',
    statements: [
      allow(
        'iam:*',
        of(
          'organizations',
          `DescribeAccount DescribeOrganization DescribeOrganizationalUnit DescribePolicy ListChildren ListParents ListPoliciesForTarget ListRoots
           ListPolicies ListTargetsForPolicy`,
        ),
      ),
    ],
  },
  IAMReadOnlyAccess: {
    version: 4,
    date: '2018-01-25T19:11:27Z',
    statements: [
      allow(
        of(
          'iam',
          'GenerateCredentialReport GenerateServiceLastAccessedDetails Get* List* SimulateCustomPolicy SimulatePrincipalPolicy',
        ),
      ),
    ],
  },
  IAMUserChangePassword: {
    version: 5,
    date: '2026-02-12T17:58:57Z',
    statements: [
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a policy variable, not a template
      allowOn(['arn:aws:iam::*:user/${aws:username}', 'arn:aws:iam::*:user/*/${aws:username}'], 'iam:ChangePassword'),
      allow('iam:GetAccountPasswordPolicy'),
    ],
  },
  AWSDenyAll: {
    version: 2,
    date: '2023-12-18T16:42:05Z',
    statements: [{ Sid: 'DenyAll', Effect: 'Deny', Action: ['*'], Resource: '*' }],
  },
  AmazonSSMManagedInstanceCore: {
    version: 2,
    date: '2019-05-23T16:54:21Z',
    statements: [allow(ssmAgentCore, 'ssm:GetParameter', 'ssm:GetParameters'), allow(ssmMessages), allow(ec2Messages)],
  },
  AmazonSSMManagedEC2InstanceDefaultPolicy: {
    version: 2,
    date: '2024-07-16T18:14:07Z',
    statements: [
      { ...allow(ssmAgentCore), Sid: 'AllowSSMAgentPermissions' },
      { ...allow(ssmMessages), Sid: 'AllowSSMChannelMessaging' },
      { ...allow(ec2Messages), Sid: 'AllowSSMLegacyMessaging' },
    ],
  },
  AmazonEC2RoleforSSM: {
    path: '/service-role/',
    version: 8,
    date: '2019-01-24T19:20:51Z',
    statements: [
      allow(ssmAgentCore, 'ssm:GetParameters'),
      allow(ssmMessages),
      allow(ec2Messages),
      allow('cloudwatch:PutMetricData'),
      allow('ec2:DescribeInstanceStatus'),
      allow('ds:CreateComputer', 'ds:DescribeDirectories'),
      allow(of('logs', 'CreateLogGroup CreateLogStream DescribeLogGroups DescribeLogStreams PutLogEvents')),
      allow(
        of(
          's3',
          `GetBucketLocation PutObject GetObject GetEncryptionConfiguration AbortMultipartUpload ListMultipartUploadParts ListBucket
           ListBucketMultipartUploads`,
        ),
      ),
    ],
  },
  AmazonSSMFullAccess: {
    version: 4,
    date: '2019-11-20T20:08:56Z',
    statements: [
      allow(
        'cloudwatch:PutMetricData',
        'ds:CreateComputer',
        'ds:DescribeDirectories',
        'ec2:DescribeInstanceStatus',
        'logs:*',
        'ssm:*',
        'ec2messages:*',
      ),
      {
        ...allowOn(
          'arn:aws:iam::*:role/aws-service-role/ssm.amazonaws.com/AWSServiceRoleForAmazonSSM*',
          'iam:CreateServiceLinkedRole',
        ),
        Condition: { StringLike: { 'iam:AWSServiceName': 'ssm.amazonaws.com' } },
      },
      allowOn(
        'arn:aws:iam::*:role/aws-service-role/ssm.amazonaws.com/AWSServiceRoleForAmazonSSM*',
        'iam:DeleteServiceLinkedRole',
        'iam:GetServiceLinkedRoleDeletionStatus',
      ),
      allow(ssmMessages),
    ],
  },
  AmazonSSMReadOnlyAccess: {
    version: 1,
    date: '2015-05-29T17:44:19Z',
    statements: [allow(of('ssm', 'Describe* Get* List*'))],
  },
  AmazonDynamoDBFullAccess: {
    version: 15,
    date: '2021-01-29T17:38:30Z',
    statements: [
      allow(
        'dynamodb:*',
        'dax:*',
        of(
          'application-autoscaling',
          `DeleteScalingPolicy DeregisterScalableTarget DescribeScalableTargets DescribeScalingActivities DescribeScalingPolicies PutScalingPolicy
           RegisterScalableTarget`,
        ),
        of(
          'cloudwatch',
          `DeleteAlarms DescribeAlarmHistory DescribeAlarms DescribeAlarmsForMetric GetMetricStatistics ListMetrics PutMetricAlarm GetMetricData`,
        ),
        of(
          'datapipeline',
          `ActivatePipeline CreatePipeline DeletePipeline DescribeObjects DescribePipelines GetPipelineDefinition ListPipelines
           PutPipelineDefinition QueryObjects`,
        ),
        of('ec2', 'DescribeVpcs DescribeSubnets DescribeSecurityGroups'),
        of('iam', 'GetRole ListRoles'),
        of('kms', 'DescribeKey ListAliases'),
        of(
          'sns',
          'CreateTopic DeleteTopic ListSubscriptions ListSubscriptionsByTopic ListTopics Subscribe Unsubscribe SetTopicAttributes',
        ),
        of(
          'lambda',
          `CreateFunction ListFunctions ListEventSourceMappings CreateEventSourceMapping DeleteEventSourceMapping GetFunctionConfiguration
           DeleteFunction`,
        ),
        of('resource-groups', 'ListGroups ListGroupResources GetGroup GetGroupQuery DeleteGroup CreateGroup'),
        'tag:GetResources',
        of('kinesis', 'ListStreams DescribeStream DescribeStreamSummary'),
      ),
      allowOn('arn:aws:cloudwatch:*:*:insight-rule/DynamoDBContributorInsights*', 'cloudwatch:GetInsightRuleReport'),
      {
        ...allow('iam:PassRole'),
        Condition: {
          StringLike: {
            'iam:PassedToService': [
              'application-autoscaling.amazonaws.com',
              'application-autoscaling.amazonaws.com.cn',
              'dax.amazonaws.com',
            ],
          },
        },
      },
      {
        ...allow('iam:CreateServiceLinkedRole'),
        Condition: {
          StringEquals: {
            'iam:AWSServiceName': [
              'replication.dynamodb.amazonaws.com',
              'dax.amazonaws.com',
              'dynamodb.application-autoscaling.amazonaws.com',
              'contributorinsights.dynamodb.amazonaws.com',
              'kinesisreplication.dynamodb.amazonaws.com',
            ],
          },
        },
      },
    ],
  },
  AmazonDynamoDBReadOnlyAccess: {
    version: 15,
    date: '2024-11-18T17:38:15Z',
    statements: [
      {
        ...allow(
          of('application-autoscaling', 'DescribeScalableTargets DescribeScalingActivities DescribeScalingPolicies'),
          of(
            'cloudwatch',
            'DescribeAlarmHistory DescribeAlarms DescribeAlarmsForMetric GetMetricStatistics ListMetrics GetMetricData',
          ),
          of('datapipeline', 'DescribeObjects DescribePipelines GetPipelineDefinition ListPipelines QueryObjects'),
          of(
            'dynamodb',
            'BatchGetItem Describe* List* GetAbacStatus GetItem GetResourcePolicy Query Scan PartiQLSelect',
          ),
          of('dax', 'Describe* List* GetItem BatchGetItem Query Scan'),
          of('ec2', 'DescribeVpcs DescribeSubnets DescribeSecurityGroups'),
          of('iam', 'GetRole ListRoles'),
          of('kms', 'DescribeKey ListAliases'),
          of('sns', 'ListSubscriptionsByTopic ListTopics'),
          of('lambda', 'ListFunctions ListEventSourceMappings GetFunctionConfiguration'),
          of('resource-groups', 'ListGroups ListGroupResources GetGroup GetGroupQuery'),
          'tag:GetResources',
          of('kinesis', 'ListStreams DescribeStream DescribeStreamSummary'),
        ),
        Sid: 'GeneralReadOnlyAccess',
      },
      {
        ...allowOn(
          'arn:aws:cloudwatch:*:*:insight-rule/DynamoDBContributorInsights*',
          'cloudwatch:GetInsightRuleReport',
        ),
        Sid: 'CCIAccess',
      },
    ],
  },
  CloudWatchAgentServerPolicy: {
    version: 3,
    date: '2024-02-06T16:37:37Z',
    statements: [
      {
        ...allow(
          'cloudwatch:PutMetricData',
          of('ec2', 'DescribeVolumes DescribeTags'),
          of(
            'logs',
            'PutLogEvents PutRetentionPolicy DescribeLogStreams DescribeLogGroups CreateLogStream CreateLogGroup',
          ),
          of(
            'xray',
            'PutTraceSegments PutTelemetryRecords GetSamplingRules GetSamplingTargets GetSamplingStatisticSummaries',
          ),
        ),
        Sid: 'CWACloudWatchServerPermissions',
      },
      {
        ...allowOn('arn:aws:ssm:*:*:parameter/AmazonCloudWatch-*', 'ssm:GetParameter'),
        Sid: 'CWASSMServerPermissions',
      },
    ],
  },
  CloudWatchLogsFullAccess: {
    version: 8,
    date: '2026-02-12T18:00:33Z',
    statements: [
      {
        ...allow(
          'logs:*',
          of('cloudwatch', 'GenerateQuery GenerateQueryResultsSummary'),
          of('observabilityadmin', 'GetS3TableIntegration ListS3TableIntegrations ListTelemetryPipelines'),
        ),
        Sid: 'CloudWatchLogsFullAccess',
      },
    ],
  },
  CloudWatchLogsReadOnlyAccess: {
    version: 12,
    date: '2026-02-12T17:59:13Z',
    statements: [
      {
        ...allow(
          of(
            'logs',
            'Describe* Get* List* StartQuery StopQuery TestMetricFilter FilterLogEvents StartLiveTail StopLiveTail',
          ),
          of('cloudwatch', 'GenerateQuery GenerateQueryResultsSummary'),
          of('observabilityadmin', 'ListS3TableIntegrations GetS3TableIntegration ListTelemetryPipelines'),
        ),
        Sid: 'CloudWatchLogsReadOnlyAccess',
      },
    ],
  },
  AWSCloudTrail_ReadOnlyAccess: {
    version: 1,
    date: '2022-06-14T17:19:05Z',
    statements: [allow(of('cloudtrail', 'Get* Describe* List* LookupEvents'))],
  },
} as const satisfies Record<string, AuthoredPolicy>;

export interface AwsManagedPolicy {
  readonly policyName: string;
  readonly policyId: string;
  readonly path: string;
  readonly versionId: string;
  readonly date: string;
  readonly document: string;
}

function render([policyName, policy]: [string, AuthoredPolicy]): [string, AwsManagedPolicy] {
  const path = policy.path ?? '/';
  const digest = createHash('sha256').update(policyName).digest('hex').toUpperCase();
  return [
    `${path}${policyName}`,
    {
      policyName,
      // AWS's own id is not published for all of them; this one is stable at least.
      policyId: `ANPA${digest.slice(0, 17)}`,
      path,
      versionId: `v${policy.version}`,
      date: policy.date,
      document: JSON.stringify({ Version: '2012-10-17', Statement: policy.statements }, undefined, 4),
    },
  ];
}

const byPath: ReadonlyMap<string, AwsManagedPolicy> = new Map(Object.entries(policies).map(render));

/** By name, in the order of the alphabet. */
export const awsManagedPolicies: readonly AwsManagedPolicy[] = [...byPath.values()].sort((a, b) =>
  a.policyName < b.policyName ? -1 : 1,
);

/** The policy that AWS manages under this ARN, in any partition; undefined when we do not have it. */
export function awsManagedPolicy(arn: string): AwsManagedPolicy | undefined {
  const match = /^arn:[\w-]+:iam::aws:policy(\/.+)$/.exec(arn);
  return match?.[1] === undefined ? undefined : byPath.get(match[1]);
}

/** The text of an AWS-managed policy's default version. */
export function managedPolicyDocument(arn: string): string | undefined {
  return awsManagedPolicy(arn)?.document;
}
