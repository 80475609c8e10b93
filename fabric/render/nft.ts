// An nft table as text: whole, or as the smallest transaction that turns one into the other. nft applies a file all or nothing, and connection
// tracking is untouched by it, so packets see the old rules or the new ones and never a mixture (S15).
// nft 1.0.6 wants a newline after a statement, not `; }`; `fwd`, `dnat` and `snat` are no names.

import type { NamespaceState, NftChain, NftRule, NftSet, NftTable } from '../compile/host-state.ts';

/** The table as `nft -f` takes it; read by people in the golden files. */
export function renderTable(table: NftTable): string {
  return [
    `table ${nameOf(table)} {`,
    ...table.sets.flatMap(setBlock),
    ...table.chains.flatMap(chainBlock),
    '}',
    '',
  ].join('\n');
}

/** Both families' tables of a namespace. */
export function renderTablesChange(
  from: Pick<NamespaceState, 'table' | 'ipv6Table'> | undefined,
  to: Pick<NamespaceState, 'table' | 'ipv6Table'>,
): string {
  return renderTableChange(from?.table, to.table) + renderTableChange(from?.ipv6Table, to.ipv6Table);
}

/** Commands from `from` to `to`; empty when they are the same. Undefined `from`: the table is not there. */
export function renderTableChange(from: NftTable | undefined, to: NftTable): string {
  const name = nameOf(to);
  const oldSets = new Map((from?.sets ?? []).map((set) => [set.name, set]));
  const oldChains = new Map((from?.chains ?? []).map((chain) => [chain.name, chain]));
  const sets = new Map(to.sets.map((set) => [set.name, set]));
  const chains = new Map(to.chains.map((chain) => [chain.name, chain]));
  const changedChains = to.chains.filter((chain) => !sameRules(oldChains.get(chain.name)?.rules, chain.rules));
  const goneChains = [...oldChains.values()].filter((chain) => !chains.has(chain.name));
  const goneSets = [...oldSets.values()].filter((set) => !sets.has(set.name));
  // New things first, then the references to them; old references first, then what they referred to.
  const lines = [
    // From nothing means from nothing: a change of several transactions may have ended in the middle.
    ...(from === undefined ? [`add table ${name}`, `delete table ${name}`, `add table ${name}`] : []),
    ...to.sets
      .filter((set) => !oldSets.has(set.name))
      .map((set) => `add ${set.kind} ${name} ${set.name} { ${setType(set)} }`),
    ...to.chains
      .filter((chain) => !oldChains.has(chain.name))
      .map((chain) => `add chain ${name} ${chain.name}${chain.hook === undefined ? '' : ` { ${chain.hook} }`}`),
    ...changedChains.filter((chain) => oldChains.has(chain.name)).map((chain) => `flush chain ${name} ${chain.name}`),
    ...goneChains.map((chain) => `flush chain ${name} ${chain.name}`),
    ...to.sets.flatMap((set) => elementChange(name, oldSets.get(set.name), set)),
    ...changedChains.flatMap((chain) => chain.rules.map((rule) => `add rule ${name} ${chain.name} ${ruleText(rule)}`)),
    ...goneSets.filter((set) => set.type.endsWith(': verdict')).map((set) => `delete ${set.kind} ${name} ${set.name}`),
    ...goneChains.map((chain) => `delete chain ${name} ${chain.name}`),
    ...goneSets.filter((set) => !set.type.endsWith(': verdict')).map((set) => `delete ${set.kind} ${name} ${set.name}`),
  ];
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function nameOf(table: NftTable): string {
  return `${table.family ?? 'ip'} ${table.name}`;
}

function elementChange(table: string, from: NftSet | undefined, to: NftSet): string[] {
  const old = new Set(from?.elements ?? []);
  const wanted = new Set(to.elements);
  const gone = [...old].filter((element) => !wanted.has(element));
  const fresh = [...wanted].filter((element) => !old.has(element));
  const change = (verb: string, elements: readonly string[]) =>
    slices(elements, 200).map((slice) => `${verb} element ${table} ${to.name} { ${slice.join(', ')} }`);
  // Elements of an interval set may not overlap at any moment of the transaction: written anew.
  if (to.interval === true && gone.length > 0)
    return [`flush set ${table} ${to.name}`.replace('flush set', `flush ${to.kind}`), ...change('add', [...wanted])];
  return [...change('delete', gone), ...change('add', fresh)];
}

function slices<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.slice(index * size, (index + 1) * size),
  );
}

/**
 * A change as transactions that the kernel takes: in a user namespace a netlink message is limited to net.core.wmem_max (208 KiB by default), about
 * four times the text. An ordinary change is one; hundreds of interfaces at once are several, before their links exist.
 */
export function transactionsOf(change: string, limit = 40_000): string[] {
  const transactions: string[] = [];
  let current = '';
  for (const line of change.split('\n').filter((each) => each !== '')) {
    if (current !== '' && current.length + line.length > limit) {
      transactions.push(current);
      current = '';
    }
    current += `${line}\n`;
  }
  return current === '' ? transactions : [...transactions, current];
}

function sameRules(a: readonly NftRule[] | undefined, b: readonly NftRule[]): boolean {
  return (
    a !== undefined &&
    a.length === b.length &&
    a.every((rule, index) => rule.match === b[index]?.match && rule.comment === b[index]?.comment)
  );
}

/** `typeof` where the type has no name of its own. */
function typeWords({ type }: NftSet): string {
  return type.startsWith('typeof ') ? type : `type ${type}`;
}

function setType(set: NftSet): string {
  const timeout = set.timeoutSeconds === undefined ? '' : `flags dynamic, timeout; timeout ${set.timeoutSeconds}s; `;
  const size = set.maxElements === undefined ? '' : `size ${set.maxElements}; `;
  return `${typeWords(set)}; ${size}${set.interval === true ? 'flags interval; ' : ''}${timeout}`;
}

function ruleText(rule: NftRule): string {
  return rule.comment === undefined ? rule.match : `${rule.match} comment "${rule.comment}"`;
}

function setBlock(set: NftSet): string[] {
  return [
    `\t${set.kind} ${set.name} {`,
    `\t\t${typeWords(set)}`,
    ...(set.maxElements === undefined ? [] : [`\t\tsize ${set.maxElements}`]),
    ...(set.interval === true ? ['\t\tflags interval'] : []),
    ...(set.timeoutSeconds === undefined ? [] : ['\t\tflags dynamic, timeout', `\t\ttimeout ${set.timeoutSeconds}s`]),
    ...(set.elements.length === 0 ? [] : [`\t\telements = { ${set.elements.toSorted().join(',\n\t\t\t\t')} }`]),
    '\t}',
  ];
}

function chainBlock(chain: NftChain): string[] {
  return [
    `\tchain ${chain.name} {`,
    ...(chain.hook === undefined ? [] : [`\t\t${chain.hook}`]),
    ...chain.rules.map((rule) => `\t\t${ruleText(rule)}`),
    '\t}',
  ];
}
