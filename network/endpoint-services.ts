// The services that AWS offers to VPC endpoints: their names, the public host names that private DNS takes over (X5), and whether a policy can be
// set (X7). https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html (read 2026-11-21). Data about AWS, not about what
// Postern serves: an endpoint for any of these is real, and what is behind its door is the server's affair.
// Gap: every regional service is in every region, and China's `cn.com.amazonaws…` names are not here.

import { regions } from './addresses.ts';
import type { NetworkInterfaceId, Snapshot, VpcEndpointId } from './snapshot.ts';

export type EndpointType = 'Interface' | 'Gateway';

export interface EndpointService {
  /** `com.amazonaws.us-east-1.ssm` */
  readonly serviceName: string;
  /** The last part of that name: `ssm`, `ecr.api`. */
  readonly service: string;
  /** What stands before the region in the names of its endpoints: `ssm`, `api.ecr`. */
  readonly host: string;
  readonly region: string;
  readonly types: readonly EndpointType[];
  /** Public host names that private DNS answers for, `*.` first where all below is meant. */
  readonly privateDnsNames: readonly string[];
  readonly isPolicySupported: boolean;
}

/** Services in each region whose host name is `NAME.REGION.amazonaws.com`, unless `hosts` says otherwise. */
const regional = `
access-analyzer acm acm-pca airflow.api airflow.env airflow.ops amplify apigateway app-integrations appconfig appconfigdata appflow
application-autoscaling application-signals applicationinsights appmesh appmesh-envoy-management apprunner apprunner.requests appstream.api
appstream.streaming appsync-api aps aps-workspaces arc-zonal-shift athena auditmanager autoscaling autoscaling-plans b2bi backup backup-gateway batch
bedrock bedrock-agent bedrock-agent-runtime bedrock-data-automation bedrock-runtime billing billingconductor braket cases cassandra ce cleanrooms
cleanrooms-ml cloudcontrolapi clouddirectory cloudformation cloudhsmv2 cloudtrail cloudtrail-data codeartifact.api codeartifact.repositories codebuild
codecommit codeconnections.api codedeploy codedeploy-commands-secure codeguru-profiler codeguru-reviewer codepipeline codestar-connections.api
cognito-identity cognito-idp comprehend comprehendmedical compute-optimizer config connect connect-campaigns controlcatalog controltower
data-servicediscovery databrew dataexchange datasync datazone deadline.management deadline.scheduling devicefarm devops-guru directconnect discovery dlm
dms drs ds dsql dynamodb dynamodb-streams ebs ec2 ec2messages ecr.api ecr.dkr ecs ecs-agent ecs-telemetry eks eks-auth elastic-inference.runtime
elasticache elasticbeanstalk elasticbeanstalk-health elasticfilesystem elasticloadbalancing elasticmapreduce email email-smtp emr-containers
emr-serverless emrwal.prod entityresolution events evidently execute-api finspace finspace-api fis forecast forecastquery frauddetector freetier fsx
geo.maps geo.places geo.routes git-codecommit glue glue.dashboard grafana grafana-workspace greengrass groundstation guardduty guardduty-data
healthlake imagebuilder inspector-scan inspector2 internetmonitor invoicing iot.credentials iot.data iot.fleethub.api iotfleetwise iotsitewise.api
iotsitewise.data iottwinmaker.api iottwinmaker.data iotwireless.api ivs.contribute kendra kinesis-firehose kinesis-streams kinesisanalytics kinesisvideo
kms lakeformation lambda launchwizard lex.models-v2 lex.runtime-v2 license-manager license-manager-user-subscriptions logs lookoutequipment
lookoutmetrics lookoutvision m2 macie2 managedblockchain-query mediaconnect mediaconvert mediastore mediatailor memory-db mgn
migrationhub-orchestrator monitoring mq mwaa network-firewall networkflowmonitor networkmanager networkmonitor oam observabilityadmin omics-analytics
omics-control-storage omics-storage omics-tags omics-workflows organizations outposts panorama payment-cryptography.controlplane
payment-cryptography.dataplane pca-connector-ad pca-connector-scep pcs personalize personalize-events personalize-runtime pi pinpoint
pinpoint-sms-voice-v2 pipes polly pricing.api privatenetworks profile proton q qapps qldb.session quicksight-website ram rbin rds rds-data redshift
redshift-data redshift-serverless refactor-spaces rekognition repostspace resiliencehub resource-explorer-2 resource-groups robomaker rolesanywhere rum
rum-dataplane s3 s3-outposts s3tables sagemaker.api sagemaker.featurestore-runtime sagemaker.metrics sagemaker.runtime scheduler schemas secretsmanager
securityhub securitylake serverlessrepo servicecatalog servicecatalog-appregistry servicediscovery servicequotas sesv2 signer simspaceweaver
snow-device-management sns sqlworkbench sqs ssm ssm-contacts ssm-incidents ssm-quicksetup ssmmessages states storagegateway
streaming-rekognition sts support supportapp swf sync-states synthetics tax textract thinclient.api timestream-influxdb tnb transcribe
transcribestreaming transfer transfer.server translate trustedadvisor verifiedpermissions voiceid vpc-lattice wafv2 wellarchitected wisdom workmail
workspaces workspaces-instances workspaces-web xray
`.trim().split(/\s+/); // biome-ignore format: a table

/** Host names before the region where they are not the name itself; an empty list: private DNS is not offered. */
const hosts: Readonly<Record<string, readonly string[]>> = {
  'airflow.api': ['api.airflow'], 'airflow.env': ['env.airflow'], 'airflow.ops': ['ops.airflow'], 'apprunner.requests': [], 'appstream.api': ['appstream2'],
  'appstream.streaming': [], 'appsync-api': ['*.appsync-api'], 'bedrock-agent': ['bedrock-agent'], 'codeartifact.api': ['codeartifact'],
  'codeartifact.repositories': ['*.d.codeartifact'], 'codeconnections.api': ['codeconnections'], 'codestar-connections.api': ['codestar-connections'],
  'deadline.management': ['management.deadline'], 'deadline.scheduling': ['scheduling.deadline'], 'dynamodb-streams': ['streams.dynamodb'],
  'ecr.api': ['api.ecr'], 'ecr.dkr': ['dkr.ecr', '*.dkr.ecr'], 'ecs-agent': ['ecs-a'], 'ecs-telemetry': ['ecs-t'], 'execute-api': ['*.execute-api'],
  'geo.maps': ['maps.geo'], 'geo.places': ['places.geo'], 'geo.routes': ['routes.geo'], 'iot.credentials': [], 'iot.data': [],
  'iot.fleethub.api': ['api.fleethub.iot'], 'iotsitewise.api': ['api.iotsitewise'], 'iotsitewise.data': ['data.iotsitewise'],
  'iottwinmaker.api': ['api.iottwinmaker'], 'iottwinmaker.data': ['data.iottwinmaker'], 'iotwireless.api': ['api.iotwireless'],
  'kinesis-firehose': ['firehose'], 'kinesis-streams': ['kinesis', '*.data-kinesis', '*.control-kinesis'], 'lex.models-v2': ['models-v2-lex'],
  'lex.runtime-v2': ['runtime-v2-lex'], 'payment-cryptography.controlplane': ['controlplane.payment-cryptography'],
  'payment-cryptography.dataplane': ['dataplane.payment-cryptography'], 'pricing.api': ['api.pricing'], 'qldb.session': ['session.qldb'],
  s3: ['s3', '*.s3', 's3-accesspoint', '*.s3-accesspoint', 's3-control', '*.s3-control'], 'sagemaker.api': ['api.sagemaker'],
  'sagemaker.featurestore-runtime': ['featurestore-runtime.sagemaker'], 'sagemaker.metrics': ['metrics.sagemaker'], 'sagemaker.runtime': ['runtime.sagemaker'],
  'thinclient.api': ['api.thinclient'], 'transfer.server': [], dynamodb: ['dynamodb', '*.ddb'],
}; // biome-ignore format: a table

/** Services of the whole partition, which have their endpoint in one region. */
const global = [
  { serviceName: 'com.amazonaws.iam', service: 'iam', region: 'us-east-1', privateDnsNames: ['iam.amazonaws.com'] },
  { serviceName: 'com.amazonaws.us-east-1.account', service: 'account', region: 'us-east-1', privateDnsNames: ['account.us-east-1.amazonaws.com'] },
  { serviceName: 'com.amazonaws.cloudfront', service: 'cloudfront', region: 'us-east-1', privateDnsNames: ['cloudfront.amazonaws.com'] },
  { serviceName: 'com.amazonaws.route53', service: 'route53', region: 'us-east-1', privateDnsNames: ['route53.amazonaws.com'] },
] as const; // biome-ignore format: a table

/** No endpoint policy can be set (describe-vpc-endpoint-services says so). */
const withoutPolicy: ReadonlySet<string> = new Set([
  'appmesh-envoy-management', 'apprunner.requests', 'appstream.api', 'appstream.streaming', 'codedeploy-commands-secure', 'ecs-agent', 'ecs-telemetry',
  'elastic-inference.runtime', 'email-smtp', 'guardduty-data', 'storagegateway', 'transfer.server',
]); // biome-ignore format: a list

const withGateway: ReadonlySet<string> = new Set(['s3', 'dynamodb']);

/** `amazonaws.com`, in China `amazonaws.com.cn`. */
export function dnsSuffixOf(region: string): string {
  return region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
}

const byRegion = new Map<string, ReadonlyMap<string, EndpointService>>();

/** The services of a region by their names, in order; none for a name that is no region. */
export function endpointServicesOf(region: string): ReadonlyMap<string, EndpointService> {
  let known = byRegion.get(region);
  if (known === undefined) {
    known = new Map(isRegion(region) ? listOf(region).map((each) => [each.serviceName, each]) : []);
    byRegion.set(region, known);
  }
  return known;
}

function isRegion(name: string): boolean {
  return (regions as readonly string[]).includes(name);
}

function listOf(region: string): EndpointService[] {
  const own = regional.map((service): EndpointService => {
    const { [service]: names = [service] } = hosts;
    return {
      serviceName: `com.amazonaws.${region}.${service}`,
      service,
      host: (names[0] ?? service).replace('*.', ''),
      region,
      types: withGateway.has(service) ? ['Gateway', 'Interface'] : ['Interface'],
      privateDnsNames: names.map((host) => `${host}.${region}.${dnsSuffixOf(region)}`),
      isPolicySupported: !withoutPolicy.has(service),
    };
  });
  const home = global
    .filter((each) => each.region === region)
    .map((each): EndpointService => ({ ...each, host: each.service, types: ['Interface'], isPolicySupported: true }));
  return [...own, ...home].toSorted((a, b) => (a.serviceName < b.serviceName ? -1 : 1));
}

/** Somebody's own endpoint service (Y1), whether or not it is there. */
function customersService(serviceName: string): EndpointService | undefined {
  const [, region, service] = /^com\.amazonaws\.vpce\.([a-z0-9-]+)\.(vpce-svc-[0-9a-z]+)$/.exec(serviceName) ?? [];
  if (region === undefined || service === undefined) return undefined;
  const own = { serviceName, service, host: service, region, privateDnsNames: [], isPolicySupported: false };
  return { ...own, types: ['Interface'] };
}

/** The service behind a name, of whatever region; undefined when AWS has none, and it is no name of an endpoint service. */
export function endpointService(serviceName: string): EndpointService | undefined {
  const customers = customersService(serviceName);
  if (customers !== undefined) return customers;
  const named = /^com\.amazonaws\.([a-z]{2,}(?:-[a-z]+)+-\d)\./.exec(serviceName)?.[1] ?? 'us-east-1';
  return endpointServicesOf(named).get(serviceName);
}

/** The service by the word that stands in its endpoints' names. */
export function endpointServiceCalled(service: string, region: string): EndpointService | undefined {
  for (const each of endpointServicesOf(region).values()) if (each.service === service) return each;
  return undefined;
}

/** The domain under which an endpoint's own names lie: `ssm.us-east-1.vpce.amazonaws.com`. */
export function endpointDomainOf({ host, region }: Pick<EndpointService, 'host' | 'region'>): string {
  return `${host}.${region}.vpce.${dnsSuffixOf(region)}`;
}

/** Whether one of the names, some of them `*.…`, covers a host; a star stands for any number of labels, as in DNS. */
export function coversName(names: readonly string[], host: string): boolean {
  return names.some((name) => (name.startsWith('*.') ? host.endsWith(name.slice(1)) : host === name));
}

/** Buckets stand before the names of S3's endpoints. */
const withStar: ReadonlySet<string> = new Set(['s3']);

export interface NamedEndpoint {
  readonly id: VpcEndpointId;
  readonly serviceName: string;
  /** The random part of its names. */
  readonly dnsLabel: string;
}

/** The names of an interface endpoint: the regional one, then one per zone (X4). @param interfaces in the endpoint's order */
export function endpointDnsNames(
  { id, serviceName, dnsLabel }: NamedEndpoint,
  interfaces: readonly { readonly networkInterfaceId: NetworkInterfaceId; readonly availabilityZone: string }[],
): { name: string; networkInterfaceIds: NetworkInterfaceId[] }[] {
  const service = endpointService(serviceName);
  if (service === undefined) return [];
  const domain = endpointDomainOf(service);
  const base = `${withStar.has(service.service) ? '*.' : ''}${id}-${dnsLabel}`;
  const zonal = interfaces.map(({ networkInterfaceId, availabilityZone }) => ({
    name: `${base}-${availabilityZone}.${domain}`,
    networkInterfaceIds: [networkInterfaceId],
  }));
  const everyone = interfaces.map(({ networkInterfaceId }) => networkInterfaceId);
  return [{ name: `${base}.${domain}`, networkInterfaceIds: everyone }, ...zonal];
}

/**
 * The name that the service behind an interface endpoint shows a certificate for: the one that was asked for when it is one of its own or of the
 * endpoint's, else the service's first. A client that came for another service sees that it is not there by the name (one endpoint, one service).
 * @returns undefined when there is no such interface endpoint
 */
export function certifiedName(snapshot: Snapshot, id: VpcEndpointId, asked: string | undefined): string | undefined {
  for (const { interfaceEndpoints } of snapshot.vpcs) {
    const endpoint = interfaceEndpoints.find((each) => each.vpcEndpointId === id);
    if (endpoint === undefined) continue;
    const own = endpointServiceCalled(endpoint.service, endpoint.serviceRegion)?.privateDnsNames ?? [];
    const names = [...own, ...endpoint.dnsNames.map((each) => each.name)];
    return asked !== undefined && coversName(names, asked) ? asked : names[0]?.replace('*.', '');
  }
  return undefined;
}
