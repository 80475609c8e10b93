// Bytes ↔ typed calls: the input of an operation out of a request, and its output, or an error, into an answer, in the operation's protocol.
// The five protocols meet only here; each one's own file reads or writes one form.

import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import type { Member, OperationModel, Protocol, ServiceModel, StructureShape } from '../catalogue/shapes.ts';
import { AwsError } from '../errors.ts';
import { answerHeaders, answerStatus, type StreamingBody } from '../service.ts';
import type { Answer } from './answer.ts';
import type { Identified } from './identify.ts';
import { readBindings, writeBindings } from './protocols/bindings.ts';
import { parseJson, readJsonStructure, writeJsonStructure } from './protocols/json.ts';
import { readQuery } from './protocols/query-read.ts';
import { readXml } from './protocols/xml-read.ts';
import { bodyWriter, elementWriter, escapeXml, isOutsideBody, structureWriter } from './protocols/xml-write.ts';
import { inputRequired, malformedJson, malformedXml, notImplemented } from './refusals.ts';

/** The input of an operation as the SDK types it. */
export type Input = Record<string, unknown>;

/**
 * Reads the input.
 * @param body the whole body, or a stream when `operation.streamingInput` names a member
 * @throws AwsError for anything malformed
 */
export function parse(identified: Identified, operation: OperationModel, body: Uint8Array | Readable): Input {
  try {
    return parseBody(identified, operation, body);
  } catch (error) {
    // Nested deeper than the stack: nothing that AWS takes.
    if (error instanceof RangeError)
      throw operation.service.protocol === 'rest-xml'
        ? malformedXml()
        : malformedJson('The request is nested too deeply.');
    throw error;
  }
}

function parseBody(identified: Identified, operation: OperationModel, body: Uint8Array | Readable): Input {
  switch (operation.service.protocol) {
    case 'ec2-query':
    case 'aws-query':
      return readQuery(operation, identified.form ?? []);
    case 'aws-json-1.0':
    case 'aws-json-1.1': {
      const fields = parseJson(whole(body));
      const missing = operation.service.name === 'organizations' ? inputRequired : undefined;
      return operation.input ? readJsonStructure(operation.input, fields, '', false, missing) : {};
    }
    case 'rest-json':
    case 'rest-xml':
      return readRest(identified, operation, body);
  }
}

function whole(body: Uint8Array | Readable): Uint8Array {
  if (body instanceof Readable) throw new Error('a stream was given where the body is read whole');
  return body;
}

function readRest(identified: Identified, operation: OperationModel, body: Uint8Array | Readable): Input {
  const input = readBindings(identified, operation);
  const shape = operation.input;
  if (!shape) return input;
  const isXml = operation.service.protocol === 'rest-xml';
  const payload = payloadMember(shape);
  if (payload) {
    const value = readPayload(payload, isXml, body);
    if (value !== undefined) input[payload.name] = value;
    else if (payload.required) throw isXml ? malformedXml() : malformedJson('The request has no body.');
    return input;
  }
  if (!shape.members.some((member) => !isOutsideBody(member))) return input;
  const bytes = whole(body);
  if (isXml)
    return bytes.length === 0
      ? input
      : { ...input, ...readXml(bytes, shape, shape.traits.xmlName ?? shape.name, true) };
  return { ...input, ...readJsonStructure(shape, parseJson(bytes), '', true) };
}

function payloadMember(shape: StructureShape): Member | undefined {
  return shape.members.find((member) => member.ownTraits.httpPayload === 1);
}

function readPayload(member: Member, isXml: boolean, body: Uint8Array | Readable): unknown {
  if (body instanceof Readable) return body;
  const { shape } = member;
  if (shape.kind === 'blob') return body.length === 0 && !member.traits.streaming ? undefined : body;
  if (shape.kind === 'string') return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  if (body.length === 0) return undefined;
  if (shape.kind !== 'structure' && shape.kind !== 'union') return undefined;
  return isXml
    ? readXml(body, shape, rootName(member, shape), false)
    : readJsonStructure(shape, parseJson(body), member.name);
}

function rootName(member: Member, shape: StructureShape): string {
  return member.traits.xmlName ?? shape.name;
}

const xmlDeclaration = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** Writes an output, as the SDK types it, in the operation's protocol. */
export function render(
  operation: OperationModel,
  output: Readonly<Record<string, unknown>>,
  requestId: string,
): Answer {
  const { service, name } = operation;
  switch (service.protocol) {
    case 'ec2-query': {
      const inner = operation.output ? structureWriter(operation.output)(output) : '<return>true</return>';
      const body = `${xmlDeclaration}<${name}Response xmlns="${service.xmlNamespace}/"><requestId>${requestId}</requestId>${inner}</${name}Response>`;
      return {
        status: 200,
        headers: { 'x-amzn-RequestId': requestId, 'Content-Type': 'text/xml;charset=UTF-8' },
        body,
      };
    }
    case 'aws-query': {
      const inner = operation.output
        ? `<${name}Result>${structureWriter(operation.output)(output)}</${name}Result>`
        : '';
      const body = `<${name}Response xmlns="${service.xmlNamespace}">${inner}<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></${name}Response>`;
      return { status: 200, headers: { 'x-amzn-RequestId': requestId, 'Content-Type': 'text/xml' }, body };
    }
    case 'aws-json-1.0':
    case 'aws-json-1.1': {
      // DynamoDB and others answer an operation without output with an empty body or `{}`; both are read as nothing.
      const body = operation.output ? JSON.stringify(writeJsonStructure(operation.output, output)) : '{}';
      const headers = { 'x-amzn-RequestId': requestId, 'Content-Type': jsonType(service.protocol) };
      return { status: 200, headers: { ...headers, ...checksumHeader(service, body) }, body };
    }
    case 'rest-json':
    case 'rest-xml':
      return renderRest(operation, output, requestId);
  }
}

/** Clients of DynamoDB read an answer again whose checksum is not that of its bytes. */
function checksumHeader(service: ServiceModel | undefined, body: string): Record<string, string> {
  return service?.crc32 === true ? { 'x-amz-crc32': String(crc32(body)) } : {};
}

function jsonType(protocol: Protocol): string {
  return protocol === 'aws-json-1.0'
    ? 'application/x-amz-json-1.0'
    : protocol === 'aws-json-1.1'
      ? 'application/x-amz-json-1.1'
      : 'application/json';
}

/** The headers that carry the request's id; S3 has two, and the second is opaque. */
function identityHeaders(protocol: Protocol, requestId: string): Record<string, string> {
  return protocol === 'rest-xml'
    ? { 'x-amz-id-2': hostId(requestId), 'x-amz-request-id': requestId }
    : { 'x-amzn-RequestId': requestId };
}

function hostId(requestId: string): string {
  return Buffer.from(`postern/${requestId}`).toString('base64');
}

function renderRest(operation: OperationModel, output: Readonly<Record<string, unknown>>, requestId: string): Answer {
  const { service, http } = operation;
  const shape = operation.output;
  const isXml = service.protocol === 'rest-xml';
  const headers = identityHeaders(service.protocol, requestId);
  const further = (output as { readonly [answerHeaders]?: Readonly<Record<string, string>> })[answerHeaders];
  if (further) Object.assign(headers, further);
  const said = (output as { readonly [answerStatus]?: number })[answerStatus];
  const bound = writeBindings(shape, output, headers);
  const status = said ?? bound ?? http?.status ?? 200;
  const answer = (body: Answer['body'], contentType?: string): Answer => {
    if (contentType !== undefined && headers['Content-Type'] === undefined) headers['Content-Type'] = contentType;
    return { status, headers, body };
  };
  if (!shape || status === 204 || status === 304) return answer(undefined);
  const payload = payloadMember(shape);
  if (payload) {
    const value = output[payload.name];
    if (value === undefined || value === null) return answer(undefined);
    return renderPayload(operation, payload, value, answer);
  }
  const members = shape.members.filter((member) => !isOutsideBody(member));
  if (members.length === 0) return answer(undefined);
  if (!isXml) return answer(JSON.stringify(writeJsonStructure(shape, output, true)), 'application/json');
  const [only] = members;
  if (operation.unwrapped && only) {
    const value = output[only.name];
    const text = value === undefined || value === null ? '' : escapeXml(String(value));
    return answer(
      `${xmlDeclaration}<${only.name} xmlns="${service.xmlNamespace}"${text === '' ? '/>' : `>${text}</${only.name}>`}`,
      'application/xml',
    );
  }
  const root = shape.traits.xmlName ?? shape.name;
  return answer(
    `${xmlDeclaration}<${root} xmlns="${service.xmlNamespace}">${bodyWriter(shape)(output)}</${root}>`,
    'application/xml',
  );
}

function renderPayload(
  operation: OperationModel,
  payload: Member,
  value: unknown,
  answer: (body: Answer['body'], contentType?: string) => Answer,
): Answer {
  const { service } = operation;
  const { shape } = payload;
  if (shape.kind === 'blob')
    return answer(
      value as StreamingBody,
      payload.traits.streaming ? 'binary/octet-stream' : 'application/octet-stream',
    );
  if (shape.kind === 'string')
    return answer(String(value), service.protocol === 'rest-xml' ? 'application/json' : 'text/plain');
  // An event stream: nothing that is served has one.
  if ((shape.kind !== 'structure' && shape.kind !== 'union') || payload.traits.streaming)
    throw notImplemented(operation);
  if (service.protocol === 'rest-json')
    return answer(JSON.stringify(writeJsonStructure(shape, value)), 'application/json');
  const namespaced = payload.traits.xmlNamespace
    ? payload
    : { ...payload, traits: { ...payload.traits, xmlNamespace: ['', service.xmlNamespace] as const } };
  return answer(xmlDeclaration + elementWriter(namespaced, rootName(payload, shape))(value), 'application/xml');
}

/** The part of a request that an error's form depends on. */
export interface ErrorContext {
  readonly protocol: Protocol;
  readonly service?: ServiceModel | undefined;
  readonly method?: string;
}

/**
 * Writes an error. Anything that is no AwsError becomes InternalError, 500, and says nothing of its cause; the caller logs it.
 */
export function renderError(context: ErrorContext, error: unknown, requestId: string): Answer {
  const known = error instanceof AwsError ? error : internalError(context.protocol);
  const { protocol } = context;
  const headers: Record<string, string> = { ...identityHeaders(protocol, requestId), ...known.headers };
  const modelled = context.service?.error(known.code);
  switch (protocol) {
    case 'ec2-query': {
      const body = `${xmlDeclaration}<Response><Errors><Error><Code>${escapeXml(known.code)}</Code><Message>${escapeXml(known.message)}</Message></Error></Errors><RequestID>${requestId}</RequestID></Response>`;
      return { status: known.status, headers: { ...headers, 'Content-Type': 'text/xml;charset=UTF-8' }, body };
    }
    case 'aws-query': {
      const type = known.status >= 500 ? 'Receiver' : 'Sender';
      const namespace = context.service?.xmlNamespace ?? 'http://webservices.amazon.com/AWSFault/2005-15-09';
      const extra = fieldsXml(known, modelled?.shape);
      const body = `<ErrorResponse xmlns="${namespace}"><Error><Type>${type}</Type><Code>${escapeXml(modelled?.queryCode ?? known.code)}</Code><Message>${escapeXml(known.message)}</Message>${extra}</Error><RequestId>${requestId}</RequestId></ErrorResponse>`;
      return { status: known.status, headers: { ...headers, 'Content-Type': 'text/xml' }, body };
    }
    case 'aws-json-1.0':
    case 'aws-json-1.1':
    case 'rest-json': {
      const fields = modelled
        ? { ...known.fields, ...writeJsonStructure(modelled.shape, known.fields, protocol === 'rest-json') }
        : known.fields;
      const name = modelled?.name ?? known.code;
      // Services disagree on the case; clients read either. The modelled spelling where there is one.
      const spelled = modelled?.shape.members.some((member) => member.name === 'Message') ? 'Message' : 'message';
      // Recorded of KMS: an error without words has no member for them.
      const message = known.message === '' ? {} : { [spelled]: known.message };
      const body = JSON.stringify({ __type: name, ...message, ...fields });
      if (modelled && protocol === 'rest-json') writeBindings(modelled.shape, known.fields, headers);
      return {
        status: known.status,
        headers: {
          ...headers,
          'x-amzn-ErrorType': name,
          'Content-Type': jsonType(protocol),
          ...checksumHeader(context.service, body),
        },
        body,
      };
    }
    case 'rest-xml': {
      if (context.method === 'HEAD' || known.status === 304) return { status: known.status, headers, body: undefined };
      const fields = fieldsXml(known, undefined);
      const error = `<Code>${escapeXml(known.code)}</Code><Message>${escapeXml(known.message)}</Message>${fields}`;
      const ids = `<RequestId>${requestId}</RequestId><HostId>${hostId(requestId)}</HostId>`;
      // S3's own errors stand alone; of other REST services of this form they are wrapped.
      const body =
        context.service?.bucketPaths === false
          ? `${xmlDeclaration}<ErrorResponse><Error>${error}</Error>${ids}</ErrorResponse>`
          : `${xmlDeclaration}<Error>${error}${ids}</Error>`;
      return { status: known.status, headers: { ...headers, 'Content-Type': 'application/xml' }, body };
    }
  }
}

function internalError(protocol: Protocol): AwsError {
  const message = 'We encountered an internal error. Please try again.';
  switch (protocol) {
    case 'ec2-query':
      return new AwsError('InternalError', 500, 'An internal error has occurred');
    case 'aws-query':
      return new AwsError('InternalFailure', 500, message);
    case 'aws-json-1.0':
    case 'aws-json-1.1':
    case 'rest-json':
      return new AwsError('InternalServerError', 500, message);
    case 'rest-xml':
      return new AwsError('InternalError', 500, message);
  }
}

/** The extra members of an error: by its shape where there is one, else each as text. */
function fieldsXml(error: AwsError, shape: StructureShape | undefined): string {
  let text = '';
  const modelled = new Map(shape?.members.map((member) => [member.name, member]));
  for (const [name, value] of Object.entries(error.fields)) {
    if (value === undefined || value === null) continue;
    const member = modelled.get(name);
    text += member
      ? elementWriter(member, member.ownTraits.xmlName ?? name)(value)
      : `<${name}>${escapeXml(String(value))}</${name}>`;
  }
  return text;
}
