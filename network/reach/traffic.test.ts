import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replyTo } from '../walk/packet.ts';
import { AddressSet } from './address-set.ts';
import { FlowSet } from './flow-set.ts';
import { allParts, answeredBy, hasPacket, partsOf, TrafficPool } from './traffic.ts';

const pool = new TrafficPool();
const tcp = (from: number, to = from) => pool.of({ protocol: 6, ports: { from, to } });

test('[S10] protocols, ports and ICMP types are told apart', () => {
  const rule = partsOf({ protocol: 1, icmp: { type: 8, code: -1 } });
  assert.ok(hasPacket(rule, { protocol: 1, icmp: { type: 8, code: 3 } }));
  assert.ok(
    !hasPacket(rule, { protocol: 1, icmp: { type: 0, code: 0 } }) &&
      !hasPacket(rule, { protocol: 58, icmp: { type: 8, code: 0 } }),
  );
  assert.ok(
    hasPacket(partsOf({ protocol: 1, icmp: { type: -1, code: 4 } }), { protocol: 1, icmp: { type: 3, code: 4 } }),
  );
  assert.ok(hasPacket(allParts, { protocol: 47 }) && !hasPacket(partsOf({ protocol: 47 }), { protocol: 50 }));
});

test('a value is kept once, whichever way it came about', () => {
  assert.equal(pool.unite(tcp(22), tcp(23)), tcp(22, 23));
  assert.equal(pool.intersect(tcp(20, 30), tcp(25, 40)), tcp(25, 30));
  assert.equal(pool.subtract(tcp(22), tcp(22)), pool.none);
  assert.equal(pool.intersect(pool.all, tcp(1)), tcp(1));
});

test('an echo request is answered by an echo reply, all else by its own kind', () => {
  const replies = partsOf({ protocol: 1, icmp: { type: 0, code: -1 } });
  const requests = { ...allParts, icmp: answeredBy(replies, 'icmp') };
  for (const type of [0, 3, 8]) {
    const packet = { protocol: 1, source: '10.0.0.1', destination: '10.0.0.2', icmp: { type, code: 0 } };
    assert.equal(hasPacket(requests, packet), hasPacket(replies, replyTo(packet)), `type ${type}`);
  }
  assert.ok(
    !pool.isOpen(
      pool.of({ protocol: 1, icmp: { type: 8, code: 0 } }),
      pool.of({ protocol: 1, icmp: { type: 8, code: 0 } }),
    ),
  );
});

test('[N7] a flow set knows the ports of requests and of replies', () => {
  const flows = new FlowSet([
    {
      sources: AddressSet.ofCidrs(['10.0.0.0/8']),
      destinations: AddressSet.ofAddresses(['10.0.1.7']),
      there: pool.unite(tcp(22), tcp(443)),
      back: tcp(1024, 65_535),
    },
  ]);
  assert.equal(flows.describe(), 'tcp 22, 443 (source ports 1024–65535) from 10.0.0.0/8 to 10.0.1.7');
  assert.deepEqual(flows.protocols(), [6]);
  assert.deepEqual(flows.ports(6), [
    { from: 22, to: 22 },
    { from: 443, to: 443 },
  ]);
  assert.deepEqual(flows.ports(17), []);
  assert.deepEqual(flows.only({ protocol: 6, ports: { from: 1, to: 80 } }).ports(6), [{ from: 22, to: 22 }]);
  assert.ok(flows.only({ protocol: 17 }).isEmpty);
  const packet = flows.example();
  assert.deepEqual(packet, {
    protocol: 6,
    source: '10.0.0.0',
    destination: '10.0.1.7',
    sourcePort: 40_000,
    destinationPort: 443,
  });
  assert.ok(packet !== undefined && flows.contains(packet) && !flows.contains({ ...packet, sourcePort: 1023 }));
});
