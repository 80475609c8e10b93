// Malformed everything: whatever is sent, the answer is a 4xx in the protocol's form (or what a still valid request deserves), never a 500,
// and the server goes on. Seeded, so that a failure can be repeated; bounded, so that it ends.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { CheckedBody, notImplemented, render } from '@postern/server/edge/edge.ts';
import { AwsError } from '@postern/server/errors.ts';
import { type Random, seeded } from './generate.ts';
import { type Edge, startEdge } from './world.ts';

let edge: Edge;
const bugs: unknown[] = [];

before(async () => {
  edge = await startEdge({
    // The signature is let through, so that what comes after it is reached too; signature.test.ts has the signatures.
    lookup: () => 'accept-any',
    onFailure(error) {
      if (!(error instanceof AwsError)) bugs.push(error);
    },
    async answer({ operation, input }, requestId) {
      if (input.Body instanceof CheckedBody) for await (const _ of input.Body);
      if (operation.name === 'RunInstances') throw notImplemented(operation);
      return render(operation, {}, requestId);
    },
  });
});
after(() => edge.close());

interface Reply {
  /** 0 when the connection was closed without an answer. */
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** Sends bytes as they are, closes our side, and reads to the end: a client that says less than it announced has said it all. */
function exchange(bytes: Buffer): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: edge.port, host: '127.0.0.1', allowHalfOpen: true });
    const pieces: Buffer[] = [];
    const finish = () => {
      const text = Buffer.concat(pieces)
        .toString('latin1')
        .replace(/^HTTP\/1.1 100 Continue\r\n\r\n/, '');
      const split = text.indexOf('\r\n\r\n');
      resolve({
        status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0),
        head: text.slice(0, split),
        body: text.slice(split + 4),
      });
    };
    socket.on('data', (piece) => pieces.push(piece));
    socket.on('error', () => {});
    socket.on('close', finish);
    socket.on('end', () => socket.destroy());
    socket.setTimeout(20_000, () => reject(new Error(`no answer to ${bytes.subarray(0, 300).toString('latin1')}`)));
    socket.end(bytes);
  });
}

function scope(service: string): string {
  const date = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '');
  return `authorization: AWS4-HMAC-SHA256 Credential=AKIAFUZZ/${date.slice(0, 8)}/us-east-1/${service}/aws4_request, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}\r\nx-amz-date: ${date}\r\n`;
}

function message(line: string, headers: string, body: string | Buffer = ''): Buffer {
  const bytes = Buffer.from(body);
  return Buffer.concat([
    Buffer.from(
      `${line} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n${headers}content-length: ${bytes.length}\r\n\r\n`,
      'latin1',
    ),
    bytes,
  ]);
}

const form = 'content-type: application/x-www-form-urlencoded\r\n';
const unsignedPayload = 'x-amz-content-sha256: UNSIGNED-PAYLOAD\r\n';
const ec2 = (body: string) => message('POST /', `${scope('ec2')}${form}`, `Version=2016-11-15&${body}`);
const iam = (body: string) => message('POST /', `${scope('iam')}${form}`, `Version=2010-05-08&${body}`);
const ssm = (operation: string, body: string | Buffer) =>
  message('POST /', `${scope('ssm')}x-amz-target: AmazonSSM.${operation}\r\n`, body);
const s3 = (line: string, body: string | Buffer = '', headers = '') =>
  message(line, `${scope('s3')}${unsignedPayload}${headers}`, body);

async function expectError(bytes: Buffer, expected: string): Promise<Reply> {
  const reply = await exchange(bytes);
  const code = /<Code>(.*?)<\/Code>/.exec(reply.body)?.[1] ?? /"__type":"(.*?)"/.exec(reply.body)?.[1] ?? 'none';
  assert.equal(`${reply.status} ${code}`, expected, reply.body.slice(0, 500));
  return reply;
}

describe('what is malformed gets AWS’s own refusal', () => {
  const cases: [title: string, bytes: () => Buffer, expected: string, wording?: RegExp][] = [
    [
      'unknown action',
      () => ec2('Action=DescribeNothing'),
      '400 InvalidAction',
      /The action DescribeNothing is not valid for this web service\./,
    ],
    ['no action', () => ec2('Foo=1'), '400 MissingAction'],
    ['action named like a property of every object', () => ec2('Action=constructor'), '400 InvalidAction'],
    [
      'unknown action of IAM',
      () => iam('Action=Nope'),
      '400 InvalidAction',
      /Could not find operation Nope for version 2010-05-08/,
    ],
    [
      'unknown parameter',
      () => ec2('Action=DescribeVpcs&Bogus=1'),
      '400 UnknownParameter',
      /The parameter Bogus is not recognized/,
    ],
    [
      'unknown nested parameter',
      () => ec2('Action=DescribeVpcs&Filter.1.Bogus=1'),
      '400 UnknownParameter',
      /Filter\.1\.Bogus/,
    ],
    ['a list without numbers', () => ec2('Action=DescribeVpcs&VpcId.x=1'), '400 UnknownParameter'],
    [
      'missing parameter',
      () => ec2('Action=CreateSubnet'),
      '400 MissingParameter',
      /The request must contain the parameter vpcId/,
    ],
    [
      'missing parameter of IAM',
      () => iam('Action=CreateRole'),
      '400 ValidationError',
      /Value at 'roleName' failed to satisfy constraint: Member must not be null/,
    ],
    ['not a number', () => ec2('Action=DescribeVpcs&MaxResults=many'), '400 InvalidParameterValue'],
    ['not a boolean', () => ec2('Action=DescribeVpcs&DryRun=perhaps'), '400 InvalidParameterValue'],
    ['twice the same', () => ec2('Action=DescribeVpcs&DryRun=true&DryRun=true'), '400 InvalidParameterCombination'],
    ['twice the same in IAM', () => iam('Action=GetUser&UserName=a&UserName=b'), '400 MalformedInput'],
    ['a broken percent sequence', () => ec2('Action=DescribeVpcs&VpcId.1=%zz'), '400 InvalidQueryParameter'],
    [
      'not implemented',
      () => ec2('Action=RunInstances&MaxCount=1&MinCount=1'),
      '400 UnsupportedOperation',
      /ec2:RunInstances/,
    ],
    ['no JSON', () => ssm('PutParameter', '{"Name": '), '400 SerializationException'],
    ['JSON that is no object', () => ssm('PutParameter', '[]'), '400 SerializationException'],
    [
      'JSON nested ten thousand deep',
      () => ssm('PutParameter', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`),
      '400 ValidationException',
    ],
    [
      'JSON that is no UTF-8',
      () => ssm('GetParameter', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])),
      '400 SerializationException',
    ],
    [
      'a number for a string',
      () => ssm('GetParameter', '{"Name": 5}'),
      '400 SerializationException',
      /NUMBER_VALUE can not be converted to a String/,
    ],
    [
      'a string for a number',
      () => ssm('DescribeParameters', '{"MaxResults": "5"}'),
      '400 SerializationException',
      /STRING_VALUE can not be converted to an Integer/,
    ],
    ['a string for a list', () => ssm('GetParameters', '{"Names": "a"}'), '400 SerializationException'],
    [
      'missing member',
      () => ssm('GetParameter', '{}'),
      '400 ValidationException',
      /Value null at 'name' failed to satisfy constraint: Member must not be null/,
    ],
    ['unknown operation', () => ssm('Nope', '{}'), '400 UnknownOperationException'],
    [
      'a service that is not served',
      () => message('POST /', `${scope('lambda')}`, '{}'),
      '501 UnknownOperationException',
    ],
    ['XML that is not well-formed', () => s3('PUT /b?tagging', '<Tagging><TagSet>'), '400 MalformedXML'],
    ['XML of another kind', () => s3('PUT /b?tagging', '<Other/>'), '400 MalformedXML'],
    [
      'an unknown element',
      () => s3('PUT /b?versioning', '<VersioningConfiguration><Nope>1</Nope></VersioningConfiguration>'),
      '400 MalformedXML',
    ],
    [
      'a missing element',
      () => s3('PUT /b?tagging', '<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>'),
      '400 MalformedXML',
    ],
    [
      'an element twice',
      () =>
        s3(
          'PUT /b?versioning',
          '<VersioningConfiguration><Status>Enabled</Status><Status>Suspended</Status></VersioningConfiguration>',
        ),
      '400 MalformedXML',
    ],
    ['no XML at all', () => s3('PUT /b?tagging'), '400 MalformedXML'],
    [
      'an entity bomb',
      () =>
        s3(
          'POST /b?delete',
          '<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><Delete><Object><Key>&b;</Key></Object></Delete>',
        ),
      '400 MalformedXML',
    ],
    [
      'an external entity',
      () =>
        s3('POST /b?delete', '<!DOCTYPE d SYSTEM "file:///etc/passwd"><Delete><Object><Key>a</Key></Object></Delete>'),
      '400 MalformedXML',
    ],
    [
      'an undefined entity',
      () => s3('POST /b?delete', '<Delete><Object><Key>&nope;</Key></Object></Delete>'),
      '400 MalformedXML',
    ],
    [
      'XML nested ten thousand deep',
      () => s3('POST /b?delete', `${'<a>'.repeat(10_000)}${'</a>'.repeat(10_000)}`),
      '400 MalformedXML',
    ],
    ['a broken path', () => s3('GET /b/%E0%A4%A'), '400 InvalidURI'],
    ['a method that S3 does not have', () => s3('PATCH /b/k'), '405 MethodNotAllowed'],
    ['a sub-resource with the wrong method is not a DeleteBucket', () => s3('DELETE /b?acl'), '405 MethodNotAllowed'],
    [
      'a part without its number is not a PutObject',
      () => s3('PUT /b/k?uploadId=u', 'x'),
      '405 MethodNotAllowed',
      /<Method>PUT<\/Method><ResourceType>UPLOAD<\/ResourceType>/,
    ],
    [
      'a POST on a key without an upload completes none',
      () => s3('POST /b/k', 'x'),
      '405 MethodNotAllowed',
      /<Method>POST<\/Method><ResourceType>OBJECT<\/ResourceType>/,
    ],
    [
      'nor does a form on a key upload one',
      () => s3('POST /b/k', 'x', 'content-type: multipart/form-data; boundary=x\r\n'),
      '405 MethodNotAllowed',
    ],
    [
      'a header of the wrong type',
      () => s3('PUT /b/k', 'x', 'x-amz-server-side-encryption-bucket-key-enabled: 7\r\n'),
      '400 InvalidArgument',
    ],
    [
      'a chunked body that is none',
      () =>
        message(
          'PUT /b/k',
          `${scope('s3')}x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\r\nx-amz-decoded-content-length: 5\r\n`,
          'hello',
        ),
      '400 IncompleteBody',
    ],
    [
      'a chunked body of unknown length',
      () =>
        message('PUT /b/k', `${scope('s3')}x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\r\n`, '0\r\n\r\n'),
      '411 MissingContentLength',
    ],
    [
      'a chunk size that is no number',
      () =>
        message(
          'PUT /b/k',
          `${scope('s3')}x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\r\nx-amz-decoded-content-length: 5\r\n`,
          'zz\r\nhello\r\n',
        ),
      '400 InvalidChunkSizeError',
    ],
    [
      'a checksum that is no checksum',
      () => s3('PUT /b/k', 'x', 'x-amz-checksum-crc32: abc\r\n'),
      '400 InvalidRequest',
    ],
    [
      'a payload hash that is none',
      () => message('PUT /b/k', `${scope('s3')}x-amz-content-sha256: nonsense\r\n`, 'x'),
      '400 InvalidArgument',
    ],
    [
      'a signature that lacks parts',
      () => message('GET /b/k', 'authorization: AWS4-HMAC-SHA256 Credential=x\r\n'),
      '400 AuthorizationHeaderMalformed',
    ],
    ['another kind of authorization', () => message('GET /b/k', 'authorization: Basic eDp5\r\n'), '400 InvalidRequest'],
    [
      'a call of EC2 without a signature',
      () => message('POST /', form, 'Action=DescribeVpcs&Version=2016-11-15'),
      '400 MissingParameter',
    ],
    [
      'a call of IAM without a signature',
      () => message('POST /', form, 'Action=ListUsers&Version=2010-05-08'),
      '403 MissingAuthenticationToken',
    ],
    [
      'a body of 19 MB where none is that long',
      () => ec2(`Action=DescribeVpcs&A=${'x'.repeat(19_000_000)}`),
      '413 RequestEntityTooLarge',
    ],
  ];
  for (const [title, bytes, expected, wording] of cases) {
    it(title, async () => {
      const reply = await expectError(bytes(), expected);
      if (wording) assert.match(reply.body, wording);
    });
  }

  it('a truncated body is a 400 or a closed connection', async () => {
    const whole = ec2('Action=DescribeVpcs');
    const reply = await exchange(whole.subarray(0, whole.length - 3));
    assert.ok(reply.status === 400 || reply.status === 0, `status ${reply.status}`);
  });

  it('a header of 10 MB is 431 and the server goes on', async () => {
    const reply = await exchange(Buffer.from(`GET / HTTP/1.1\r\nhost: x\r\nx-long: ${'a'.repeat(10_000_000)}\r\n\r\n`));
    assert.ok(reply.status === 431 || reply.status === 0, `status ${reply.status}`);
    assert.equal((await exchange(ec2('Action=DescribeVpcs'))).status, 200);
  });

  it('what is no HTTP is a 400', async () => {
    assert.equal(
      (await exchange(Buffer.from('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n'))).status,
      400,
    );
  });

  it('100 Continue is not sent for a request that is refused by its head', async () => {
    const reply = await exchange(message('PUT /b/k', `authorization: Basic eDp5\r\nexpect: 100-continue\r\n`, 'x'));
    assert.equal(reply.status, 400);
    assert.match(reply.head, /connection: close/i);
  });

  it('an Expect that nobody knows changes nothing', async () => {
    assert.equal((await exchange(s3('GET /bucket?list-type=2', '', 'expect: 200\r\n'))).status, 200);
  });
});

const seeds = [
  ec2('Action=DescribeVpcs&Filter.1.Name=vpc-id&Filter.1.Value.1=vpc-1&MaxResults=5'),
  ec2(
    'Action=CreateVpc&CidrBlock=10.0.0.0%2F16&TagSpecification.1.ResourceType=vpc&TagSpecification.1.Tag.1.Key=Name&TagSpecification.1.Tag.1.Value=a+b',
  ),
  iam('Action=CreateUser&UserName=alice&Tags.member.1.Key=a&Tags.member.1.Value=b'),
  ssm('PutParameter', '{"Name": "a", "Value": "b", "Type": "String", "Tags": [{"Key": "k", "Value": "v"}]}'),
  message('POST /getContactInformation', scope('account'), '{"AccountId": "123456789012"}'),
  s3('PUT /bucket/key?partNumber=1&uploadId=abc', 'content', 'content-md5: 1B2M2Y8AsgTpgAmY7PhCfg==\r\n'),
  s3(
    'POST /bucket?delete',
    '<?xml version="1.0"?><Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Object><Key>a&amp;b</Key></Object><Quiet>true</Quiet></Delete>',
  ),
  s3('GET /bucket?list-type=2&prefix=a%2Fb&max-keys=10'),
  message(
    'PUT /b/k',
    `${scope('s3')}x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\r\nx-amz-decoded-content-length: 5\r\nx-amz-trailer: x-amz-checksum-crc32\r\n`,
    '5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n',
  ),
];

const bits = [
  '%',
  '%00',
  '&',
  '=',
  '.',
  '..',
  '1',
  '-1',
  '99999999999999999999',
  'null',
  '{',
  '}',
  '[',
  '"',
  '\\',
  '<',
  '>',
  '&#0;',
  '<![CDATA[',
  '\r\n',
  '\0',
  'é',
  '__proto__',
  'constructor',
  'Infinity',
  '1e999',
  ';',
  ',',
];

function mutate(random: Random, seed: Buffer): Buffer {
  let bytes = Buffer.from(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  for (let count = 1 + below(4); count > 0; count--) {
    const at = below(bytes.length);
    switch (below(5)) {
      case 0:
        bytes[at] = below(256);
        break;
      case 1:
        bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(bits[below(bits.length)] ?? ''), bytes.subarray(at)]);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + 1 + below(20)))]);
        break;
      case 3: {
        const piece = bytes.subarray(at, at + 1 + below(60));
        bytes = Buffer.concat([bytes.subarray(0, at), piece, piece, bytes.subarray(at + piece.length)]);
        break;
      }
      default:
        if (random() < 0.2) bytes = bytes.subarray(0, at + 1);
    }
  }
  return bytes;
}

describe('what is mutated at random', () => {
  it('every seed is a good request as it stands', async () => {
    for (const seed of seeds) {
      const reply = await exchange(seed);
      const wrongDigest = /BadDigest/.test(reply.body);
      assert.ok(
        reply.status === 200 || wrongDigest,
        `${reply.status} ${reply.body} for ${seed.toString('latin1').slice(0, 200)}`,
      );
    }
  });

  it('gets a 2xx, a 4xx or a 501, never another 5xx, and no bug is met', async () => {
    const random = seeded(20261121);
    let sent = 0;
    const worker = async () => {
      while (sent < 3000) {
        sent += 1;
        const bytes = mutate(random, seeds[Math.floor(random() * seeds.length)] ?? Buffer.alloc(0));
        const { status, body } = await exchange(bytes);
        const fine =
          status === 0 || (status >= 200 && status < 300) || (status >= 400 && status < 500) || status === 501;
        assert.ok(fine, `${status} ${body} for ${bytes.toString('latin1')}`);
      }
    };
    await Promise.all(Array.from({ length: 16 }, worker));
    assert.deepEqual(bugs, []);
    assert.equal((await exchange(ec2('Action=DescribeVpcs'))).status, 200);
  });
});
