// ClassicLink joined VPCs to EC2-Classic, which is gone; old tools still ask which VPCs have it. Where EC2-Classic was, none has; the regions that came
// after it never knew the question, and say so in words that tools look for.

import type {
  DescribeVpcClassicLinkDnsSupportRequest,
  DescribeVpcClassicLinkDnsSupportResult,
  DescribeVpcClassicLinkRequest,
  DescribeVpcClassicLinkResult,
} from '@aws-sdk/client-ec2';
import { type Call, type Operation, operation } from '../../service.ts';
import type { VpcRow } from '../../store/rows/ec2.ts';
import { ec2Error } from './errors.ts';
import { applyFilters } from './filters.ts';
import { selectRows } from './rows.ts';
import { toTags } from './tags.ts';

const regions: readonly string[] = [
  'us-east-1',
  'us-west-1',
  'us-west-2',
  'eu-west-1',
  'ap-southeast-1',
  'ap-southeast-2',
  'ap-northeast-1',
  'sa-east-1',
];

function vpcsOf(call: Call, ids: readonly string[] | undefined): VpcRow[] {
  if (!regions.includes(call.region))
    throw ec2Error('UnsupportedOperation', 'The functionality you requested is not available in this region.');
  return selectRows(call, 'vpc', ids);
}

export const classicLink = {
  DescribeVpcClassicLink: operation<DescribeVpcClassicLinkRequest, DescribeVpcClassicLinkResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const rows = applyFilters(vpcsOf(call, input.VpcIds), input.Filters, { 'is-classic-link-enabled': () => false });
      return { Vpcs: rows.map((row) => ({ VpcId: row.id, ClassicLinkEnabled: false, Tags: toTags(row.tags) })) };
    },
  }),

  DescribeVpcClassicLinkDnsSupport: operation<
    DescribeVpcClassicLinkDnsSupportRequest,
    DescribeVpcClassicLinkDnsSupportResult
  >({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => ({
      Vpcs: vpcsOf(call, input.VpcIds).map((row) => ({ VpcId: row.id, ClassicLinkDnsSupported: false })),
    }),
  }),
} satisfies Record<string, Operation>;
