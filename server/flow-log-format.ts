// The fields of a flow log's records, and how a format is written. https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html (read 2026-11-22)
// EC2 checks a format with this, and what delivers the records writes them by it (server/flow-logs/).

/** Field → the version that brought it, in AWS's order. */
export const flowLogFields = {
  version: 2, 'account-id': 2, 'interface-id': 2, srcaddr: 2, dstaddr: 2, srcport: 2, dstport: 2, protocol: 2, packets: 2, bytes: 2, start: 2, end: 2,
  action: 2, 'log-status': 2,
  'vpc-id': 3, 'subnet-id': 3, 'instance-id': 3, 'tcp-flags': 3, type: 3, 'pkt-srcaddr': 3, 'pkt-dstaddr': 3,
  region: 4, 'az-id': 4, 'sublocation-type': 4, 'sublocation-id': 4,
  'pkt-src-aws-service': 5, 'pkt-dst-aws-service': 5, 'flow-direction': 5, 'traffic-path': 5,
  'ecs-cluster-arn': 7, 'ecs-cluster-name': 7, 'ecs-container-instance-arn': 7, 'ecs-container-instance-id': 7, 'ecs-container-id': 7,
  'ecs-second-container-id': 7, 'ecs-service-name': 7, 'ecs-task-definition-arn': 7, 'ecs-task-arn': 7, 'ecs-task-id': 7,
  'reject-reason': 8, 'resource-id': 9, 'encryption-status': 10,
} as const satisfies Record<string, number>; // biome-ignore format: a table

export type FlowLogField = keyof typeof flowLogFields;

const allFields = Object.keys(flowLogFields) as FlowLogField[];

export const defaultFlowLogFormat = formatOf(allFields.filter((field) => flowLogFields[field] === 2));

function formatOf(fields: readonly FlowLogField[]): string {
  return fields.map((field) => `\${${field}}`).join(' ');
}

/** Whether it is `${a} ${b}`: one space between two, none at the ends. */
export function isFlowLogFormat(text: string): boolean {
  return /^\$\{[a-z-]+\}(?: \$\{[a-z-]+\})*$/.test(text);
}

/** The names in a format, known or not. */
export function namesInFormat(format: string): string[] {
  return [...format.matchAll(/\$\{([a-z-]+)\}/g)].map(([, name = '']) => name);
}

export function isFlowLogField(name: string): name is FlowLogField {
  return Object.hasOwn(flowLogFields, name);
}

/** The fields of a stored format, and the version that its records say: the newest field's. */
export function readFlowLogFormat(format: string): {
  readonly fields: readonly FlowLogField[];
  readonly version: number;
} {
  const fields = namesInFormat(format).filter(isFlowLogField);
  return { fields, version: Math.max(...fields.map((field) => flowLogFields[field])) };
}

/** Where a log's files are, below the bucket's prefix; with Hive's partitions every folder has a name. */
export function flowLogFolder(accountId: string, hiveCompatiblePartitions: boolean): string {
  return `AWSLogs/${hiveCompatiblePartitions ? 'aws-account-id=' : ''}${accountId}/`;
}
