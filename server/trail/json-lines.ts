// A file of JSON lines that values are appended to, a batch at a time, so that keeping one costs no commit. When it has grown it becomes its own
// predecessor, `FILE.1`. After `kill -9` the last quarter of a second may be missing.

import {
  appendFileSync,
  chmodSync,
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  read,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { promisify } from 'node:util';

const flushAfterMs = 250;
const valuesPerWrite = 128;
const readBytes = 256 * 1024;
const lineEnd = 10;
const readAt = promisify(read);

export interface JsonLinesOptions<T> {
  readonly file: string;
  /** When the file has grown to this size it becomes the predecessor. */
  readonly maxFileBytes: number;
  /** Told once per failure to write. */
  readonly onError: (error: Error) => void;
  /** Makes a value's line, JSON that has no line's end in it, when it is about to be written; `undefined` leaves the value out. */
  readonly lineOf?: (value: T) => string | undefined;
}

export class JsonLines<T> {
  readonly #options: JsonLinesOptions<T>;
  #unwritten: T[] = [];
  #fileBytes: number;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: JsonLinesOptions<T>) {
    this.#options = options;
    if (existsSync(options.file)) endTornLine(options.file);
    this.#fileBytes = existsSync(options.file) ? statSync(options.file).size : 0;
  }

  /** What both files hold, the oldest first. */
  read(): T[] {
    const { file } = this.#options;
    return [previous(file), file].flatMap((each) => readLines<T>(each));
  }

  /**
   * The lines of both files as text, the newest first, a stretch at a time: nothing of them is held in memory. What is written meanwhile is not among them.
   * The last one may have been cut by the end of the process.
   */
  async *linesNewestFirst(): AsyncGenerator<string> {
    const { file } = this.#options;
    // Both at once: the file may become its own predecessor meanwhile, and is still the same to whoever has it open.
    const open = [file, previous(file)].filter((each) => existsSync(each)).map((each) => openSync(each, 'r'));
    try {
      for (const descriptor of open) yield* linesBackwards(descriptor);
    } finally {
      for (const descriptor of open) closeSync(descriptor);
    }
  }

  /** Costs less than a microsecond: the line is made and written later. */
  append(value: T): void {
    this.#unwritten.push(value);
    if (this.#timer) return;
    this.#timer = setTimeout(() => void this.flush(), flushAfterMs);
    this.#timer.unref();
  }

  /** Settles when everything so far is in the file, or could not be put there. */
  flush(): Promise<void> {
    const values = this.#take();
    if (values.length === 0) return this.#writing;
    // One write after the other: lines must not interleave, and the order is the order of the calls.
    this.#writing = this.#writing.then(async () => {
      let file: FileHandle | undefined;
      try {
        // In pieces, so that a burst does not hold up the requests that are under way.
        for (let start = 0; start < values.length; start += valuesPerWrite) {
          const bytes = Buffer.from(this.#lines(values.slice(start, start + valuesPerWrite)));
          if (this.#fileBytes >= this.#options.maxFileBytes) {
            await file?.close();
            file = undefined;
            this.#rotate();
          }
          file ??= await open(this.#options.file, 'a', 0o600);
          await file.appendFile(bytes);
          this.#fileBytes += bytes.length;
        }
      } catch (error) {
        this.#options.onError(error as Error);
      } finally {
        await file?.close();
      }
    });
    return this.#writing;
  }

  /** Forgets everything that is on disk. */
  async clear(): Promise<void> {
    await this.flush();
    this.#fileBytes = 0;
    rmSync(this.#options.file, { force: true });
    rmSync(previous(this.#options.file), { force: true });
  }

  /** Writes what is left, at once: the process is about to end. */
  close(): void {
    const values = this.#take();
    if (values.length === 0) return;
    try {
      appendFileSync(this.#options.file, this.#lines(values), { mode: 0o600 });
    } catch (error) {
      this.#options.onError(error as Error);
    }
  }

  #lines(values: readonly T[]): string {
    const { lineOf = JSON.stringify as (value: T) => string } = this.#options;
    let text = '';
    for (const value of values) {
      const line = lineOf(value);
      if (line !== undefined) text += `${line}\n`;
    }
    return text;
  }

  #take(): T[] {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const values = this.#unwritten;
    this.#unwritten = [];
    return values;
  }

  #rotate(): void {
    const { file } = this.#options;
    renameSync(file, previous(file));
    this.#fileBytes = 0;
  }
}

function previous(file: string): string {
  return `${file}.1`;
}

/** Whole lines of an open file from its end to its beginning. */
async function* linesBackwards(descriptor: number): AsyncGenerator<string> {
  let end = fstatSync(descriptor).size;
  /** The beginning of what was read before belongs to a line that begins further in front. */
  let rest = Buffer.alloc(0);
  while (end > 0) {
    const start = Math.max(0, end - readBytes);
    const { bytesRead, buffer } = await readAt(descriptor, Buffer.allocUnsafe(end - start), 0, end - start, start);
    const bytes = Buffer.concat([buffer.subarray(0, bytesRead), rest]);
    const first = start === 0 ? 0 : bytes.indexOf(lineEnd) + 1;
    if (first > 0 || start === 0) {
      for (const line of bytes.toString('utf8', first).split('\n').reverse()) if (line !== '') yield line;
      rest = bytes.subarray(0, first);
    } else rest = bytes;
    end = start;
  }
}

/** The next line must not continue one that was cut by the end of the process. */
function endTornLine(file: string): void {
  chmodSync(file, 0o600);
  const descriptor = openSync(file, 'r');
  const { size } = fstatSync(descriptor);
  const last = Buffer.alloc(1);
  if (size > 0) readSync(descriptor, last, 0, 1, size - 1);
  closeSync(descriptor);
  if (size > 0 && last[0] !== lineEnd) appendFileSync(file, '\n');
}

/** The values of a file; a torn line is left out. */
function readLines<T>(file: string): T[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line): T[] => {
      try {
        return line === '' ? [] : [JSON.parse(line) as T];
      } catch {
        return [];
      }
    });
}
