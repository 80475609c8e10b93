// Sessions: two data channels, the agent's and the client's, joined. Numbers, acknowledgements and handshake are between the two ends; here their messages
// are handed on, kept while the other end is not there yet, and the session's end is told to both.

import { randomUUID } from 'node:crypto';
import { agentMessage, decode, encode } from '@postern/guest/wire/agent-message.ts';
import { closeCodes, type WebSocketEnd } from '@postern/guest/wire/websocket.ts';
import type { OpenChannels } from '../open-channels.ts';
import type { PipelineParts } from '../pipeline.ts';
import { forAgent } from '../services/ssm/documents.ts';
import { endSession, sessionDocument } from '../services/ssm/sessions.ts';
import type { SsmSessionRow } from '../store/rows/ssm.ts';
import type { Change } from '../store/store.ts';

export type Side = 'agent' | 'client';
const otherSide = { agent: 'client', client: 'agent' } as const;

/** While the other end is away; what is more is sent again by its writer. */
const mostKept = 256;
/** AWS's default for a session in which nobody types. */
const idleMs = 20 * 60_000;

interface Joined {
  readonly sessionId: string;
  readonly ends: Map<Side, WebSocketEnd>;
  readonly kept: Record<Side, Buffer[]>;
  typedAtMs: number;
  /** The agent was told. */
  isBegun: boolean;
}

export class JoinedSessions {
  readonly #parts: PipelineParts;
  readonly #channels: OpenChannels;
  readonly #joined = new Map<string, Joined>();

  constructor(parts: PipelineParts, channels: OpenChannels) {
    this.#parts = parts;
    this.#channels = channels;
  }

  /** Rows of sessions that were written, and are on disk. */
  changed(changes: readonly Change[]): void {
    for (const { before, after } of changes) {
      const [was, is] = [before, after] as [SsmSessionRow | undefined, SsmSessionRow | undefined];
      if (is && !was) this.#of(is.id);
      else if (is?.state === 'Terminated' && was?.state !== 'Terminated') this.#close(is);
    }
  }

  /** The session, when it is there and has not ended. */
  row(sessionId: string): SsmSessionRow | undefined {
    const row = this.#parts.store.read((tx) => tx.get('ssm-session', sessionId));
    return row?.state === 'Terminated' ? undefined : row;
  }

  /** One end is there, and has shown its token. @returns what takes its messages */
  join(sessionId: string, side: Side, end: WebSocketEnd): (payload: Buffer) => void {
    const joined = this.#of(sessionId);
    joined.ends.get(side)?.close(closeCodes.normal, 'another client has come');
    joined.ends.set(side, end);
    if (side === 'client') this.#connected(joined);
    for (const one of joined.kept[side].splice(0)) end.send(one);
    return (payload) => this.#handOn(joined, side, payload);
  }

  left(sessionId: string, side: Side, end: WebSocketEnd): void {
    const joined = this.#joined.get(sessionId);
    if (joined?.ends.get(side) !== end) return;
    joined.ends.delete(side);
    // The shell has ended, or the instance is gone. A client may come back.
    if (side === 'agent') this.end(sessionId);
  }

  /** An agent's control channel is open. Sessions of before the server's own start are nobody's any more. */
  agentCame(instanceId: string): void {
    const rows = this.#parts.store.read((tx) => tx.list('ssm-session'));
    for (const row of rows)
      if (row.target === instanceId && row.state !== 'Terminated' && !this.#joined.has(row.id)) this.end(row.id);
  }

  /** The agent says so, or was lost. */
  end(sessionId: string): void {
    const now = this.#parts.clock();
    this.#parts.store.transact((tx) => {
      const row = tx.get('ssm-session', sessionId);
      if (row) endSession(tx, row, now);
    });
  }

  /** Ends those in which nobody has typed for long, whether a client is there or not. */
  watch(): void {
    for (const joined of this.#joined.values())
      if (performance.now() - joined.typedAtMs > idleMs) this.end(joined.sessionId);
  }

  #of(sessionId: string): Joined {
    const known = this.#joined.get(sessionId);
    if (known) return known;
    const made: Joined = {
      sessionId,
      ends: new Map(),
      kept: { agent: [], client: [] },
      typedAtMs: performance.now(),
      isBegun: false,
    };
    this.#joined.set(sessionId, made);
    return made;
  }

  #handOn(joined: Joined, from: Side, payload: Buffer): void {
    const { messageType } = decode(payload);
    if (from === 'agent' && messageType === 'agent_session_state') return;
    if (from === 'client' && messageType === 'input_stream_data') joined.typedAtMs = performance.now();
    const to = otherSide[from];
    const end = joined.ends.get(to);
    if (end) end.send(payload);
    else if (joined.kept[to].length < mostKept) joined.kept[to].push(payload);
  }

  /** The agent is told when there is a client: a short command would be over before anybody could read what it said. */
  #begin(joined: Joined, row: SsmSessionRow): void {
    if (joined.isBegun) return;
    joined.isBegun = true;
    const document = sessionDocument(row.documentName);
    const content = {
      DocumentName: row.documentName,
      DocumentContent: { ...document.content, inputs: {} },
      SessionId: row.id,
      Parameters: forAgent(document, row.parameters),
      RunAsUser: '',
      SessionOwner: row.owner,
    };
    const task = { Content: JSON.stringify(content), TaskId: row.id, Topic: 'aws.ssm.startSession', SchemaVersion: 1 };
    const channel = this.#channels.control(row.target);
    if (channel) channel.send(agentMessage('interactive_shell', task));
    else this.end(row.id);
  }

  #connected(joined: Joined): void {
    const { value: row } = this.#parts.store.transact((tx) => {
      const found = tx.get('ssm-session', joined.sessionId);
      if (found?.state === 'Connecting') tx.put('ssm-session', { ...found, state: 'Connected' });
      return found;
    });
    if (row) this.#begin(joined, row);
  }

  #close(row: SsmSessionRow): void {
    const joined = this.#joined.get(row.id);
    this.#joined.delete(row.id);
    for (const [side, end] of joined?.ends ?? []) {
      const content = {
        MessageType: 'channel_closed',
        MessageId: randomUUID(),
        DestinationId: side === 'agent' ? row.target : row.id,
        SessionId: row.id,
        SchemaVersion: 1,
        CreatedDate: row.endedAt,
        Output: '',
      };
      end.send(encode(agentMessage('channel_closed', content)));
      end.close(closeCodes.normal);
    }
  }
}
