// The processes that translate for NAT gateways with NAT64 (nat64.pl), one each: started with the first route that leads there, stopped with the last, and
// started again when one ends by itself. Flows survive that: the kernel keeps them, and a client has the same number in it again (decision 30).

import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { NatGatewayId } from '@postern/network/snapshot.ts';
import type { NatGatewayState } from './compile/host-state.ts';
import { nat64 } from './compile/names.ts';
import { startIn } from './host.ts';

const script = fileURLToPath(new URL('nat64.pl', import.meta.url));
const restartMs = { first: 50, longest: 5000 };

interface Translator {
  child: ChildProcess;
  restartTimer?: NodeJS.Timeout;
}

/** By gateway, as the namespaces are: both are the world's, whichever fabric made them. */
const running = new Map<NatGatewayId, Translator>();

/** Settles when packets are translated. @returns why they are not */
export async function startTranslator(gateway: NatGatewayState): Promise<string | undefined> {
  stopTranslator(gateway.natGatewayId);
  const translator: Translator = { child: launch(gateway) };
  running.set(gateway.natGatewayId, translator);
  const failure = await readiness(translator.child);
  if (running.get(gateway.natGatewayId) !== translator) return failure;
  if (failure === undefined) keepAlive(gateway, translator, restartMs.first);
  else running.delete(gateway.natGatewayId);
  return failure;
}

export function stopTranslator(id: NatGatewayId): void {
  const translator = running.get(id);
  running.delete(id);
  clearTimeout(translator?.restartTimer);
  translator?.child.kill('SIGKILL');
}

function launch({ natGatewayId, gatewayMacAddress }: NatGatewayState): ChildProcess {
  const place = { kind: 'nat-gateway', name: natGatewayId } as const;
  return startIn(place, ['perl', script, 'eth0', gatewayMacAddress, nat64.farDevice, nat64.macAddress]);
}

/** Undefined as soon as it says that it is ready, else its last words. */
function readiness(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    let words = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      words = `${words}${chunk}`.slice(-1000);
    });
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code) => resolve(words.trim() || `the translator of NAT64 ended with ${code}`));
    child.stdout?.once('data', () => resolve(undefined));
  });
}

/** @param delayMs until it is started again, should it end now */
function keepAlive(gateway: NatGatewayState, translator: Translator, delayMs: number): void {
  const startedAt = performance.now();
  const restart = () => {
    if (running.get(gateway.natGatewayId) !== translator) return;
    translator.child = launch(gateway);
    // One that lived for a while ended of something else than its start.
    const isNew = performance.now() - startedAt > restartMs.longest;
    keepAlive(gateway, translator, isNew ? restartMs.first : Math.min(2 * delayMs, restartMs.longest));
  };
  translator.child.once('close', () => {
    if (running.get(gateway.natGatewayId) === translator) translator.restartTimer = setTimeout(restart, delayMs);
  });
  translator.child.once('error', () => {});
}
