// What may the metadata service do for an instance (H4)? Values of a request over the ones before; used by RunInstances and ModifyInstanceMetadataOptions.

import type { InstanceMetadataOptionsRequest, InstanceMetadataOptionsResponse } from '@aws-sdk/client-ec2';
import type { InstanceRow } from '../../store/rows/ec2.ts';
import { invalidCombination, invalidParameterValue } from './errors.ts';

export type MetadataOptions = InstanceRow['metadataOptions'];

/** @param imdsV2 the image asks for IMDSv2 */
export function defaultMetadataOptions(imdsV2: boolean): MetadataOptions {
  return {
    httpTokens: imdsV2 ? 'required' : 'optional',
    httpEndpoint: 'enabled',
    httpPutResponseHopLimit: imdsV2 ? 2 : 1,
    instanceMetadataTags: 'disabled',
    httpProtocolIpv6: 'disabled',
  };
}

const choices = {
  HttpTokens: ['optional', 'required'],
  HttpEndpoint: ['enabled', 'disabled'],
  HttpProtocolIpv6: ['enabled', 'disabled'],
  InstanceMetadataTags: ['enabled', 'disabled'],
} as const;

function oneOf<N extends keyof typeof choices>(
  name: N,
  value: string | undefined,
): (typeof choices)[N][number] | undefined {
  if (value === undefined) return undefined;
  const found = choices[name].find((one) => one === value);
  if (found === undefined)
    throw invalidParameterValue(
      `Value (${value}) for parameter ${name} is invalid. Expected one of: ${choices[name].join(', ')}.`,
    );
  return found;
}

/** @throws InvalidParameterValue, InvalidParameterCombination */
export function changeMetadataOptions(
  before: MetadataOptions,
  request: InstanceMetadataOptionsRequest,
): MetadataOptions {
  const hopLimit = request.HttpPutResponseHopLimit;
  if (hopLimit !== undefined && !(Number.isInteger(hopLimit) && hopLimit >= 1 && hopLimit <= 64))
    throw invalidParameterValue(
      `Value (${hopLimit}) for parameter HttpPutResponseHopLimit is invalid. It must be between 1 and 64.`,
    );
  const others = [request.HttpTokens, hopLimit, request.InstanceMetadataTags].some((value) => value !== undefined);
  if (request.HttpEndpoint === 'disabled' && others)
    throw invalidCombination(
      'You cannot specify HttpTokens, HttpPutResponseHopLimit or InstanceMetadataTags when HttpEndpoint is disabled.',
    );
  return {
    httpTokens: oneOf('HttpTokens', request.HttpTokens) ?? before.httpTokens,
    httpEndpoint: oneOf('HttpEndpoint', request.HttpEndpoint) ?? before.httpEndpoint,
    httpPutResponseHopLimit: hopLimit ?? before.httpPutResponseHopLimit,
    instanceMetadataTags: oneOf('InstanceMetadataTags', request.InstanceMetadataTags) ?? before.instanceMetadataTags,
    httpProtocolIpv6: oneOf('HttpProtocolIpv6', request.HttpProtocolIpv6) ?? before.httpProtocolIpv6,
  };
}

export function toMetadataOptions(options: MetadataOptions): InstanceMetadataOptionsResponse {
  return {
    State: 'applied',
    HttpTokens: options.httpTokens,
    HttpPutResponseHopLimit: options.httpPutResponseHopLimit,
    HttpEndpoint: options.httpEndpoint,
    HttpProtocolIpv6: options.httpProtocolIpv6,
    InstanceMetadataTags: options.instanceMetadataTags,
  };
}
