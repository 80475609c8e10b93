// Flow logs: what is asked for. The kernel counts (fabric/compile/flow-logs.ts), and server/flow-logs/ writes the records.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFlowLogs.html (read 2026-11-22)
// Order of checks: resource type and ids, traffic type, destination, format, interval, options, then each resource: does its log exist already, may the
// destination be written to. Nothing of a log can be changed (L6).
// A log stays when its VPC, subnet or interface is deleted, and says nothing any more: no source was found for what AWS does.

import { randomUUID } from 'node:crypto';
import type {
  CreateFlowLogsRequest,
  CreateFlowLogsResult,
  DeleteFlowLogsRequest,
  DeleteFlowLogsResult,
  DescribeFlowLogsRequest,
  DescribeFlowLogsResult,
  FlowLog,
} from '@aws-sdk/client-ec2';
import { defaultFlowLogFormat, isFlowLogField, isFlowLogFormat, namesInFormat } from '../../flow-log-format.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { FlowLogRow } from '../../store/rows/flow-logs.ts';
import { describe } from './describe.ts';
import { ec2Error, invalidParameter, invalidValue, missingParameter, refuseUnsupported, unsupportedOperation } from './errors.ts'; // biome-ignore format: many words
import type { FilterTable } from './filters.ts';
import { prepareDestination, readDestination } from './flow-log-destinations.ts';
import { oncePerToken } from './idempotency.ts';
import { findRow, requireRow, scopeOf } from './rows.ts';
import { tagsFromSpecifications, toTags } from './tags.ts';

const kind = 'flow-log';

/** Resource type → the kind of its rows. */
const resources = { VPC: 'vpc', Subnet: 'subnet', NetworkInterface: 'network-interface' } as const;
const elsewhere = ['TransitGateway', 'TransitGatewayAttachment', 'RegionalNatGateway'];
const trafficTypes = ['ACCEPT', 'REJECT', 'ALL'];
const maxResources = 300;

type What = Omit<FlowLogRow, 'id' | 'accountId' | 'region' | 'resourceId' | 'createdAt'>;

function readWhat(call: Call, input: CreateFlowLogsRequest): What {
  const { ResourceType, TrafficType } = input;
  if (!ResourceType) throw missingParameter('resourceType');
  if (elsewhere.includes(ResourceType)) throw unsupportedOperation(`A flow log of a ${ResourceType}`);
  if (!Object.hasOwn(resources, ResourceType))
    throw invalidValue(ResourceType, 'resourceType', `Use one of ${Object.keys(resources).join(', ')}.`);
  if (!TrafficType) throw missingParameter('trafficType');
  if (!trafficTypes.includes(TrafficType))
    throw invalidValue(TrafficType, 'trafficType', `Use one of ${trafficTypes.join(', ')}.`);
  refuseUnsupported('CreateFlowLogs', input, ['DeliverCrossAccountRole']);
  const destination = readDestination(call, input);
  return {
    resourceType: ResourceType as FlowLogRow['resourceType'],
    trafficType: TrafficType,
    ...destination,
    logFormat: readFormat(input.LogFormat),
    maxAggregationInterval: readInterval(input.MaxAggregationInterval),
    ...readOptions(input),
    tags: tagsFromSpecifications(input.TagSpecifications, 'vpc-flow-log'),
  };
}

function readFormat(format: string | undefined): string {
  if (format === undefined || format === '') return defaultFlowLogFormat;
  if (!isFlowLogFormat(format))
    throw invalidParameter(`1 validation error detected: Value '${format}' at 'logFormat' has an invalid format`);
  const unknown = namesInFormat(format).filter((name) => !isFlowLogField(name));
  // AWS's wording was not seen.
  if (unknown.length > 0) throw invalidParameter(`Unknown fields provided: [${unknown.join(', ')}]`);
  return format;
}

function readInterval(seconds: number | undefined): 60 | 600 {
  if (seconds === undefined || seconds === 600) return 600;
  if (seconds === 60) return 60;
  throw invalidParameter('Invalid Flow Log Max Aggregation Interval');
}

function readOptions({ DestinationOptions: options, LogDestinationType }: CreateFlowLogsRequest) {
  if (options !== undefined && LogDestinationType !== 's3')
    throw invalidParameter('DestinationOptions are applicable for s3 delivery only');
  const format = options?.FileFormat ?? 'plain-text';
  if (format === 'parquet') throw unsupportedOperation('The file format parquet of flow logs');
  if (format !== 'plain-text') throw invalidValue(format, 'fileFormat', 'Use plain-text or parquet.');
  return {
    hiveCompatiblePartitions: options?.HiveCompatiblePartitions === true,
    perHourPartition: options?.PerHourPartition === true,
  };
}

/** All that a log is, but for its tags: two that have it in common are the same log. */
function configurationOf({ tags: _tags, ...what }: Omit<What, 'deliveryError'>): string {
  return JSON.stringify(Object.entries(what).sort(([a], [b]) => (a < b ? -1 : 1)));
}

interface Made {
  readonly ids: string[];
  readonly failed: readonly { readonly resourceId: string; readonly message: string }[];
}

function make(call: Call, input: CreateFlowLogsRequest): Made {
  const what = readWhat(call, input);
  const resourceIds = [...new Set(input.ResourceIds ?? [])];
  if (resourceIds.length === 0) throw missingParameter('resourceId');
  if (resourceIds.length > maxResources)
    throw invalidParameter(`The maximum number of resources of a request is ${maxResources}.`);
  const rows = resourceIds.map((id) => requireRow(call, resources[what.resourceType], id, 'resourceId'));
  const existing = new Set(
    call.tx.list(kind, scopeOf(call)).map((row) => {
      const {
        id: _id,
        accountId: _account,
        region: _region,
        resourceId,
        createdAt: _at,
        deliveryError: _why,
        ...own
      } = row;
      return `${resourceId} ${configurationOf(own)}`;
    }),
  );
  if (rows.some(({ id }) => existing.has(`${id} ${configurationOf(what)}`)))
    throw ec2Error(
      'FlowLogAlreadyExists',
      'Error. There is an existing Flow Log with the same configuration and log destination.',
    );
  const message = prepareDestination(call, what);
  if (message !== undefined) return { ids: [], failed: rows.map(({ id }) => ({ resourceId: id, message })) };
  const ids = rows.map(({ id: resourceId }) => {
    const id = call.tx.newId('fl');
    call.tx.put(kind, { ...scopeOf(call), id, resourceId, ...what, createdAt: call.now.toISOString() });
    return id;
  });
  return { ids, failed: [] };
}

function toFlowLog(row: FlowLogRow): FlowLog {
  return {
    CreationTime: new Date(row.createdAt),
    DeliverLogsStatus: row.deliveryError === undefined ? 'SUCCESS' : 'FAILED',
    ...(row.deliveryError !== undefined && { DeliverLogsErrorMessage: row.deliveryError }),
    ...(row.deliverLogsPermissionArn !== undefined && { DeliverLogsPermissionArn: row.deliverLogsPermissionArn }),
    FlowLogId: row.id,
    FlowLogStatus: 'ACTIVE',
    ...(row.logGroupName !== undefined && { LogGroupName: row.logGroupName }),
    ResourceId: row.resourceId,
    TrafficType: row.trafficType,
    LogDestinationType: row.destinationType,
    ...(row.destination !== undefined && { LogDestination: row.destination }),
    LogFormat: row.logFormat,
    Tags: toTags(row.tags),
    MaxAggregationInterval: row.maxAggregationInterval,
    ...(row.destinationType === 's3' && {
      DestinationOptions: {
        FileFormat: 'plain-text',
        HiveCompatiblePartitions: row.hiveCompatiblePartitions,
        PerHourPartition: row.perHourPartition,
      },
    }),
  };
}

const filters: FilterTable<FlowLogRow> = {
  'deliver-log-status': (row) => (row.deliveryError === undefined ? 'SUCCESS' : 'FAILED'),
  'log-destination-type': (row) => row.destinationType,
  'flow-log-id': (row) => row.id,
  'log-group-name': (row) => row.logGroupName,
  'resource-id': (row) => row.resourceId,
  'traffic-type': (row) => row.trafficType,
};

export const flowLogs = {
  CreateFlowLogs: operation<CreateFlowLogsRequest, CreateFlowLogsResult>({
    authorize: 'auto',
    run: (call, input) => {
      let failed: Made['failed'] = [];
      const known = (ids: readonly string[]) => ids.length > 0 && ids.every((id) => findRow(call, kind, id));
      const FlowLogIds = oncePerToken(call, input.ClientToken, input, known, () => {
        const made = make(call, input);
        failed = made.failed;
        return made.ids;
      });
      return {
        ClientToken: input.ClientToken ?? randomUUID(),
        FlowLogIds,
        // The code is the status, as recorded at AWS.
        Unsuccessful: failed.map(({ resourceId: ResourceId, message: Message }) => ({
          Error: { Code: '400', Message },
          ResourceId,
        })),
      };
    },
  }),

  DescribeFlowLogs: operation<DescribeFlowLogsRequest, DescribeFlowLogsResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      // The one list that EC2 calls Filter.
      const request = { ...input, Filters: input.Filter };
      const { page, next } = describe(call, kind, request, { ids: input.FlowLogIds, parameter: 'flowLogId', filters, min: 1 }); // biome-ignore format: few words
      return { FlowLogs: page.map(toFlowLog), ...next };
    },
  }),

  DeleteFlowLogs: operation<DeleteFlowLogsRequest, DeleteFlowLogsResult>({
    authorize: 'auto',
    run: (call, input) => {
      const ids = [...new Set(input.FlowLogIds ?? [])];
      if (ids.length === 0) throw missingParameter('flowLogId');
      const missing = ids.filter((id) => !findRow(call, kind, id));
      if (missing.length > 0)
        throw ec2Error(
          'InvalidFlowLogId.NotFound',
          `These flow log ids in the input list are not found: [TotalCount: ${missing.length}] ${missing.join(' ')}`,
        );
      for (const id of ids) call.tx.delete(kind, id);
      return { Unsuccessful: [] };
    },
  }),
} satisfies Record<string, Operation>;
