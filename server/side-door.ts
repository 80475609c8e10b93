// A signed request that is no operation of the catalogue, because the SDK has no client for it: the tunnel of an instance connect endpoint, the channels of
// Systems Manager. What the pipeline does with the others is done here in the same order: signature, caller, endpoint, permission, record.

import type { IncomingMessage } from 'node:http';
import { anonymous } from './authorize/principal.ts';
import { headOf, identify, newRequestId, type RequestHead, verify } from './edge/edge.ts';
import { AwsError } from './errors.ts';
import type { RequestPath } from './path.ts';
import {
  type CallFacts,
  eventOf,
  identifyCaller,
  isRegion,
  lookupIn,
  type PipelineParts,
  type Progress,
  refuseForeign,
} from './pipeline.ts';
import type { Call, Permission, Service } from './service.ts';

export interface Knock {
  readonly parts: PipelineParts;
  readonly service: Service;
  /** What the trail calls it. */
  readonly operation: string;
  readonly request: IncomingMessage;
  readonly path: RequestPath;
}

export class SideDoor {
  readonly head: RequestHead;
  readonly requestId = newRequestId('rest-json');
  readonly now: Date;
  readonly #knock: Knock;
  readonly #progress: Progress;
  readonly #startedAt = performance.now();

  constructor(knock: Knock) {
    this.#knock = knock;
    this.now = knock.parts.clock();
    this.head = headOf(knock.request);
    this.#progress = { identified: identify(this.head), principal: anonymous };
  }

  /** @param body whole   @throws AwsError when the signature is not good, or is for another service */
  verify(body: Buffer): void {
    const { parts, service, path } = this.#knock;
    const { identified } = this.#progress;
    if (identified.scope && identified.scope.service !== service.name)
      throw new AwsError('InvalidSignature', 403, `Credential should be scoped to correct service: '${service.name}'.`);
    const signer = verify(identified, { lookup: lookupIn(parts), now: this.now, isRegion }, body);
    identifyCaller(parts, this.#progress, signer);
    refuseForeign(parts, path, identified);
  }

  /** Asks for what `needed` says, and reads with `found` in the same transaction. @throws AwsError */
  authorize<T>(find: (call: Call) => T, needed: (call: Call, found: T) => Permission): T {
    const { parts, service } = this.#knock;
    const facts = this.#facts();
    const asked = parts.authorizer.open(facts, service, this.#progress.accessKey);
    this.#progress.asked = asked;
    return parts.store.read((tx) => {
      const call: Call = { ...facts, tx, require: asked.require, allows: asked.allows };
      const found = find(call);
      asked.authorize(call, {}, () => [needed(call, found)]);
      return found;
    });
  }

  /** Into the trail. @param failure what was thrown, if anything   @returns the status of the answer */
  record(success: number, failure?: unknown): number {
    const { parts, service, operation, path } = this.#knock;
    if (failure !== undefined && !(failure instanceof AwsError))
      parts.log(`request ${this.requestId}: ${(failure as Error).stack ?? String(failure)}`);
    const status = failure === undefined ? success : failure instanceof AwsError ? failure.status : 500;
    const exchange = { head: this.head, path };
    const event = eventOf(
      exchange,
      this.#progress,
      this.requestId,
      this.now,
      status,
      failure,
      performance.now() - this.#startedAt,
    );
    parts.record({ ...event, service: service.name, operation }, this.#progress);
    return status;
  }

  #facts(): CallFacts {
    const { parts, service, operation, path } = this.#knock;
    const { identified, principal, accessKeyId, accessKey } = this.#progress;
    return {
      service: service.name,
      operation,
      requestId: this.requestId,
      region: identified.region,
      partition: identified.partition,
      accountId: principal.accountId,
      principal,
      ...(accessKeyId !== undefined && { accessKeyId }),
      ...(accessKey && { accessKey }),
      path,
      now: this.now,
      settings: parts.settings,
      host: this.head.headers.host ?? '',
      headers: this.head.headers,
      url: this.head.url,
    };
  }
}
