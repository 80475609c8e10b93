// The journal: where a batch is on disk first, before it is in the database (disk.ts). Two files that have their length from the beginning, so that a write
// changes no metadata and is one system call and one wait (O_DSYNC): an appended file is waited for twice as long (docs/decisions/0026).
//
// Batches are written to one file while a thread puts those of the other into the database, and then the files change places. An entry has the database's
// generation, a serial number and a checksum, and begins a block that nothing else was written to since its file was last taken from the start: a torn write
// harms no entry before it. After a crash the database says up to which number it has them, and what follows in the files is added (`entriesAfter`).

import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';

/** What one commit writes. */
export interface Batch {
  /** Every row and all bytes go before the rest is written. */
  everythingGoes: boolean;
  /** `kind, id, JSON` three by three; an empty JSON removes the row. */
  readonly rows: string[];
  /** `id, bytes` two by two; undefined removes them. */
  readonly bytes: (string | Uint8Array | undefined)[];
}

export interface Entry {
  readonly serial: number;
  readonly batch: Batch;
}

/** What the disk writes at once, and the kernel's page. */
const blockBytes = 4096;
export const journalBytes = 1024 * 1024;

// An entry: magic, CRC-32 of what follows it, generation (8 bytes), serial number (6), length of the text (4), length of all (4). Then the text, then the bytes.
const magic = 0x6a747370;
const [checksumAt, generationAt, serialAt, textLengthAt, lengthAt, textAt] = [4, 8, 16, 24, 28, 32];

export const journalFiles = (file: string) => [`${file}-log0`, `${file}-log1`] as const;

/** Opens one of the files for durable writes; makes it, in its whole length, when it is not there. */
export function openJournal(path: string): number {
  const isNew = !existsSync(path);
  const file = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_DSYNC, 0o600);
  chmodSync(path, 0o600);
  // Written, not only reserved: the first write to a reserved block changes metadata too.
  if (fstatSync(file).size < journalBytes) writeSync(file, Buffer.alloc(journalBytes), 0, journalBytes, 0);
  if (isNew) {
    const directory = openSync(dirname(path), 'r');
    fsyncSync(directory);
    closeSync(directory);
  }
  return file;
}

/** Entries as bytes, one after the other in the same memory. */
export class Encoder {
  readonly #generation: Buffer;
  #memory = Buffer.alloc(16 * blockBytes);

  constructor(generation: string) {
    this.#generation = Buffer.from(generation, 'hex');
  }

  /** @returns whole blocks, good until the next call */
  encode({ serial, batch }: Entry): Buffer {
    const text = textOf(batch);
    const memory = this.#reserve(textAt + 3 * text.length + sizeOf(batch));
    const textLength = memory.write(text, textAt);
    let end = textAt + textLength;
    for (const part of batch.bytes)
      if (part instanceof Uint8Array) {
        memory.set(part, end);
        end += part.byteLength;
      }
    memory.writeUInt32LE(magic, 0);
    memory.set(this.#generation, generationAt);
    memory.writeUIntLE(serial, serialAt, 6);
    memory.writeUInt32LE(textLength, textLengthAt);
    memory.writeUInt32LE(end, lengthAt);
    memory.writeUInt32LE(crc32(memory.subarray(generationAt, end)), checksumAt);
    return memory.subarray(0, wholeBlocks(end));
  }

  #reserve(most: number): Buffer {
    if (most > this.#memory.length) {
      const large = Buffer.alloc(wholeBlocks(most));
      // Not kept: such a batch is rare.
      if (most > journalBytes / 4) return large;
      this.#memory = large;
    }
    return this.#memory;
  }
}

const wholeBlocks = (bytes: number) => Math.ceil(bytes / blockBytes) * blockBytes;

/** One line about the whole, then three for each row: what JSON.stringify makes has no line end. */
function textOf({ everythingGoes, rows, bytes }: Batch): string {
  const parts: (string | number)[] = [];
  for (let at = 0; at < bytes.length; at += 2)
    parts.push(bytes[at] as string, (bytes[at + 1] as Uint8Array | undefined)?.byteLength ?? -1);
  let text = JSON.stringify({ everythingGoes, bytes: parts });
  for (let at = 0; at < rows.length; at += 3) text += `\n${rows[at]}\n${JSON.stringify(rows[at + 1])}\n${rows[at + 2]}`;
  return text;
}

function sizeOf({ bytes }: Batch): number {
  let size = 0;
  for (const part of bytes) if (part instanceof Uint8Array) size += part.byteLength;
  return size;
}

function batchOf(text: string, data: Buffer): Batch {
  const [first = '', ...lines] = text.split('\n');
  const { everythingGoes, bytes: parts } = JSON.parse(first) as { everythingGoes: boolean; bytes: (string | number)[] };
  const batch: Batch = { everythingGoes, rows: lines, bytes: [] };
  for (let at = 1; at < lines.length; at += 3) lines[at] = JSON.parse(lines[at] as string) as string;
  let at = 0;
  for (let index = 0; index < parts.length; index += 2) {
    const length = parts[index + 1] as number;
    batch.bytes.push(parts[index] as string, length < 0 ? undefined : data.subarray(at, at + length));
    at += Math.max(length, 0);
  }
  return batch;
}

/** The entries that a file begins with: of this generation, whole, and each the next one's number. */
export function entriesOf(bytes: Buffer, generation: string): Entry[] {
  const entries: Entry[] = [];
  let at = 0;
  while (at + textAt <= bytes.length) {
    const head = bytes.subarray(at);
    const length = head.readUInt32LE(lengthAt);
    const serial = head.readUIntLE(serialAt, 6);
    const before = entries.at(-1)?.serial;
    if (head.readUInt32LE(0) !== magic || head.toString('hex', generationAt, serialAt) !== generation) break;
    if ((before !== undefined && serial !== before + 1) || length > head.length) break;
    if (crc32(head.subarray(generationAt, length)) !== head.readUInt32LE(checksumAt)) break;
    const textEnd = textAt + head.readUInt32LE(textLengthAt);
    entries.push({
      serial,
      batch: batchOf(head.toString('utf8', textAt, textEnd), head.subarray(textEnd, length)),
    });
    at += wholeBlocks(length);
  }
  return entries;
}

/**
 * What the database does not have yet, in order. The last entry may be one that nobody was told of.
 * @throws Error when one in between is missing, which no crash leaves behind
 */
export function entriesAfter(file: string, generation: string, placed: number): Entry[] {
  const entries = journalFiles(file)
    .flatMap((path) => (existsSync(path) ? entriesOf(readFileSync(path), generation) : []))
    .filter(({ serial }) => serial > placed)
    .sort((a, b) => a.serial - b.serial);
  for (const [index, { serial }] of entries.entries())
    if (serial !== placed + 1 + index)
      throw new Error(`${file}: change ${placed + 1 + index} is missing from its log, and later ones are there`);
  return entries;
}
