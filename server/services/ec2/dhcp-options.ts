// DHCP options sets. https://docs.aws.amazon.com/vpc/latest/userguide/VPC_DHCP_Options.html (read 2026-11-21). A set cannot be changed, only replaced.

import { isIPv6 } from 'node:net';
import type {
  AssociateDhcpOptionsRequest,
  CreateDhcpOptionsRequest,
  CreateDhcpOptionsResult,
  DeleteDhcpOptionsRequest,
  DescribeDhcpOptionsRequest,
  DescribeDhcpOptionsResult,
  DhcpOptions,
  NewDhcpConfiguration,
} from '@aws-sdk/client-ec2';
import { ipToNumber } from '@postern/network/cidr.ts';
import { type Operation, operation } from '../../service.ts';
import type { DhcpOptionsRow } from '../../store/rows/ec2.ts';
import { describe } from './describe.ts';
import { hasDependencies, invalidParameterValue, invalidValue, missingParameter } from './errors.ts';
import { requireRow, scopeOf } from './rows.ts';
import { tagsFromSpecifications, toTags } from './tags.ts';

const maxServers = 4;

// These become words of a line in the guest's resolv.conf, so nothing else may pass: a line break would begin a line of the caller's own.
const isServer = (value: string) => value === 'AmazonProvidedDNS' || ipToNumber(value) !== undefined || isIPv6(value);
/** Some systems take several names, separated by spaces. */
const isDomainName = (value: string) => /^[a-z0-9_.-]+( +[a-z0-9_.-]+)*$/i.test(value) && value.length <= 253;

/** Key → is this a value for it? */
const keys: Readonly<Record<string, (value: string) => boolean>> = {
  'domain-name': isDomainName,
  'domain-name-servers': isServer,
  'ntp-servers': isServer,
  'netbios-name-servers': (value) => ipToNumber(value) !== undefined,
  'netbios-node-type': (value) => ['1', '2', '4', '8'].includes(value),
  'ipv6-address-preferred-lease-time': (value) => /^\d+$/.test(value),
};

function readConfigurations(list: readonly NewDhcpConfiguration[] | undefined): DhcpOptionsRow['configurations'] {
  if (!list || list.length === 0) throw missingParameter('dhcpConfigurationSet');
  return list.map(({ Key: key = '', Values: values = [] }) => {
    const fits = Object.hasOwn(keys, key) ? keys[key] : undefined;
    if (!fits) throw invalidValue(key, 'dhcpConfigurationSet', 'Unknown DHCP option.');
    if (values.length === 0) throw invalidParameterValue(`The DHCP option ${key} needs a value.`);
    // Clients send several servers either as several values or as one with commas.
    const parts = values.flatMap((value) => value.split(',').map((part) => part.trim()));
    const wrong = parts.find((value) => !fits(value));
    if (wrong !== undefined) throw invalidValue(wrong, key, 'Invalid value for this DHCP option.');
    if (key.endsWith('-servers') && parts.length > maxServers)
      throw invalidParameterValue(`The DHCP option ${key} takes at most ${maxServers} servers.`);
    return { key, values: parts };
  });
}

function toDhcpOptions(row: DhcpOptionsRow): DhcpOptions {
  return {
    DhcpOptionsId: row.id,
    OwnerId: row.accountId,
    DhcpConfigurations: row.configurations.map(({ key, values }) => ({
      Key: key,
      Values: values.map((Value) => ({ Value })),
    })),
    Tags: toTags(row.tags),
  };
}

export const dhcpOptions = {
  CreateDhcpOptions: operation<CreateDhcpOptionsRequest, CreateDhcpOptionsResult>({
    authorize: 'auto',
    run: (call, input) => {
      const row: DhcpOptionsRow = {
        ...scopeOf(call),
        id: call.tx.newId('dopt'),
        configurations: readConfigurations(input.DhcpConfigurations),
        tags: tagsFromSpecifications(input.TagSpecifications, 'dhcp-options'),
      };
      call.tx.put('dhcp-options', row);
      return { DhcpOptions: toDhcpOptions(row) };
    },
  }),

  DescribeDhcpOptions: operation<DescribeDhcpOptionsRequest, DescribeDhcpOptionsResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const { page, next } = describe(call, 'dhcp-options', input, {
        ids: input.DhcpOptionsIds,
        parameter: 'dhcpOptionsSet',
        filters: {
          'dhcp-options-id': (row) => row.id,
          key: (row) => row.configurations.map((one) => one.key),
          value: (row) => row.configurations.flatMap((one) => one.values),
          'owner-id': (row) => row.accountId,
        },
      });
      return { DhcpOptions: page.map(toDhcpOptions), ...next };
    },
  }),

  DeleteDhcpOptions: operation<DeleteDhcpOptionsRequest, Record<string, never>>({
    authorize: 'auto',
    run: (call, input) => {
      const row = requireRow(call, 'dhcp-options', input.DhcpOptionsId, 'dhcpOptionsId');
      const users = call.tx.list('vpc', scopeOf(call)).filter((vpc) => vpc.dhcpOptionsId === row.id);
      if (users.length > 0)
        throw hasDependencies(
          'dhcpOptions',
          row.id,
          users.map(({ id }) => id),
        );
      call.tx.delete('dhcp-options', row.id);
      return {};
    },
  }),

  AssociateDhcpOptions: operation<AssociateDhcpOptionsRequest, Record<string, never>>({
    authorize: 'auto',
    run: (call, input) => {
      const wanted = input.DhcpOptionsId;
      const dhcpOptionsId =
        wanted === 'default' ? wanted : requireRow(call, 'dhcp-options', wanted, 'dhcpOptionsId').id;
      const vpc = requireRow(call, 'vpc', input.VpcId, 'vpcId');
      call.tx.put('vpc', { ...vpc, dhcpOptionsId });
      return {};
    },
  }),
} satisfies Record<string, Operation>;
