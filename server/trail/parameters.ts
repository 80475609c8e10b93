// What a call took and gave, in the JSON of CloudTrail's records: `requestParameters` and `responseElements`. Members begin in lower case, times are words.
// Forms are those of the examples in https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html (read 2026-11-22);
// AWS has no rule for all services. What is secret is never in a record: the model says which members are, and a few more are named here.

import type { OperationModel, Shape, StructureShape } from '../catalogue/shapes.ts';
import { ec2Request, ec2Response } from './ec2-parameters.ts';
import { isSecret, lowerFirst, scalar, type Values } from './record-values.ts';
import { s3Request } from './s3-parameters.ts';

/** @param input as the SDK types it; undefined where the request was refused before it was read */
export function requestParameters(operation: OperationModel, input: unknown, host: string | undefined): unknown {
  if (typeof input !== 'object' || input === null) return null;
  switch (operation.service.protocol) {
    case 'ec2-query':
      return ec2Request(operation, input as Values);
    case 'rest-xml':
      return s3Request(operation, input as Values, host);
    default:
      return emptyIsNull(
        operation.input && members(operation.input, input as Values, 'HIDDEN_DUE_TO_SECURITY_REASONS'),
      );
  }
}

export function responseElements(operation: OperationModel, output: Values | undefined, requestId: string): unknown {
  if (!output) return null;
  switch (operation.service.protocol) {
    case 'ec2-query':
      return ec2Response(operation, output, requestId);
    case 'rest-xml':
      return null;
    default:
      return emptyIsNull(operation.output && members(operation.output, output, undefined));
  }
}

const emptyIsNull = (value: object | undefined) => (value && Object.keys(value).length > 0 ? value : null);

/** @param hidden stands in for what is secret; undefined: it is left out */
function members(shape: StructureShape, values: Values, hidden: string | undefined): Record<string, unknown> {
  const told: Record<string, unknown> = {};
  for (const member of shape.members) {
    const value = values[member.name];
    if (value === undefined || value === null) continue;
    const name = lowerFirst(member.name);
    if (isSecret(member)) {
      if (hidden !== undefined) told[name] = hidden;
      continue;
    }
    const text = plain(member.shape, value, hidden);
    if (text !== undefined) told[name] = text;
  }
  return told;
}

function plain(shape: Shape, value: unknown, hidden: string | undefined): unknown {
  switch (shape.kind) {
    case 'structure':
    case 'union':
      return members(shape, value as Values, hidden);
    case 'list':
      return (value as readonly unknown[]).map((one) => plain(shape.member.shape, one, hidden));
    case 'map':
      return Object.fromEntries(
        Object.entries(value as Values).map(([key, one]) => [key, plain(shape.value.shape, one, hidden)]),
      );
    default:
      return scalar(value);
  }
}
