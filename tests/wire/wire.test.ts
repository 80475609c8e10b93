// Every operation of every catalogued service, SDK → edge → SDK, both ways, with random values from a seed per operation:
// what the client sends is parsed back equal, what the edge renders is read back equal, and errors carry code, message, status and request id.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { loadService, services } from '@postern/server/catalogue/catalogue.ts';
import type { Member, OperationModel } from '@postern/server/catalogue/shapes.ts';
import { type Input, render } from '@postern/server/edge/edge.ts';
import { AwsError } from '@postern/server/errors.ts';
import { generateInput, generateOutput, seeded, seedOf } from './generate.ts';
import { type Client, comparable, type Edge, makeClient, startEdge } from './world.ts';

/** An event stream as its output: nothing that is served has one, so it is refused. */
const eventStreams = new Set(['SelectObjectContent', 'GetLogObject', 'StartLiveTail']);

/** Of Outposts, and known by its host alone, which a test's edge has not. */
const knownByHost = new Set(['s3-control:CreateBucket']);
/** Called by agents, so the SDK has no command for it: tests/e2e/systems-manager.test.ts has one. */
const agentsAlone = new Set(['ssm:UpdateInstanceInformation']);

/** Members that the SDK or the protocol fills in or gives a meaning of its own; each with its reason. */
function skip(operation: OperationModel): (member: Member, path: string) => boolean {
  return (member, path) => {
    const { name } = member;
    if (operation.service.name === 's3') {
      // Checksums and digests must be those of the body; the signature tests send real ones.
      if (path === '' && (/^Checksum/.test(name) || name === 'ContentMD5')) return true;
      // The client replaces a key with its base64 and digest.
      if (/SSECustomerKey/.test(name)) return true;
      // The transport's own.
      if (path === '' && (name === 'ContentLength' || name === 'ContentEncoding' || name === 'TransferEncoding'))
        return true;
      // Made by the client out of Expires.
      if (name === 'ExpiresString') return true;
      // The client puts its own region into the body.
      if (operation.name === 'CreateBucket' && name === 'CreateBucketConfiguration') return true;
    }
    // The client computes them when they are absent, and drops the second.
    if (operation.name === 'CopySnapshot' && (name === 'PresignedUrl' || name === 'DestinationRegion')) return true;
    return false;
  };
}

for (const summary of services()) {
  describe(`wire: ${summary.name}`, () => {
    const model = loadService(summary.name);
    let edge: Edge;
    let client: Client;
    let command: (operation: OperationModel, input: object) => object;
    let received: { operation: string; input: Input } | undefined;
    let output: Record<string, unknown> = {};
    let failure: AwsError | undefined;

    before(async () => {
      edge = await startEdge({
        async answer(admission, requestId) {
          received = { operation: admission.operation.name, input: (await comparable(admission.input)) as Input };
          if (failure) throw failure;
          return render(admission.operation, output, requestId);
        },
      });
      ({ client, command } = await makeClient(summary.name, edge.endpoint));
    });
    after(async () => {
      client.destroy();
      await edge.close();
    });

    for (const name of summary.operations) {
      if (knownByHost.has(`${summary.name}:${name}`) || agentsAlone.has(`${summary.name}:${name}`)) continue;
      it(`${name} is read and written as the SDK writes and reads it`, async () => {
        const operation = model.operation(name);
        assert.ok(operation);
        const random = seeded(seedOf(`${summary.name}:${name}`));
        received = undefined;
        failure = undefined;
        const input = generateInput(operation, random, skip(operation));
        output = eventStreams.has(name) ? {} : generateOutput(operation, random, skip(operation));
        const expectedInput = await comparable(input);
        const expectedOutput = await comparable(output);
        const answer = await client.send(command(operation, input)).catch((error: unknown) => {
          throw error instanceof Error
            ? Object.assign(new Error(`${error.name}: ${error.message}`), { cause: error })
            : error;
        });
        const seen = received as { operation: string; input: Input } | undefined;
        assert.equal(seen?.operation, name);
        const parsed = { ...seen?.input };
        // What the client adds of itself.
        if (summary.name === 's3')
          for (const added of ['ContentLength', 'ChecksumAlgorithm', 'ContentType'])
            if (!(added in (expectedInput as object))) delete parsed[added];
        for (const added of Object.keys(parsed))
          if (summary.name === 's3' && /^Checksum|^ContentMD5/.test(added)) delete parsed[added];
        if (name === 'CopySnapshot') for (const added of ['PresignedUrl', 'DestinationRegion']) delete parsed[added];
        assert.deepEqual(parsed, expectedInput);
        if (eventStreams.has(name)) return;
        const read = (await comparable(answer)) as Record<string, unknown>;
        if (summary.name === 's3') for (const added of ['ExpiresString', 'ContentLength']) delete read[added];
        assert.deepEqual(read, expectedOutput);
      });
    }

    it('an error reaches the SDK with its code, message, status and request id', async () => {
      const operation = model.operation(summary.operations[0] ?? '');
      assert.ok(operation);
      failure = new AwsError('Some.Code', 418, 'A message with <&> in it.');
      const input = generateInput(operation, seeded(1), skip(operation));
      await assert.rejects(
        client.send(command(operation, input)),
        (error: Error & { $metadata: Record<string, unknown> }) => {
          assert.equal(error.name, 'Some.Code');
          assert.equal(error.message, 'A message with <&> in it.');
          assert.equal(error.$metadata.httpStatusCode, 418);
          assert.match(String(error.$metadata.requestId), /^[0-9A-Fa-f-]{16,52}$/);
          return true;
        },
      );
    });
  });
}
