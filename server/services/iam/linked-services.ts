// The services that have a service-linked role: its name, its policy, and whether a suffix may follow. As recorded on AWS on 2025-03-13, less those whose
// policy AWS has retired since; spot, spotfleet and transitgateway as their guides give them.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html (read 2026-11-21)

export interface LinkedService {
  /** What follows `AWSServiceRoleFor`. */
  readonly name: string;
  readonly policy: string;
  readonly suffix?: true;
}

/** By the service's principal without `.amazonaws.com`. */
export const linkedServices: Readonly<Record<string, LinkedService>> = {
  'accountdiscovery.ssm': {
    name: 'AmazonSSM_AccountDiscovery',
    policy: 'AWSSystemsManagerAccountDiscoveryServicePolicy',
  },
  acm: { name: 'CertificateManager', policy: 'CertificateManagerServiceRolePolicy' },
  appmesh: { name: 'AppMesh', policy: 'AWSAppMeshServiceRolePolicy' },
  autoscaling: { name: 'AutoScaling', policy: 'AutoScalingServiceRolePolicy', suffix: true },
  'autoscaling-plans': { name: 'AutoScalingPlans_EC2AutoScaling', policy: 'AWSAutoScalingPlansEC2AutoScalingPolicy' },
  backup: { name: 'Backup', policy: 'AWSBackupServiceLinkedRolePolicyForBackup' },
  batch: { name: 'Batch', policy: 'BatchServiceRolePolicy' },
  'cassandra.application-autoscaling': {
    name: 'ApplicationAutoScaling_CassandraTable',
    policy: 'AWSApplicationAutoscalingCassandraTablePolicy',
  },
  'cks.kms': {
    name: 'KeyManagementServiceCustomKeyStores',
    policy: 'AWSKeyManagementServiceCustomKeyStoresServiceRolePolicy',
  },
  cloudtrail: { name: 'CloudTrail', policy: 'CloudTrailServiceRolePolicy' },
  'codestar-notifications': { name: 'CodeStarNotifications', policy: 'AWSCodeStarNotificationsServiceRolePolicy' },
  config: { name: 'Config', policy: 'AWSConfigServiceRolePolicy' },
  connect: { name: 'AmazonConnect', policy: 'AmazonConnectServiceLinkedRolePolicy', suffix: true },
  dms: { name: 'DMSServerless', policy: 'AWSDMSServerlessServiceRolePolicy' },
  'dms-fleet-advisor': { name: 'DMSFleetAdvisor', policy: 'AWSDMSFleetAdvisorServiceRolePolicy' },
  'docdb-elastic': { name: 'DocDB-Elastic', policy: 'AmazonDocDB-ElasticServiceRolePolicy' },
  'ec2-instance-connect': { name: 'Ec2InstanceConnect', policy: 'Ec2InstanceConnectEndpoint' },
  'ec2.application-autoscaling': {
    name: 'ApplicationAutoScaling_EC2SpotFleetRequest',
    policy: 'AWSApplicationAutoscalingEC2SpotFleetRequestPolicy',
  },
  ecr: { name: 'ECRTemplate', policy: 'ECRTemplateServiceRolePolicy' },
  ecs: { name: 'ECS', policy: 'AmazonECSServiceRolePolicy' },
  eks: { name: 'AmazonEKS', policy: 'AmazonEKSServiceRolePolicy' },
  'eks-connector': { name: 'AmazonEKSConnector', policy: 'AmazonEKSConnectorServiceRolePolicy' },
  'eks-fargate': { name: 'AmazonEKSForFargate', policy: 'AmazonEKSForFargateServiceRolePolicy' },
  'eks-nodegroup': { name: 'AmazonEKSNodegroup', policy: 'AWSServiceRoleForAmazonEKSNodegroup' },
  elasticache: { name: 'ElastiCache', policy: 'ElastiCacheServiceRolePolicy' },
  elasticbeanstalk: { name: 'ElasticBeanstalk', policy: 'AWSElasticBeanstalkServiceRolePolicy' },
  elasticfilesystem: { name: 'AmazonElasticFileSystem', policy: 'AmazonElasticFileSystemServiceRolePolicy' },
  elasticloadbalancing: { name: 'ElasticLoadBalancing', policy: 'AWSElasticLoadBalancingServiceRolePolicy' },
  'email.cognito-idp': { name: 'AmazonCognitoIdpEmailService', policy: 'AmazonCognitoIdpEmailServiceRolePolicy' },
  'emr-containers': { name: 'AmazonEMRContainers', policy: 'AmazonEMRContainersServiceRolePolicy' },
  emrwal: { name: 'EMRWAL', policy: 'EMRDescribeClusterPolicyForEMRWAL' },
  fis: { name: 'FIS', policy: 'AmazonFISServiceRolePolicy' },
  grafana: { name: 'AmazonGrafana', policy: 'AmazonGrafanaServiceLinkedRolePolicy' },
  imagebuilder: { name: 'ImageBuilder', policy: 'AWSServiceRoleForImageBuilder' },
  iotmanagedintegrations: { name: 'IoTManagedIntegrations', policy: 'AWSIoTManagedIntegrationsRolePolicy' },
  kafka: { name: 'Kafka', policy: 'KafkaServiceRolePolicy' },
  kafkaconnect: { name: 'KafkaConnect', policy: 'KafkaConnectServiceRolePolicy' },
  lakeformation: { name: 'LakeFormationDataAccess', policy: 'LakeFormationDataAccessServiceRolePolicy' },
  lexv2: { name: 'LexV2Bots', policy: 'AmazonLexV2BotPolicy', suffix: true },
  lightsail: { name: 'Lightsail', policy: 'LightsailExportAccess' },
  m2: { name: 'AWSM2', policy: 'AWSM2ServicePolicy' },
  memorydb: { name: 'MemoryDB', policy: 'MemoryDBServiceRolePolicy' },
  mq: { name: 'AmazonMQ', policy: 'AmazonMQServiceRolePolicy' },
  'mrk.kms': {
    name: 'KeyManagementServiceMultiRegionKeys',
    policy: 'AWSKeyManagementServiceMultiRegionKeysServiceRolePolicy',
  },
  notifications: { name: 'AwsUserNotifications', policy: 'AWSUserNotificationsServiceLinkedRolePolicy' },
  'observability.aoss': { name: 'AmazonOpenSearchServerless', policy: 'AmazonOpenSearchServerlessServiceRolePolicy' },
  opensearchservice: { name: 'AmazonOpenSearchService', policy: 'AmazonOpenSearchServiceRolePolicy' },
  'ops.apigateway': { name: 'APIGateway', policy: 'APIGatewayServiceRolePolicy' },
  'ops.emr-serverless': { name: 'AmazonEMRServerless', policy: 'AmazonEMRServerlessServiceRolePolicy' },
  'opsdatasync.ssm': { name: 'SystemsManagerOpsDataSync', policy: 'AWSSystemsManagerOpsDataSyncServiceRolePolicy' },
  'opsinsights.ssm': { name: 'AmazonSSM_OpsInsights', policy: 'AWSSSMOpsInsightsServiceRolePolicy' },
  'pullthroughcache.ecr': { name: 'ECRPullThroughCache', policy: 'AWSECRPullThroughCache_ServiceRolePolicy' },
  ram: { name: 'ResourceAccessManager', policy: 'AWSResourceAccessManagerServiceRolePolicy' },
  rds: {
    name: 'RDS',
    policy: 'AmazonRDSServiceRolePolicy',
  },
  redshift: { name: 'Redshift', policy: 'AmazonRedshiftServiceLinkedRolePolicy' },
  'replication.cassandra': { name: 'KeyspacesReplication', policy: 'KeyspacesReplicationServiceRolePolicy' },
  'replication.ecr': { name: 'ECRReplication', policy: 'ECRReplicationServiceRolePolicy' },
  'repository.sync.codeconnections': { name: 'GitSync', policy: 'AWSGitSyncServiceRolePolicy' },
  'resource-explorer-2': { name: 'ResourceExplorer', policy: 'AWSResourceExplorerServiceRolePolicy' },
  rolesanywhere: { name: 'RolesAnywhere', policy: 'AWSRolesAnywhereServicePolicy' },
  's3-outposts': { name: 'S3OnOutposts', policy: 'AWSS3OnOutpostsServiceRolePolicy' },
  ses: { name: 'AmazonSES', policy: 'AmazonSESServiceRolePolicy' },
  shield: { name: 'AWSShield', policy: 'AWSShieldServiceRolePolicy' },
  spot: { name: 'EC2Spot', policy: 'AWSEC2SpotServiceRolePolicy' },
  spotfleet: { name: 'EC2SpotFleet', policy: 'AWSEC2SpotFleetServiceRolePolicy' },
  ssm: {
    name: 'AmazonSSM',
    policy: 'AmazonSSMServiceRolePolicy',
  },
  'ssm-incidents': { name: 'IncidentManager', policy: 'AWSIncidentManagerServiceRolePolicy' },
  'ssm-quicksetup': { name: 'SSMQuickSetup', policy: 'SSMQuickSetupRolePolicy' },
  sso: {
    name: 'SSO',
    policy: 'AWSSSOServiceRolePolicy',
  },
  transitgateway: { name: 'VPCTransitGateway', policy: 'AWSVPCTransitGatewayServiceRolePolicy' },
  'vpcorigin.cloudfront': { name: 'CloudFrontVPCOrigin', policy: 'AWSCloudFrontVPCOriginServiceRolePolicy' },
  waf: { name: 'WAFLogging', policy: 'WAFLoggingServiceRolePolicy' },
  wafv2: { name: 'WAFV2Logging', policy: 'WAFV2LoggingServiceRolePolicy' },
};

/** @param serviceName `rds.amazonaws.com`, with its end */
export function linkedService(serviceName: string): LinkedService | undefined {
  const key = serviceName.replace(/\.amazonaws\.com$/, '');
  return key !== serviceName && Object.hasOwn(linkedServices, key) ? linkedServices[key] : undefined;
}
