// The flows that are tried in a random network: everybody to everybody, to the internet, to services, to what should not answer.

import type { Snapshot } from '@postern/network/snapshot.ts';
import type { Flow } from '../flows/flow.ts';
import type { MachineName } from './two-vpcs.ts';

export function flowsOfTwoVpcs(snapshot: Snapshot): readonly Flow[] {
  const cards = snapshot.vpcs.flatMap((vpc) => vpc.networkInterfaces);
  const machines = cards.flatMap((card) => {
    const address = card.privateAddresses[0]?.address;
    if (card.attachment === undefined || address === undefined) return [];
    return [{ name: card.attachment.instanceId.slice(2) as MachineName, address }];
  });
  const others = cards.filter((card) => card.attachment === undefined);
  const publicAddresses = cards.flatMap((card) => card.privateAddresses[0]?.publicAddress ?? []);
  const flows: Omit<Flow, 'expect'>[] = [];
  for (const from of machines) {
    for (const to of machines) {
      if (to.name === from.name) continue;
      flows.push(
        { from: from.name, to: to.address, protocol: 'tcp', port: 22 },
        { from: from.name, to: to.address, protocol: 'tcp', port: 80 },
        { from: from.name, to: to.address, protocol: 'udp', port: 80 },
        { from: from.name, to: to.address, protocol: 'icmp' },
      );
    }
    for (const to of publicAddresses) flows.push({ from: from.name, to, protocol: 'tcp', port: 22 });
    for (const card of others) {
      const to = card.privateAddresses[0]?.address ?? '';
      flows.push({ from: from.name, to, protocol: 'tcp', port: 443 }, { from: from.name, to, protocol: 'icmp' });
    }
    flows.push(
      { from: from.name, to: '198.51.100.7', protocol: 'icmp' },
      { from: from.name, to: '198.51.100.70', protocol: 'tcp', port: 80 },
      { from: from.name, to: '198.51.100.200', protocol: 'tcp', port: 80 },
      { from: from.name, to: '203.0.113.99', protocol: 'tcp', port: 80 },
      { from: from.name, to: '203.0.113.200', protocol: 'icmp' },
      { from: from.name, to: '198.18.1.1', protocol: 'tcp', port: 443 },
      { from: from.name, to: '198.18.2.1', protocol: 'tcp', port: 443 },
      { from: from.name, to: '169.254.169.254', protocol: 'tcp', port: 80 },
      { from: from.name, to: '192.168.7.7', protocol: 'tcp', port: 80 },
    );
  }
  for (const to of publicAddresses) flows.push({ from: 'laptop', to, protocol: 'tcp', port: 22 });
  // A machine's own address is no flow of the network.
  return flows
    .filter((flow) => !cards.some((card) => isOwn(card, flow)))
    .map((flow): Flow => ({ ...flow, expect: 'open' }));
}

function isOwn(card: Snapshot['vpcs'][number]['networkInterfaces'][number], flow: Omit<Flow, 'expect'>): boolean {
  return (
    card.attachment?.instanceId === `i-${flow.from}` && card.privateAddresses.some((own) => own.address === flow.to)
  );
}
