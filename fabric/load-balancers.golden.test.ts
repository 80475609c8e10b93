// What a load balancer adds to what the kernel is told. Reviewed like code: `UPDATE_GOLDEN=1` writes it anew.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Vpc } from '@postern/network/snapshot.ts';
import { eni, group, snapshot, subnet, tcp, vpc } from '../tests/flows/snapshots.ts';
import { compile, nothingCompiled } from './compile/compile.ts';
import { namespaceText } from './golden/text.ts';

const { attachment: _none, ...bare } = eni('n', '1', '10.0.0.50', { groupIds: [] });
const plain = vpc({
  subnets: [subnet('1', '10.0.0.0/24')],
  networkInterfaces: [eni('a', '1', '10.0.0.10')],
  securityGroups: [group('sg-open', [tcp(80)])],
});
const balanced: Vpc = {
  ...plain,
  networkInterfaces: [
    ...plain.networkInterfaces,
    { ...bare, service: { kind: 'network-load-balancer', loadBalancerId: 'net/lb/1' } },
  ],
  networkLoadBalancers: [
    {
      loadBalancerId: 'net/lb/1',
      scheme: 'internet-facing',
      dnsNames: [],
      nodes: [
        {
          networkInterfaceId: 'eni-n',
          checks: [],
          listeners: [
            {
              protocol: 6,
              port: 80,
              targets: [
                { address: '10.0.0.10', port: 80 },
                { address: '10.0.0.11', port: 8080 },
              ],
            },
            { protocol: 6, port: 443, targets: [{ address: '10.0.0.10', port: 22 }] },
            { protocol: 6, port: 22, targets: [{ address: '192.168.7.7', port: 22 }] },
          ],
        },
      ],
    },
  ],
};

test('[B2] [B4] a load balancer adds what the golden file says', () => {
  const lines = (one: Vpc) => {
    const { state } = compile(snapshot(one), nothingCompiled, new Map([['i-a', 4711]]));
    return [namespaceText('core', state.core), ...state.vpcs.map((each) => namespaceText(each.vpcId, each))].flatMap(
      (each) => each.replaceAll(/\w\w(:\w\w){5}/g, 'MAC').split('\n'),
    );
  };
  const without = new Set(lines(plain));
  const actual = [...lines(balanced).filter((line) => !without.has(line)), ''].join('\n');
  const path = new URL('golden/load-balancer.txt', import.meta.url);
  if (process.env.UPDATE_GOLDEN !== undefined || !existsSync(path)) writeFileSync(path, actual);
  assert.equal(actual, readFileSync(path, 'utf8'));
});
