// The edge: bytes ↔ typed calls. It knows protocols and no services. This file is what the pipeline needs of it; the life of a request is
//
//   const server = createEdge({ handle, pathOf });              // http.Server; the front door may emit 'connection' with sockets of its own
//   async function handle(exchange) {
//     const admission = await admit(exchange, { lookup, now }); // identify → verify → parse; never throws
//     if (admission.failure) return renderError(contextOf(admission), admission.failure, requestId);
//     …authorize and run admission.operation with admission.input…
//     return render(admission.operation, output, requestId);
//   }
//
// The steps one by one, where the pipeline wants to stand between them:
//   headOf(request)                       RequestHead: method, path, query, headers
//   identify(head)                        Identified: service, operation, protocol, region, partition, scope; what is wrong is in `.failure`
//   needsBodyFirst(identified)            true for all but rest-xml: read the body whole, then identifyBody(identified, body)
//   verify(identified, { lookup, now }, body)   Signer; throws in the service's words
//   openBody / readCheckedBody            a rest-xml body as a stream or whole, aws-chunked undone, checksums verified by its end
//   parse(identified, operation, body)    the input as the SDK types it; a streaming member is a CheckedBody that nothing has been read of
//   render / renderError                  Answer { status, headers, body }
//   notImplemented(operation)             the error for an operation that is in the API and not in Postern
//   newRequestId(protocol)                an id in the service's form

import type { OperationModel } from '../catalogue/shapes.ts';
import { AwsError } from '../errors.ts';
import { openBody, readCheckedBody, readWhole } from './body.ts';
import { type ErrorContext, type Input, parse } from './codec.ts';
import { type Identified, identify, identifyBody, needsBodyFirst } from './identify.ts';
import type { Exchange } from './listener.ts';
import { type Soon, soon } from './soon.ts';
import { type Signer, type VerifyOptions, verify } from './verify.ts';

export type { Answer } from './answer.ts';
export { CheckedBody, openBody, readCheckedBody, readWhole } from './body.ts';
export { type ErrorContext, type Input, parse, render, renderError } from './codec.ts';
export { hmacHex, sha256Hex } from './hashes.ts';
export { decodePercent, headOf, makeHead, partitionOf, queryValue, type RequestHead, readHost } from './head.ts';
export {
  type Identified,
  identify,
  identifyBody,
  type Mutable,
  needsBodyFirst,
  type SignatureScope,
} from './identify.ts';
export { createEdge, type EdgeOptions, type Exchange, newRequestId } from './listener.ts';
export { notImplemented, regionRefused, serviceRefused, signatureRefused } from './refusals.ts';
export { type Soon, soon } from './soon.ts';
export { anonymous, type Credentials, type Lookup, type Signer, type VerifyOptions, verify } from './verify.ts';

/** What is known of a request when it was let in or refused. */
export type Admission = Admitted | Refused;

export interface Admitted {
  readonly failure: undefined;
  readonly identified: Identified;
  readonly signer: Signer;
  readonly operation: OperationModel;
  readonly input: Input;
}

export interface Refused {
  /** An AwsError, or a bug. */
  readonly failure: unknown;
  readonly identified: Identified;
  /** Who asked, when the signature was good and something else was not. */
  readonly signer: Signer | undefined;
}

/**
 * Identifies, verifies and parses a request. A streaming body is not read; `input` holds it as a CheckedBody.
 * Neither throws nor rejects: what is wrong is in `failure`.
 * @param head what `identify` said, when it was asked before
 */
export function admit(
  exchange: Pick<Exchange, 'head' | 'request'>,
  options: VerifyOptions,
  head: Identified = identify(exchange.head),
): Soon<Admission> {
  let identified = head;
  let signer: Signer | undefined;
  const refused = (failure: unknown): Refused => ({ failure, identified, signer });
  const verified = (body?: Buffer): Soon<Admission> => {
    if (body) identified = identifyBody(head, body);
    const known = identified.service ? verify(identified, options, body) : undefined;
    signer = known;
    const { operation } = identified;
    if (identified.failure || !operation || !known)
      throw identified.failure ?? new AwsError('InvalidAction', 400, 'The request names no operation.');
    const given =
      body ??
      (operation.streamingInput
        ? openBody(identified, known, exchange.request)
        : readCheckedBody(identified, known, exchange.request));
    return soon(given, (whole): Admitted => {
      const input = parse(identified, operation, whole);
      return { failure: undefined, identified, signer: known, operation, input };
    });
  };
  try {
    const admission = needsBodyFirst(head)
      ? soon(readWhole(exchange.request, head.protocol, undefined, exchange.head.headers['content-length']), verified)
      : verified();
    return admission instanceof Promise ? admission.catch(refused) : admission;
  } catch (failure) {
    return refused(failure);
  }
}

/** What `renderError` wants to know of a request. */
export function contextOf({ identified }: { readonly identified: Identified }): ErrorContext {
  return {
    protocol: identified.protocol,
    service: identified.service,
    method: identified.head.method,
  };
}
