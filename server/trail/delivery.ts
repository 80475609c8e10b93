// The log files of trails: every few seconds what is new goes to the trail's bucket, gzipped JSON, a file for each Region.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html (read 2026-11-22). AWS delivers every five minutes or so.
// Where a trail has come to is in its row, so nothing is lost by a restart; a file may come twice, as at AWS. The bucket's policy is asked each time.
// Gap: deliveries are in no trail themselves.

import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Principal } from '@postern/policy/types.ts';
import type { TrailRow } from '../store/rows/cloudtrail.ts';
import type { Store } from '../store/store.ts';
import type { EventHistory } from './event-history.ts';
import { isLogged, type SelectableRecord, wantsData } from './selectors.ts';

export const deliveryAcl = 'bucket-owner-full-control';
const everyMs = 5000;
const zipped = promisify(gzip);

/** CloudTrail itself, for one account's trail. */
export function cloudtrailPrincipal({ accountId }: TrailRow): Principal {
  const name = 'cloudtrail.amazonaws.com';
  return { type: 'service', accountId, arn: name, userId: name, serviceName: name };
}

/** What every file's key begins with. */
export function logFolder({ prefix, accountId }: Pick<TrailRow, 'prefix' | 'accountId'>): string {
  return `${prefix === undefined ? '' : `${prefix}/`}AWSLogs/${accountId}/CloudTrail/`;
}

function logFileKey(trail: TrailRow, region: string, now: Date): string {
  const [date = '', time = ''] = now.toISOString().split('T');
  const stamp = `${date.replaceAll('-', '')}T${time.slice(0, 5).replace(':', '')}Z`;
  const unique = randomBytes(12).toString('base64').replaceAll('+', 'A').replaceAll('/', 'B');
  const file = `${trail.accountId}_CloudTrail_${region}_${stamp}_${unique}.json.gz`;
  return `${logFolder(trail)}${region}/${date.replaceAll('-', '/')}/${file}`;
}

export interface DeliveryParts {
  readonly store: Store;
  readonly history: EventHistory;
  /** Writes a file as the service; rejects as PutObject answers it. */
  readonly put: (trail: TrailRow, key: string, body: Uint8Array, now: Date) => Promise<unknown>;
  readonly clock: () => Date;
  readonly log: (text: string) => void;
}

export class TrailDelivery {
  readonly #parts: DeliveryParts;
  readonly #timer: NodeJS.Timeout;
  /** Where a trail has come to without finding anything of its own. */
  readonly #seen = new Map<string, number>();
  #running: Promise<void> | undefined;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => void this.deliver(), everyMs);
    this.#timer.unref();
  }

  /** Settles when everything so far is delivered, or could not be. */
  async deliver(): Promise<void> {
    await this.#running;
    const trails = this.#parts.store.read((tx) => tx.list('trail')).filter((row) => isOpen(row));
    if (trails.length === 0) return;
    this.#running ??= this.#deliverAll(trails).finally(() => {
      this.#running = undefined;
    });
    await this.#running;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  async #deliverAll(trails: readonly TrailRow[]): Promise<void> {
    for (const trail of trails) {
      try {
        await this.#deliver(trail);
      } catch (error) {
        this.#parts.log(`a trail's records are not delivered: ${(error as Error).stack ?? String(error)}`);
      }
    }
  }

  async #deliver(trail: TrailRow): Promise<void> {
    const { history, clock } = this.#parts;
    const now = clock();
    const after = Math.max(trail.deliveredPlace, this.#seen.get(trail.id) ?? 0);
    const found: string[] = [];
    let newest = after;
    for await (const { place, text } of history.find({
      accountId: trail.accountId,
      now,
      after,
      withData: wantsData(trail),
    })) {
      if (place > (trail.lastPlace ?? Number.POSITIVE_INFINITY)) continue;
      newest = Math.max(newest, place);
      if (isLogged(trail, JSON.parse(text) as SelectableRecord)) found.push(text);
    }
    const isOver = trail.lastPlace !== undefined;
    if (found.length === 0 && !isOver) {
      this.#seen.set(trail.id, newest);
      return;
    }
    let deliveryError: string | undefined;
    try {
      for (const [region, texts] of byRegion(found.reverse())) {
        const body = await zipped(`{"Records":[${texts.join(',')}]}`);
        // Deleted meanwhile: whoever did it may be about to empty the bucket.
        if (!this.#parts.store.read((tx) => tx.get('trail', trail.id))) return;
        await this.#parts.put(trail, logFileKey(trail, region, now), body, now);
      }
    } catch (error) {
      deliveryError = (error as { code?: string }).code ?? 'InternalError';
    }
    this.#note(trail, found.length > 0, deliveryError, newest, now);
  }

  #note(trail: TrailRow, hasFiles: boolean, deliveryError: string | undefined, newest: number, now: Date): void {
    const { durable } = this.#parts.store.transact((tx) => {
      const current = tx.get('trail', trail.id);
      // It was started anew meanwhile, or is another one of the same name.
      if (!current || current.startedAt !== trail.startedAt) return;
      const { deliveryError: _, lastPlace, ...rest } = current;
      const at = now.toISOString();
      // One attempt after the end: a bucket that is gone is not asked for ever.
      const isOver = lastPlace !== undefined && lastPlace === trail.lastPlace;
      tx.put('trail', {
        ...rest,
        ...(lastPlace !== undefined && !isOver && { lastPlace }),
        ...(hasFiles && { attemptedAt: at }),
        ...(deliveryError === undefined
          ? { deliveredPlace: newest, ...(hasFiles && { deliveredAt: at }) }
          : { deliveryError }),
      });
    });
    // A commit that fails ends the process.
    durable?.catch(() => {});
  }
}

/** Is it logging, or is what was before its end not delivered yet? */
const isOpen = (row: TrailRow) => row.isLogging || row.lastPlace !== undefined;

function byRegion(texts: readonly string[]): Map<string, string[]> {
  const regions = new Map<string, string[]>();
  for (const text of texts) {
    const { awsRegion } = JSON.parse(text) as { awsRegion: string };
    const before = regions.get(awsRegion);
    if (before) before.push(text);
    else regions.set(awsRegion, [text]);
  }
  return regions;
}
