// What is the policy simulator asked about? Actions that there are, resources, whose they are, EC2's scenarios, and what is true of the request.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html (read 2026-11-21). The words
// about context entries, actions and resources were recorded on AWS (2026-09); those for a scenario or an owner that is none are unsourced.

import type { ContextEntry } from '@aws-sdk/client-iam';
import { constraints, required } from './checks.ts';
import { invalidInput } from './errors.ts';

/** Any name: one of no action of AWS's, and a pattern, are asked about as they are written (recorded). @throws AwsError InvalidInput without a service */
export function checkedActions(names: readonly string[] | undefined): readonly string[] {
  const actions = required('actionNames', names);
  const checks = constraints();
  for (const [index, action] of actions.entries()) checks.length(`actionNames.${index + 1}.member`, action, 3, 128);
  checks.done();
  for (const action of actions) {
    if (!action.includes(':')) throw invalidInput('The action is invalid since it is missing names');
  }
  return actions;
}

export function checkedResources(arns: readonly string[] | undefined): readonly string[] {
  const resources = arns ?? [];
  for (const arn of resources) {
    if (arn !== '*' && arn.split(':').length < 6)
      throw invalidInput(`ResourceNames are not in a valid ARN format: ${arn}.`);
  }
  return resources.length === 0 ? ['*'] : resources;
}

/** What an EC2 scenario wants to have among the resources. The two of EC2-Classic are of the API's earlier references. */
const scenarios: Readonly<Record<string, readonly string[]>> = {
  'EC2-Classic-InstanceStore': ['instance', 'image', 'security-group'],
  'EC2-Classic-EBS': ['instance', 'image', 'security-group', 'volume'],
  'EC2-VPC-InstanceStore': ['instance', 'image', 'security-group', 'network-interface'],
  'EC2-VPC-InstanceStore-Subnet': ['instance', 'image', 'security-group', 'network-interface', 'subnet'],
  'EC2-VPC-EBS': ['instance', 'image', 'security-group', 'network-interface', 'volume'],
  'EC2-VPC-EBS-Subnet': ['instance', 'image', 'security-group', 'network-interface', 'subnet', 'volume'],
};

/** The option changes no decision: it makes sure that every resource is there which a real call would name. */
export function checkScenario(option: string | undefined, resources: readonly string[]): void {
  constraints().length('resourceHandlingOption', option, 1, 64).done();
  if (option === undefined) return;
  const wanted = Object.hasOwn(scenarios, option) ? scenarios[option] : undefined;
  if (!wanted) throw invalidInput(`Invalid Resource Handling Option: ${option}`);
  const named = new Set(resources.map((arn) => /^arn:[\w-]+:ec2:[^:]*:[^:]*:([\w-]+)\//.exec(arn)?.[1]));
  const missing = wanted.filter((type) => !named.has(type));
  if (missing.length > 0) throw invalidInput(`Resources missing for ${option}: ${missing.join(', ')}`);
}

/** @returns the account that an ARN names, else the one that the input calls the owner, else the caller's */
export function ownerOf(resource: string, owner: string | undefined, callers: string): string {
  const named = /^arn:[^:]*:[^:]*:[^:]*:(\d{12}):/.exec(resource)?.[1];
  if (named !== undefined || owner === undefined) return named ?? callers;
  const account = /^arn:[\w-]+:iam::(\d{12}):/.exec(owner)?.[1];
  if (account === undefined) throw invalidInput(`Invalid Resource Owner: ${owner}`);
  return account;
}

const contextTypes = ['string', 'numeric', 'boolean', 'ip', 'binary', 'date'].flatMap((one) => [one, `${one}List`]);
const numeric = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

/** @returns values by lower-case key; an entry with nothing in it says nothing */
export function checkedContext(entries: readonly ContextEntry[] | undefined): Map<string, readonly string[]> {
  const checks = constraints();
  for (const [index, { ContextKeyName, ContextKeyType }] of (entries ?? []).entries()) {
    const member = `contextEntries.${index + 1}.member`;
    checks.length(`${member}.contextKeyName`, ContextKeyName, 5, 256);
    checks.oneOf(`${member}.contextKeyType`, ContextKeyType, contextTypes);
  }
  checks.done();
  const context = new Map<string, readonly string[]>();
  for (const { ContextKeyName: key, ContextKeyType: type, ContextKeyValues: values } of entries ?? []) {
    if (key === undefined && type === undefined && values === undefined) continue;
    if (key === undefined) throw invalidInput('ContextKeyName cannot be null or empty.');
    if (type === undefined) throw invalidInput(`Context key ${key} has invalid type null.`);
    if (!values || values.length === 0) {
      throw invalidInput(`Context values for context key ${key} cannot be null or empty.`);
    }
    if (!type.endsWith('List') && values.length > 1) {
      throw invalidInput(`Context key ${type} expected a single value, but received ${values.length}.`);
    }
    if (type.startsWith('numeric') && !values.every((value) => numeric.test(value))) {
      throw invalidInput(`Invalid context value for key ${key}: expected numeric format.`);
    }
    context.set(key.toLowerCase(), values);
  }
  return context;
}
