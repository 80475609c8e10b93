// The client's end of a session of Session Manager: what AWS's session-manager-plugin does for a shell, on the public API's own data channel.

import { randomUUID } from 'node:crypto';
import { payloadTypes } from '@postern/guest/wire/agent-message.ts';
import { DataStream } from '@postern/guest/wire/data-stream.ts';
import { closeCodes, openWebSocket } from '@postern/guest/wire/websocket.ts';
import { exitCodes, OperatorError, say } from './terminal.ts';

/** What StartSession answers. */
export interface StartedSession {
  readonly SessionId: string;
  readonly TokenValue: string;
  readonly StreamUrl: string;
}

/** The plugin whose protocol this is. */
export const pluginVersion = '1.2.0.0';
const endOfTransmission = Buffer.from([4]);

/** Joins this terminal, or standard input and output, with the session until it ends. */
export async function joinSession(started: StartedSession): Promise<number> {
  const end = await openWebSocket(new URL(started.StreamUrl)).catch((error: Error) => {
    throw new OperatorError(`The session's data channel cannot be opened: ${error.message}.`);
  });
  const { stdin, stdout } = process;
  const isTerminal = stdin.isTTY === true;
  return new Promise((resolve) => {
    let begun = false;
    let isOver = false;
    const size = () => stream.write(payloadTypes.size, { cols: stdout.columns ?? 80, rows: stdout.rows ?? 24 });
    const begin = () => {
      if (begun) return;
      begun = true;
      if (isTerminal) stdin.setRawMode(true);
      if (stdout.isTTY) {
        size();
        stdout.on('resize', size);
      }
      stdin.on('data', (chunk: Buffer) => {
        if (!stream.write(payloadTypes.output, chunk)) stdin.pause();
      });
      // A pipe's end is the end of what is typed.
      stdin.on('end', () => stream.write(payloadTypes.output, endOfTransmission));
    };
    const stream = new DataStream({
      writes: 'input_stream_data',
      send: (bytes) => end.send(bytes),
      drained: () => {
        if (begun) stdin.resume();
      },
      received: (payloadType, payload) => {
        if (payloadType === payloadTypes.handshakeRequest)
          stream.write(payloadTypes.handshakeResponse, answerTo(payload));
        else if (payloadType === payloadTypes.handshakeComplete) begin();
        else if (payloadType === payloadTypes.output) {
          // AWS's agent shakes no hands for a plain shell: its first word is the prompt.
          begin();
          stdout.write(payload);
        }
      },
      other: ({ messageType }) => {
        if (messageType !== 'channel_closed') return;
        isOver = true;
        end.close(closeCodes.normal);
      },
    });
    end.listen({
      message: (payload, isText) => {
        if (!isText) stream.take(payload);
      },
      close: () => {
        stream.close();
        stdout.off('resize', size);
        if (isTerminal) stdin.setRawMode(false);
        stdin.destroy();
        if (!isOver) say('postern: the session was cut off.');
        resolve(isOver ? exitCodes.ok : exitCodes.failed);
      },
    });
    end.send(
      JSON.stringify({
        MessageSchemaVersion: '1.0',
        RequestId: randomUUID(),
        TokenValue: started.TokenValue,
        ClientId: randomUUID(),
        ClientVersion: pluginVersion,
      }),
    );
  });
}

interface Handshake {
  readonly RequestedClientActions: readonly { readonly ActionType: string }[];
}

/** The type of the session is agreed to; anything else (encryption) is not. */
function answerTo(payload: Buffer): object {
  const { RequestedClientActions } = JSON.parse(payload.toString()) as Handshake;
  const ProcessedClientActions = RequestedClientActions.map(({ ActionType }) =>
    ActionType === 'SessionType'
      ? { ActionType, ActionStatus: 1, ActionResult: null, Error: '' }
      : { ActionType, ActionStatus: 3, ActionResult: null, Error: `${ActionType} is not supported` },
  );
  return { ClientVersion: pluginVersion, ProcessedClientActions, Errors: [] };
}
