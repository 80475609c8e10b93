// The parameter store, as far as infrastructure code needs it to find an image: the public parameters that name the AMIs there are, read only. Nobody can
// make a parameter here, so every other name is one that does not exist.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-public-parameters.html (read 2026-11-21)

import type {
  GetParameterRequest,
  GetParameterResult,
  GetParametersByPathRequest,
  GetParametersByPathResult,
  GetParametersRequest,
  GetParametersResult,
  Parameter,
} from '@aws-sdk/client-ssm';
import { imagesOf } from '../../images.ts';
import { type BaseCall, type Call, operation, type Permission } from '../../service.ts';
import { invalid, parameterNotFound } from './errors.ts';

/** Public parameters belong to no account. */
const arnOf = (call: BaseCall, name: string) =>
  `arn:${call.partition}:ssm:${call.region}::parameter${name.startsWith('/') ? name : `/${name}`}`;

/** A name, or the parameter's ARN. */
const nameOf = (given: string) => given.replace(/^arn:[^:]*:ssm:[^:]*:[^:]*:parameter/, '');

function publicParameters(call: Call): Parameter[] {
  return imagesOf(call.region).flatMap((image) =>
    image.parameters.map((Name) => ({
      Name,
      Type: 'String' as const,
      Value: image.imageId,
      Version: 1,
      LastModifiedDate: new Date(image.creationDate),
      ARN: arnOf(call, Name),
      DataType: 'text',
    })),
  );
}

function getParameter(call: Call, input: GetParameterRequest): GetParameterResult {
  const name = nameOf(input.Name ?? '');
  const found = publicParameters(call).find((one) => one.Name === name);
  if (!found) throw parameterNotFound();
  return { Parameter: found };
}

function getParameters(call: Call, input: GetParametersRequest): GetParametersResult {
  const names = input.Names ?? [];
  if (names.length < 1 || names.length > 10) throw invalid(`Names must have 1 to 10 members, and has ${names.length}.`);
  const known = new Map(publicParameters(call).map((one) => [one.Name, one]));
  return {
    Parameters: names.flatMap((name) => known.get(nameOf(name)) ?? []),
    InvalidParameters: names.filter((name) => !known.has(nameOf(name))),
  };
}

/** Ten at a time; the token is the last name of the page before. */
function getParametersByPath(call: Call, input: GetParametersByPathRequest): GetParametersByPathResult {
  const path = `${(input.Path ?? '').replace(/\/$/, '')}/`;
  if (!path.startsWith('/')) throw invalid('The parameter path must begin with a slash.');
  const most = input.MaxResults ?? 10;
  if (most < 1 || most > 10) throw invalid('MaxResults must be between 1 and 10.');
  const fitting = publicParameters(call)
    .filter(({ Name = '' }) => Name.startsWith(path) && (input.Recursive || !Name.slice(path.length).includes('/')))
    .filter(({ Name = '' }) => input.NextToken === undefined || Name > input.NextToken)
    .sort((a, b) => ((a.Name ?? '') < (b.Name ?? '') ? -1 : 1));
  const page = fitting.slice(0, most);
  const last = page.at(-1)?.Name;
  return { Parameters: page, ...(fitting.length > most && last !== undefined && { NextToken: last }) };
}

const on = (call: Call, name: string): Permission => ({
  action: `ssm:${call.operation}`,
  resource: arnOf(call, nameOf(name)),
});

export const parameterOperations = {
  GetParameter: operation<GetParameterRequest, GetParameterResult>({
    authorize: (call, input) => [on(call, input.Name ?? '')],
    run: getParameter,
    readOnly: true,
  }),
  GetParameters: operation<GetParametersRequest, GetParametersResult>({
    authorize: (call, input) => (input.Names ?? []).map((name) => on(call, name)),
    run: getParameters,
    readOnly: true,
  }),
  GetParametersByPath: operation<GetParametersByPathRequest, GetParametersByPathResult>({
    authorize: (call, input) => [on(call, input.Path ?? '')],
    run: getParametersByPath,
    readOnly: true,
  }),
};
