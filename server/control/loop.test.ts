import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Reservation } from '@aws-sdk/client-ec2';
import type { InstanceId } from '@postern/network/snapshot.ts';
import { ensureRegion } from '../services/ec2/default-vpc.ts';
import { ec2 } from '../services/ec2/index.ts';
import type { InstanceRow } from '../store/rows/ec2.ts';
import type { Store } from '../store/store.ts';
import { makeStore, runOperation, testNow } from '../testing.ts';
import { type Control, startControl } from './loop.ts';
import { FakeClock, FakeFabric, FakeMachines, Gate } from './testing.ts';

const account = '123456789012';

interface World {
  readonly store: Store;
  readonly machines: FakeMachines;
  readonly fabric: FakeFabric;
  readonly clock: FakeClock;
  readonly messages: string[];
  readonly control: Control;
}

function begin(store: Store, dataDirectory = '/nonexistent'): World {
  const machines = new FakeMachines();
  const fabric = new FakeFabric(machines);
  const clock = new FakeClock(testNow);
  const messages: string[] = [];
  const log = (message: string) => messages.push(message);
  const control = startControl({ store, fabric, machines, dataDirectory, caCertificate: 'PEM', clock, log });
  return { store, machines, fabric, clock, messages, control };
}

function region(): Store {
  return makeStore((tx) => {
    ensureRegion(tx, account, 'us-east-1', testNow);
  });
}

async function world(): Promise<World> {
  const it = begin(region());
  await it.control.settled();
  return it;
}

async function launch(store: Store, input: object = {}): Promise<InstanceId[]> {
  const one = { ImageId: 'ami-0123456789abcdef0', InstanceType: 't3.small', MinCount: 1, MaxCount: 1 };
  const { Instances } = await runOperation<Reservation>(store, ec2, 'RunInstances', { ...one, ...input });
  return (Instances ?? []).map((row) => row.InstanceId as InstanceId);
}

async function launchOne(store: Store, input: object = {}): Promise<InstanceId> {
  const [id] = await launch(store, input);
  assert.ok(id);
  return id;
}

function act(store: Store, name: string, id: InstanceId): Promise<unknown> {
  return runOperation(store, ec2, name, { InstanceIds: [id] });
}

function row(store: Store, id: InstanceId): InstanceRow | undefined {
  return store.read((tx) => tx.get('instance', id));
}

function interfaces(store: Store) {
  return store.read((tx) => tx.list('network-interface'));
}

/** One turn of the event loop and all that hangs on it. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Lets time pass until `awaited` is there. */
async function passing(clock: FakeClock, awaited: Promise<unknown>): Promise<void> {
  let isThere = false;
  const there = awaited.finally(() => {
    isThere = true;
  });
  while (!isThere) {
    clock.advance(100);
    await turn();
  }
  await there;
}

test('a pending instance gets a machine, then its network, then goes on booting and runs', async () => {
  const { store, machines, fabric, control } = await world();
  const before = fabric.snapshots.length;
  const id = await launchOne(store);
  assert.equal(row(store, id)?.state, 'pending');
  await control.settled();
  assert.deepEqual(machines.log, [`start ${id}`, `release ${id}`]);
  assert.equal(row(store, id)?.state, 'running');
  assert.equal(row(store, id)?.stateReason, undefined);
  assert.ok(fabric.snapshots.length > before);
  const carried = fabric.snapshots.at(-1)?.vpcs[0]?.networkInterfaces[0];
  assert.equal(carried?.attachment?.instanceId, id);
  assert.match(carried?.privateAddresses[0]?.publicAddress ?? '', /^198\.19\./);
});

test('the machine is told its name, resolver, domain, key and user data', async () => {
  const { store, machines, control } = await world();
  store.transact(
    (tx) =>
    tx.put('key-pair', {
      id: 'key-1', accountId: account, region: 'us-east-1', keyName: 'ana', keyType: 'ed25519', publicKey: 'ssh-ed25519 AAAA ana',
      fingerprint: '', createTime: testNow.toISOString(), tags: {},
    }), // biome-ignore format: a row
  );
  const id = await launchOne(store, { KeyName: 'ana', UserData: Buffer.from('#!/bin/sh\n').toString('base64') });
  await control.settled();
  assert.deepEqual(machines.specs, [
    {
      instanceId: id,
      hostname: 'ip-172-31-0-4',
      disk: `/nonexistent/instances/${id}`,
      caCertificate: 'PEM',
      authorizedKeys: ['ssh-ed25519 AAAA ana'],
      lease: { nameServers: ['172.31.0.2'], domainName: 'ec2.internal', timeServers: [] },
      userData: Buffer.from('#!/bin/sh\n'),
      region: 'us-east-1',
    },
  ]);
});

test('other DHCP options are a new lease of the machines that run, also of one that was starting, and the same ones are not', async () => {
  const { store, machines, control } = await world();
  const id = await launchOne(store);
  await control.settled();
  const useOptions = (dhcpOptionsId: string, server = '') =>
    store.transact((tx) => {
      const configurations = [{ key: 'domain-name-servers', values: [server] }];
      const of = { accountId: account, region: 'us-east-1', tags: {} };
      if (server !== '') tx.put('dhcp-options', { ...of, id: dhcpOptionsId, configurations });
      for (const vpc of tx.list('vpc')) tx.put('vpc', { ...vpc, dhcpOptionsId });
    });
  machines.startGate = new Gate();
  const late = await launchOne(store);
  await turn();
  useOptions('dopt-1', '192.0.2.53');
  assert.deepEqual(
    machines.log.filter((line) => line.startsWith('renew')),
    [`renew ${id} 192.0.2.53`],
  );
  machines.startGate.open();
  await control.settled();
  useOptions('dopt-1');
  useOptions('dopt-2', '192.0.2.53');
  await control.settled();
  assert.deepEqual(
    machines.log.filter((line) => line.startsWith('renew')),
    [`renew ${id} 192.0.2.53`, `renew ${late} 192.0.2.53`],
  );
});

test('a slow machine does not delay a network change', async () => {
  const { store, machines, fabric, control } = await world();
  await launchOne(store);
  await control.settled();
  machines.startGate = new Gate();
  await launchOne(store);
  await turn();
  const before = fabric.snapshots.length;
  const group = store.read((tx) => tx.list('security-group-rule').find((one) => one.isEgress));
  assert.ok(group);
  store.transact((tx) => tx.delete('security-group-rule', group.id));
  await turn();
  assert.equal(fabric.snapshots.length, before + 1);
  assert.equal(fabric.snapshots.at(-1)?.vpcs[0]?.securityGroups[0]?.egress.length, 0);
  assert.equal(control.isSettled, false);
  machines.startGate.open();
  await control.settled();
});

test('many changes in one turn are one apply, of the newest rows', async () => {
  const { store, fabric, control } = await world();
  await launchOne(store);
  await control.settled();
  const before = fabric.snapshots.length;
  const [subnet] = store.read((tx) => tx.list('subnet'));
  assert.ok(subnet);
  for (let count = 0; count < 50; count += 1)
    store.transact((tx) => tx.put('subnet', { ...subnet, enableResourceNameDnsARecord: count % 2 === 0 }));
  await control.settled();
  assert.equal(fabric.snapshots.length, before + 1);
  assert.equal(fabric.snapshots.at(-1)?.revision, store.revision);
});

test('changes while an apply runs share the next one', async () => {
  const { store, fabric, control } = await world();
  await launchOne(store);
  await control.settled();
  const [table] = store.read((tx) => tx.list('route-table'));
  assert.ok(table);
  const before = fabric.snapshots.length;
  const gate = new Gate();
  fabric.gate = gate;
  store.transact((tx) => tx.put('route-table', { ...table, routes: table.routes.slice(0, 1) }));
  await turn();
  for (let count = 0; count < 5; count += 1) {
    store.transact((tx) => tx.put('route-table', { ...table, routes: count % 2 === 0 ? table.routes : [] }));
    await turn();
  }
  assert.equal(fabric.snapshots.length, before + 1);
  gate.open();
  await control.settled();
  assert.equal(fabric.snapshots.length, before + 2);
});

test('what concerns no live interface needs no apply: another VPC, tags, IAM', async () => {
  const { store, fabric, control } = await world();
  const idle = fabric.snapshots.length;
  const [group] = store.read((tx) => tx.list('security-group'));
  assert.ok(group);
  store.transact((tx) => tx.put('security-group', { ...group, description: 'x' }));
  await control.settled();
  assert.equal(fabric.snapshots.length, idle, 'nothing is live');
  const id = await launchOne(store);
  await control.settled();
  const before = fabric.snapshots.length;
  store.transact((tx) => tx.put('security-group', { ...group, description: 'x', tags: { Name: 'y' } }));
  store.transact((tx) => {
    const instance = tx.get('instance', id);
    if (instance) tx.put('instance', { ...instance, tags: { Name: 'z' } });
  });
  store.transact((tx) => tx.put('security-group', { ...group, id: 'sg-1', vpcId: 'vpc-1' }));
  await control.settled();
  assert.equal(fabric.snapshots.length, before);
  store.transact((tx) => tx.put('security-group', { ...group, description: 'z' }));
  await control.settled();
  assert.equal(fabric.snapshots.length, before + 1);
});

test('a change is compiled after its answer went out, and those that are written together share an apply', async () => {
  const { store, fabric, control } = await world();
  await launchOne(store);
  await control.settled();
  const before = fabric.snapshots.length;
  const [group] = store.read((tx) => tx.list('security-group'));
  assert.ok(group);
  const change = (description: string) =>
    store.transact((tx) => tx.put('security-group', { ...group, description })).durable;
  const last = [change('1'), change('2'), change('3')].at(-1);
  await last;
  // The listener sends at the end of the turn in which the rows are on disk.
  await turn();
  assert.equal(fabric.snapshots.length, before);
  await control.settled();
  assert.equal(fabric.snapshots.length, before + 1);
});

test('[G4] stop: the machine ends, the public address of the launch is gone, an Elastic IP and the disk stay; start runs it again', async () => {
  const { store, machines, fabric, control } = await world();
  const id = await launchOne(store);
  await control.settled();
  const [networkInterface] = interfaces(store);
  assert.ok(networkInterface?.privateAddresses[0]?.autoPublicIp);
  store.transact(
    (tx) =>
    tx.put('address', {
      id: 'eipalloc-1', accountId: account, region: 'us-east-1', publicIp: '198.19.9.9', domain: 'vpc', associationId: 'eipassoc-1',
      networkInterfaceId: networkInterface.id, privateIp: '172.31.0.4', instanceId: id, tags: {},
    }), // biome-ignore format: a row
  );
  await act(store, 'StopInstances', id);
  await control.settled();
  assert.equal(row(store, id)?.state, 'stopped');
  assert.deepEqual(machines.running(), []);
  assert.deepEqual(interfaces(store)[0]?.privateAddresses, [{ address: '172.31.0.4', primary: true }]);
  assert.equal(store.read((tx) => tx.get('address', 'eipalloc-1'))?.instanceId, id);
  assert.equal(fabric.snapshots.at(-1)?.vpcs[0]?.networkInterfaces[0]?.attachment, undefined);
  assert.ok(!machines.log.includes(`destroy ${id}`));
  await act(store, 'StartInstances', id);
  await control.settled();
  assert.equal(row(store, id)?.state, 'running');
  assert.equal(
    fabric.snapshots.at(-1)?.vpcs[0]?.networkInterfaces[0]?.privateAddresses[0]?.publicAddress,
    '198.19.9.9',
  );
});

test('terminate: machine and disk go, interfaces of the launch too, others are free again; the instance is visible for an hour', async () => {
  const { store, machines, clock, control } = await world();
  const [subnet] = store.read((tx) => tx.list('subnet'));
  const spec = (DeviceIndex: number, DeleteOnTermination: boolean) => ({
    DeviceIndex,
    SubnetId: subnet?.id,
    DeleteOnTermination,
  });
  const id = await launchOne(store, { NetworkInterfaces: [spec(0, true), spec(1, false)] });
  await control.settled();
  const [goes, stays] = interfaces(store);
  assert.ok(goes && stays);
  store.transact(
    (tx) =>
    tx.put('address', {
      id: 'eipalloc-1', accountId: account, region: 'us-east-1', publicIp: '198.19.9.9', domain: 'vpc', associationId: 'eipassoc-1',
      networkInterfaceId: goes.id, privateIp: '172.31.0.4', instanceId: id, tags: {},
    }), // biome-ignore format: a row
  );
  await act(store, 'TerminateInstances', id);
  await control.settled();
  assert.equal(row(store, id)?.state, 'terminated');
  assert.deepEqual(machines.log.slice(-2), [`stop ${id}`, `destroy ${id}`]);
  assert.deepEqual(
    interfaces(store).map((one) => [one.id, one.attachment]),
    [[stays.id, undefined]],
  );
  assert.deepEqual(store.read((tx) => tx.get('address', 'eipalloc-1')), {
    id: 'eipalloc-1', accountId: account, region: 'us-east-1', publicIp: '198.19.9.9', domain: 'vpc', tags: {},
  }); // biome-ignore format: a row
  clock.advance(3_599_000);
  assert.equal(row(store, id)?.state, 'terminated');
  clock.advance(1_000);
  assert.equal(row(store, id), undefined);
});

test('an instance that is terminated while it starts never runs', async () => {
  const { store, machines, control } = await world();
  const gate = new Gate();
  machines.startGate = gate;
  const id = await launchOne(store);
  await turn();
  await act(store, 'TerminateInstances', id);
  await turn();
  gate.open();
  await control.settled();
  assert.deepEqual(machines.log, [`start ${id}`, `stop ${id}`, `destroy ${id}`]);
  assert.equal(row(store, id)?.state, 'terminated');
});

test('an instance that is stopped while it starts is stopped', async () => {
  const { store, machines, control } = await world();
  const gate = new Gate();
  machines.startGate = gate;
  const id = await launchOne(store);
  await turn();
  await act(store, 'StopInstances', id);
  gate.open();
  await control.settled();
  assert.equal(row(store, id)?.state, 'stopped');
  assert.deepEqual(machines.log, [`start ${id}`, `stop ${id}`]);
});

test('a reboot ends the machine and starts it again; the instance runs all the time', async () => {
  const { store, machines, control } = await world();
  const id = await launchOne(store);
  await control.settled();
  await act(store, 'RebootInstances', id);
  assert.equal(row(store, id)?.state, 'running');
  await control.settled();
  assert.deepEqual(
    machines.log,
    ['start', 'release', 'stop', 'start', 'release'].map((verb) => `${verb} ${id}`),
  );
  assert.equal(row(store, id)?.state, 'running');
});

for (const [behaviour, state] of [['stop', 'stopped'], ['terminate', 'terminated']] as const) // biome-ignore format: pairs
  test(`a shutdown inside makes an instance ${state} when its shutdown behaviour is ${behaviour}`, async () => {
    const { store, machines, control } = await world();
    const id = await launchOne(store, { InstanceInitiatedShutdownBehavior: behaviour });
    await control.settled();
    machines.exit(id, 'shutdown');
    await control.settled();
    assert.equal(row(store, id)?.state, state);
    assert.equal(row(store, id)?.stateReason?.code, 'Client.InstanceInitiatedShutdown');
    assert.equal(machines.log.includes(`destroy ${id}`), behaviour === 'terminate');
  });

test('a reboot inside starts the machine again, a crash stops the instance', async () => {
  const { store, machines, messages, control } = await world();
  const id = await launchOne(store);
  await control.settled();
  machines.exit(id, 'reboot');
  await control.settled();
  assert.deepEqual(machines.running(), [id]);
  assert.equal(row(store, id)?.state, 'running');
  machines.exit(id, 'crash');
  await control.settled();
  assert.equal(row(store, id)?.state, 'stopped');
  assert.equal(row(store, id)?.stateReason?.code, 'Server.InternalError');
  assert.deepEqual(messages, [`${id} ended unexpectedly`]);
});

test('a machine that cannot be started terminates a launch and stops a start, and the log has the reason', async () => {
  const { store, machines, messages, control } = await world();
  const stopped = await launchOne(store);
  await control.settled();
  await act(store, 'StopInstances', stopped);
  await control.settled();
  machines.failStart = 'no user namespaces';
  const launched = await launchOne(store);
  await act(store, 'StartInstances', stopped);
  await control.settled();
  assert.equal(row(store, launched)?.state, 'terminated');
  assert.deepEqual(row(store, launched)?.stateReason, {
    code: 'Server.InternalError',
    message: 'Server.InternalError: Internal error on launch',
  });
  assert.equal(row(store, stopped)?.state, 'stopped');
  assert.deepEqual(
    messages.toSorted(),
    [launched, stopped].map((id) => `${id} could not be started: no user namespaces`).toSorted(),
  );
  assert.ok(!machines.log.includes(`destroy ${stopped}`));
  machines.failStart = undefined;
  await act(store, 'StartInstances', stopped);
  await control.settled();
  assert.equal(row(store, stopped)?.state, 'running');
});

test('an instance whose interface the network does not take is not released', async () => {
  const { store, machines, fabric, messages, clock, control } = await world();
  fabric.fail = 'Operation not permitted';
  const id = await launchOne(store);
  await passing(clock, assert.rejects(control.settled(), /Operation not permitted/));
  assert.ok(!machines.log.includes(`release ${id}`));
  assert.equal(row(store, id)?.state, 'terminated');
  assert.ok(messages.includes(`${id} could not be started: vpc: Operation not permitted`));
  fabric.fail = undefined;
  clock.advance(5000);
  await control.settled();
  assert.ok(control.isSettled);
  assert.equal(messages.at(-1), 'the network is applied again');
});

test('who waits is not told of a failure that the next try makes good', async () => {
  const { store, fabric, clock, control } = await world();
  const id = await launchOne(store);
  await control.settled();
  fabric.fail = 'Resource temporarily unavailable';
  const before = fabric.snapshots.length;
  await runOperation(store, ec2, 'ModifyInstanceAttribute', { InstanceId: id, SourceDestCheck: { Value: false } });
  const settled = control.settled();
  while (fabric.snapshots.length === before) await turn();
  fabric.fail = undefined;
  await passing(clock, settled);
  assert.ok(control.isSettled);
});

test('at most four machines start at once', async () => {
  const { store, machines, control } = await world();
  const gate = new Gate();
  machines.startGate = gate;
  await launch(store, { MinCount: 10, MaxCount: 10 });
  await turn();
  await turn();
  assert.equal(machines.starting, 4);
  gate.open();
  machines.startGate = undefined;
  await control.settled();
  assert.ok(machines.mostStarting <= 4);
  assert.equal(
    store.read((tx) => tx.list('instance').filter((one) => one.state === 'running').length),
    10,
  );
});

test('after a kill the next start goes on from the rows, whatever state they are in', async () => {
  const store = region();
  const ids = await launch(store, { MinCount: 6, MaxCount: 6 });
  const states = ['pending', 'running', 'stopping', 'stopped', 'shutting-down', 'terminated'] as const;
  store.transact((tx) => {
    for (const [index, id] of ids.entries()) {
      const instance = tx.get('instance', id);
      const state = states[index];
      if (instance && state)
        tx.put('instance', {
          ...instance,
          state,
          ...(state === 'terminated' && { terminatedAt: testNow.toISOString() }),
        });
    }
  });
  const { machines, control } = begin(store);
  await control.settled();
  assert.deepEqual(
    ids.map((id) => row(store, id)?.state),
    ['running', 'running', 'stopped', 'stopped', 'terminated', 'terminated'],
  );
  assert.deepEqual(machines.running().toSorted(), ids.slice(0, 2).toSorted());
  assert.deepEqual(
    machines.log.filter((line) => line.startsWith('destroy')),
    [`destroy ${ids[4]}`],
  );
});

test('closing ends the machines and leaves the rows, so that the same instances run at the next start', async () => {
  const { store, machines, control } = await world();
  const id = await launchOne(store);
  await control.settled();
  await control.close();
  assert.deepEqual(machines.running(), []);
  assert.equal(row(store, id)?.state, 'running');
  const next = begin(store);
  await next.control.settled();
  assert.deepEqual(next.machines.running(), [id]);
});

test('what was terminated more than an hour ago is forgotten at the start', async () => {
  const store = region();
  const id = await launchOne(store);
  store.transact((tx) => {
    const instance = tx.get('instance', id);
    if (instance) tx.put('instance', { ...instance, state: 'terminated', terminatedAt: '2026-11-21T06:59:59.000Z' });
  });
  const { control } = begin(store);
  await control.settled();
  assert.equal(row(store, id), undefined);
});

test('a reset ends every machine at once, also one that stops gently or still starts, and applies the first network', async () => {
  const { store, machines, fabric, control } = await world();
  const [running, stopping] = await launch(store, { MinCount: 2, MaxCount: 2 });
  await control.settled();
  assert.ok(running && stopping);
  const held = new Gate();
  machines.stopGate = held;
  await act(store, 'StopInstances', stopping);
  const gate = new Gate();
  machines.startGate = gate;
  const starting = await launchOne(store);
  await turn();
  store.clear();
  store.transact((tx) => {
    ensureRegion(tx, account, 'us-east-1', testNow);
  });
  await control.reset();
  assert.deepEqual(machines.running(), []);
  assert.deepEqual(fabric.snapshots.at(-1)?.vpcs[0]?.networkInterfaces, []);
  gate.open();
  held.open();
  await control.settled();
  assert.deepEqual(machines.running(), []);
  assert.ok(!machines.log.includes(`release ${starting}`));
  assert.deepEqual(
    store.read((tx) => tx.list('instance')),
    [],
  );
  assert.ok(machines.log.includes(`destroy ${starting}`));
});

test('disks of instances that are gone are removed at the start', async (t) => {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'postern-control-'));
  t.after(() => rmSync(dataDirectory, { recursive: true }));
  const store = region();
  const id = await launchOne(store);
  for (const name of ['i-0feedfacefeedface', id])
    mkdirSync(join(dataDirectory, 'instances', name), { recursive: true });
  const { machines, control } = begin(store, dataDirectory);
  await control.settled();
  assert.deepEqual(
    machines.log.filter((line) => line.startsWith('destroy')),
    ['destroy i-0feedfacefeedface'],
  );
});
