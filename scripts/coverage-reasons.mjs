// Why is an operation refused? Classes by the operation's name, per service, the first that fits. What fits none is missing: nobody has decided against it.
// docs/coverage.md is made of this (scripts/coverage.mjs). A class that gets built loses its operations by itself: what is served is never asked here.

/** @type {Record<string, readonly (readonly [string, RegExp])[]>} */
export const reasons = {
  ec2: [
    ['transit gateways', /TransitGateway/],
    ['client VPN', /ClientVpn/],
    ['VPN, customer and virtual private gateways', /Vpn|CustomerGateway|VgwRoute/],
    ['endpoint services (PrivateLink providers)', /VpcEndpoint(Service|Connection|Payer|Association)/],
    ['flow logs', /FlowLogs/],
    ['traffic mirroring', /TrafficMirror/],
    ['IPAM and own addresses (BYOIP)', /Ipam|Byoip|Byoasn|PublicIpv4Pool|Ipv6Pool|AddressTransfer/],
    ['carrier and local gateways, Outposts', /CarrierGateway|LocalGateway|Coip|Outpost|ServiceLinkVirtual/],
    ['verified access', /VerifiedAccess/],
    ['route servers', /RouteServer/],
    ['encryption controls of VPCs', /EncryptionControl|EncryptionEnforcement/],
    ['secondary networks, trunks', /Secondary(Network|Subnet|Interface)|TrunkInterface/],
    ['analysis of networks', /NetworkInsights|ReachabilityAnalyzer|AwsNetworkPerformance|DeclarativePolicies/],
    ['classic EC2', /Classic|MovingAddress|MoveAddress|IdFormat/],
    [
      'capacity, hosts and prices',
      /Capacity|Reserved|Host|Spot|Fleet|Scheduled|PlacementGroup|InstancePlacement|FlexCost|Topology/,
    ],
    ['snapshots and volumes', /Snapshot|Volume|Ebs|FastLaunch/],
    [
      'images',
      /Image|ConversionTask|ExportTask|ImportTask|BundleTask|BundleInstance|ImportInstance|ExportImage|StoreImage|LaunchPermission/,
    ],
    [
      'hardware: Mac, FPGA, GPU, enclaves, TPM, UEFI',
      /Mac(Host|Mod|Sys)|DelegateMac|Fpga|ElasticGpu|Enclave|Tpm|Uefi|CpuOptions|SerialConsole|DiagnosticInterrupt/,
    ],
    [
      'events, status checks and metrics of instances',
      /InstanceEvent|ApplicationStatus|SqlHa|ReportInstanceStatus|MetricCategor/,
    ],
    ['licences and marketplace', /ProductInstance|PasswordData|ManagedResourceVisibility/],
    [
      'credits and settings without effect here',
      /CreditSpecification|MaintenanceOptions|NetworkPerformanceOptions|MetadataDefaults/,
    ],
  ],
  s3: [
    ['directory buckets', /DirectoryBucket|CreateSession|RenameObject/],
    ['tables of metadata and annotations', /Metadata(Table|Annotation|Inventory|Journal|Configuration)|Annotation/],
    ['Select, torrents, Object Lambda', /Select|Torrent|WriteGetObjectResponse/],
  ],
  's3-control': [
    ['access grants', /AccessGrant|DataAccess/],
    [
      'Object Lambda, access points of several regions and of directory buckets',
      /ObjectLambda|MultiRegion|DirectoryBuckets|AccessPointScope/,
    ],
    ['jobs', /Job/],
    ['Storage Lens', /StorageLens/],
    ['buckets on Outposts', /Bucket/],
  ],
  kms: [
    ['custom key stores', /CustomKeyStore/],
    ['use told', /LastUsage|KeyUsage/],
    ['ML-KEM keys', /capsulate/],
  ],
  logs: [
    ['metric and subscription filters', /MetricFilter|SubscriptionFilter/],
    ['queries', /Query|Queries|LogRecord|LogGroupFields|LogFields|LookupTable/],
    ['exports, imports and tables', /ExportTask|ImportTask|Import|S3TableIntegration|AggregateLogGroup/],
    ['destinations and deliveries', /Destination|Deliver/],
    ['transformers, data protection and anomalies', /Transformer|DataProtection|Anomal|Integration/],
    [
      'keys, protection and policies of groups',
      /KmsKey|AccountPolic|IndexPolic|FieldIndex|DeletionProtection|BearerToken|RetentionPolicies/,
    ],
    ['live tail', /LiveTail|LogObject/],
  ],
  iam: [
    ['tokens for others', /WebIdentity/],
    ['organizations', /Organizations/],
    ['delegation', /Delegat|AcquireRole|RoleTemplate|HumanReadable/],
    ['reports', /Report|LastAccessed|GrantingServiceAccess/],
    ['settings of the account', /AccountProperties|TokenServicePreferences/],
  ],
  sts: [
    ['tokens for others', /WebIdentity/],
    ['delegation', /Delegated/],
  ],
  dynamodb: [
    ['backups, import and export', /Backup|Restore|Export|Import/],
    ['global tables', /GlobalTable|Replica/],
    ['PartiQL', /ExecuteStatement|ExecuteTransaction/],
    ['streams and Kinesis', /Kinesis|Stream/],
    ['time to live', /TimeToLive/],
    ['contributor insights', /ContributorInsights/],
    ['bulk operations and vectors', /Bulk|Vector/],
  ],
  ssm: [
    ['maintenance windows', /MaintenanceWindow/],
    ['patching', /Patch/],
    ['OpsCenter and Change Manager', /Ops|Automation|ChangeRequest|Calendar/],
    ['inventory, compliance and associations', /Inventory|Compliance|Association|ResourceDataSync/],
    ['hybrid activation', /Activation|ManagedInstanceRole/],
    ['Quick access to nodes and settings', /AccessRequest|AccessToken|ServiceSetting|Node/],
  ],
  cloudtrail: [
    ['CloudTrail Lake', /EventDataStore|Query|Queries|Dashboard|Channel|Import|Federation|Insights|SampleQuer/],
    ['organizations', /Organization/],
    ['resource-based policies', /ResourcePolicy/],
  ],
  'elastic-load-balancing-v2': [
    ['rules, certificates and TLS', /Rule|Certificate|SSLPolic|TrustStore|Revocation/],
    ['capacity, limits, pools of addresses and dual stack', /Capacity|AccountLimits|IpPools|IpAddressType/],
    ['resource-based policies', /ResourcePolicy/],
  ],
  organizations: [
    ['transfers of billing', /Responsibility/],
    ['the organization’s own policy', /ResourcePolicy/],
    ['policies that do not decide requests', /EffectivePolicy/],
    ['GovCloud, change of features', /GovCloud|AllFeatures/],
  ],
  account: [
    ['contacts and names of the account', /Contact|Email|AccountInformation|AccountName|Phone|Gov/],
    ['opting regions in and out', /Region/],
  ],
};
