// What EC2 says of the account in this region, as the CLI and IaC tools ask for it before they begin.

import type {
  AccountAttribute,
  DescribeAccountAttributesRequest,
  DescribeAccountAttributesResult,
  GetEbsDefaultKmsKeyIdResult,
  GetEbsEncryptionByDefaultResult,
  GetInstanceMetadataDefaultsResult,
  GetSerialConsoleAccessStatusResult,
} from '@aws-sdk/client-ec2';
import { type Operation, operation } from '../../service.ts';
import { defaultVpcOf } from './default-vpc.ts';
import { invalidParameterValue } from './errors.ts';
import { quotas } from './quotas.ts';

const attribute = (name: string, value: string): AccountAttribute => ({
  AttributeName: name,
  AttributeValues: [{ AttributeValue: value }],
});

export const accountAttributes = {
  DescribeAccountAttributes: operation<DescribeAccountAttributesRequest, DescribeAccountAttributesResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const addresses = String(quotas.addressesPerRegion.limit);
      const all = [
        attribute('supported-platforms', 'VPC'),
        attribute('default-vpc', defaultVpcOf(call.tx, call.accountId, call.region)?.id ?? 'none'),
        attribute('max-instances', '20'),
        attribute('vpc-max-security-groups-per-interface', String(quotas.securityGroupsPerInterface.limit)),
        attribute('max-elastic-ips', addresses),
        attribute('vpc-max-elastic-ips', addresses),
      ];
      const names: readonly string[] = input.AttributeNames ?? [];
      const unknown = names.find((name) => !all.some((one) => one.AttributeName === name));
      if (unknown !== undefined)
        throw invalidParameterValue(`Value (${unknown}) for parameter attributeName is invalid. Unknown attribute.`);
      return {
        AccountAttributes: names.length === 0 ? all : all.filter((one) => names.includes(one.AttributeName ?? '')),
      };
    },
  }),

  GetEbsEncryptionByDefault: operation<object, GetEbsEncryptionByDefaultResult>({
    authorize: 'auto',
    readOnly: true,
    run: () => ({ EbsEncryptionByDefault: false, SseType: 'none' }),
  }),

  GetEbsDefaultKmsKeyId: operation<object, GetEbsDefaultKmsKeyIdResult>({
    authorize: 'auto',
    readOnly: true,
    run: () => ({ KmsKeyId: 'alias/aws/ebs' }),
  }),

  GetSerialConsoleAccessStatus: operation<object, GetSerialConsoleAccessStatusResult>({
    authorize: 'auto',
    readOnly: true,
    run: () => ({ SerialConsoleAccessEnabled: false, ManagedBy: 'account' }),
  }),

  GetInstanceMetadataDefaults: operation<object, GetInstanceMetadataDefaultsResult>({
    authorize: 'auto',
    readOnly: true,
    // An account that never set any.
    run: () => ({ AccountLevel: {} }),
  }),
} satisfies Record<string, Operation>;
