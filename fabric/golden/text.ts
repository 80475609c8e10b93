// A namespace as a golden file shows it.

import type { NamespaceState } from '../compile/host-state.ts';
import { renderAddress, renderLink, renderNeighbour, renderRoute, renderRule } from '../render/ip.ts';
import { renderTable } from '../render/nft.ts';

export function namespaceText(name: string, state: NamespaceState): string {
  const lines = [
    ...state.links.map((each) => renderLink(each, 1)),
    ...state.addresses.map(renderAddress),
    ...state.neighbours.map(renderNeighbour),
    ...state.routes.map(renderRoute),
    ...state.rules.map(renderRule),
  ].flatMap((line) => line.add.split('\n'));
  const tables = [renderTable(state.table), renderTable(state.ipv6Table)];
  return [`# ${name}: ip -batch`, ...lines.toSorted(), '', `# ${name}: nft -f`, ...tables].join('\n');
}
