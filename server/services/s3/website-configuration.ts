// The website configuration of a bucket: what may be put. Serving it is website.ts.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketWebsite.html (read 2026-11-21)

import type { PutBucketWebsiteRequest, RoutingRule, WebsiteConfiguration } from '@aws-sdk/client-s3';
import type { Call, Operation } from '../../service.ts';
import type { BucketRow } from '../../store/rows/s3.ts';
import { configurationOf, deleting, getting, putting } from './configurations.ts';
import { invalidArgument, invalidRequest, malformedXml } from './errors.ts';

export function websiteOf(bucket: BucketRow): WebsiteConfiguration | undefined {
  return configurationOf<WebsiteConfiguration>(bucket, 'website');
}

/** @throws MalformedXML, InvalidArgument, InvalidRequest */
const maxRoutingRules = 50;

function takeWebsite(_call: Call, _bucket: BucketRow, input: PutBucketWebsiteRequest): WebsiteConfiguration {
  const wanted = input.WebsiteConfiguration;
  if (!wanted) throw malformedXml();
  const { RedirectAllRequestsTo: everything, IndexDocument, ErrorDocument, RoutingRules } = wanted;
  if (everything) {
    if (IndexDocument || ErrorDocument || RoutingRules)
      throw invalidArgument(
        'RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.',
        'RedirectAllRequestsTo',
        'not null',
      );
    if (!everything.HostName) throw malformedXml();
    checkProtocol(everything.Protocol);
    return wanted;
  }
  const suffix = IndexDocument?.Suffix;
  if (suffix === undefined)
    throw invalidArgument(
      'A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty',
      'IndexDocument',
      'null',
    );
  if (suffix === '' || suffix.includes('/'))
    throw invalidArgument('The IndexDocument Suffix is not well formed', 'IndexDocument', suffix);
  if (ErrorDocument && !ErrorDocument.Key) throw malformedXml();
  if (RoutingRules?.length === 0) throw malformedXml();
  if (RoutingRules && RoutingRules.length > maxRoutingRules)
    throw invalidRequest(
      `${RoutingRules.length} routing rules provided, the number of routing rules in a website configuration is limited to ${maxRoutingRules}.`,
    );
  for (const rule of RoutingRules ?? []) checkRoutingRule(rule);
  return wanted;
}

function checkRoutingRule({ Condition: condition, Redirect: redirect }: RoutingRule): void {
  if (!redirect || Object.values(redirect).every((one) => one === undefined)) throw malformedXml();
  checkProtocol(redirect.Protocol);
  const { HttpRedirectCode: code } = redirect;
  if (code !== undefined && !/^3(0[1-9]|[1-9]\d)$/.test(code))
    throw invalidRequest(`The provided HTTP redirect code (${code}) is not valid. Valid codes are 3XX except 300.`);
  const { HttpErrorCodeReturnedEquals: error } = condition ?? {};
  // The wording is without a source.
  if (error !== undefined && !/^[45]\d\d$/.test(error))
    throw invalidRequest(`The provided HTTP error code (${error}) is not valid. Valid codes are 4XX or 5XX.`);
  if (redirect.ReplaceKeyPrefixWith !== undefined && redirect.ReplaceKeyWith !== undefined)
    throw invalidRequest('You can only define ReplaceKeyPrefix or ReplaceKey but not both.');
  if (condition && condition.KeyPrefixEquals === undefined && condition.HttpErrorCodeReturnedEquals === undefined)
    throw invalidRequest(
      "Condition cannot be empty. To redirect all requests without a condition, the condition element shouldn't be present.",
    );
}

function checkProtocol(protocol: string | undefined): void {
  if (protocol !== undefined && protocol !== 'http' && protocol !== 'https')
    throw invalidRequest(
      'Invalid protocol, protocol can be http or https. If not defined the protocol will be selected automatically.',
    );
}

export const websiteConfigurationOperations: Readonly<Record<string, Operation>> = {
  GetBucketWebsite: getting('website', 's3:GetBucketWebsite', (kept: WebsiteConfiguration) => kept, [
    'NoSuchWebsiteConfiguration',
    'The specified bucket does not have a website configuration',
  ]),
  PutBucketWebsite: putting('website', 's3:PutBucketWebsite', takeWebsite),
  DeleteBucketWebsite: deleting('website', 's3:DeleteBucketWebsite'),
};
