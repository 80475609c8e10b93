// A Snapshot as AWS CLI commands that can be pasted into a shell, for whoever wants to see a disagreement with their own eyes (building.ts says what they build).

import type { Snapshot } from '@postern/network/snapshot.ts';
import { type ApiCall, callsOf } from './building.ts';

export function asCommands(snapshot: Snapshot): string {
  return callsOf(snapshot).map(command).join('\n');
}

/** `vpc-0` → `vpc_0` */
const variable = (name: string) => name.replaceAll(/[^A-Za-z0-9]/g, '_').replace(/^(?=\d)/, 'address_');

function command({ service = 'ec2', operation, region, input, answers = {} }: ApiCall): string {
  const words = [`aws ${service}`];
  if (operation === 'WaitInstanceRunning') words.push('wait instance-running');
  else words.push(kebab(operation));
  if (region !== 'us-east-1') words.push(`--region ${region}`);
  for (const [member, value] of Object.entries(input)) words.push(option(operation, member, value));
  const line = words.filter((each) => each !== '').join(' ');
  const [answer] = Object.entries(answers);
  if (answer === undefined) return `${line} > /dev/null`;
  const [name, path] = answer;
  const text = `${variable(name)}=$(${line} --query ${quoted(path)} --output text)`;
  // The part of an IPv6 block that its subnets have in common: 2001:db8:1010:1 of 2001:db8:1010:100::/56.
  return name.endsWith('-ipv6')
    ? `${text}; case $${variable(name)} in *00::/56) ${variable(name)}=\${${variable(name)}%00::/56};; *) ${variable(name)}=\${${variable(name)}%:/56};; esac`
    : text;
}

function option(operation: string, member: string, value: unknown): string {
  const name = kebab(member);
  if (operation === 'CreateNetworkAclEntry' && member === 'Egress') return value === true ? '--egress' : '--ingress';
  // The CLI has one option for the two.
  if (member === 'MinCount') return '';
  if (member === 'MaxCount') return `--count ${String(value)}`;
  // And this one as a switch.
  if (member === 'SourceDestCheck') return '--no-source-dest-check';
  if (typeof value === 'boolean') return value ? `--${name}` : `--no-${name}`;
  if (typeof value === 'string' || typeof value === 'number') return `--${name} ${quoted(String(value))}`;
  if (Array.isArray(value) && value.every((each) => typeof each === 'string'))
    return `--${name} ${value.map((each) => quoted(each as string)).join(' ')}`;
  return `--${name} ${quoted(JSON.stringify(value))}`;
}

function kebab(name: string): string {
  return name.replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, '-').toLowerCase();
}

/** In single quotes where it must be, with the variables outside of them. */
function quoted(text: string): string {
  const parts = text.split(/«(.*?)»/);
  const isPlain = (part: string) => /^[A-Za-z0-9_./:-]*$/.test(part);
  return parts
    .map((part, index) =>
      index % 2 === 1
        ? `"$${variable(part)}"`
        : part === '' || isPlain(part)
          ? part
          : `'${part.replaceAll("'", `'"'"'`)}'`,
    )
    .join('');
}
