// A file of JSON lines that values are appended to, a batch at a time, so that keeping one costs no commit. When it has grown it becomes its own
// predecessor, `FILE.1`. After `kill -9` the last quarter of a second may be missing.

import { appendFileSync, chmodSync, existsSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

const flushAfterMs = 250;
const valuesPerWrite = 128;

export interface JsonLinesOptions {
  readonly file: string;
  /** When the file has grown to this size it becomes the predecessor. */
  readonly maxFileBytes: number;
  /** Told once per failure to write. */
  readonly onError: (error: Error) => void;
}

export class JsonLines<T> {
  readonly #options: JsonLinesOptions;
  #unwritten: T[] = [];
  #fileBytes: number;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: JsonLinesOptions) {
    this.#options = options;
    this.#fileBytes = existsSync(options.file) ? statSync(options.file).size : 0;
  }

  /** What both files hold, the oldest first. */
  read(): T[] {
    const { file } = this.#options;
    return [previous(file), file].flatMap((each) => readLines<T>(each));
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
          const bytes = Buffer.from(lines(values.slice(start, start + valuesPerWrite)));
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
      appendFileSync(this.#options.file, lines(values), { mode: 0o600 });
    } catch (error) {
      this.#options.onError(error as Error);
    }
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

function lines(values: readonly unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('');
}

/** The values of a file. A line that was cut by the end of the process is left out, and the file ended there. */
function readLines<T>(file: string): T[] {
  if (!existsSync(file)) return [];
  chmodSync(file, 0o600);
  const text = readFileSync(file, 'utf8');
  // The next line must not continue a torn one.
  if (text !== '' && !text.endsWith('\n')) appendFileSync(file, '\n');
  return text.split('\n').flatMap((line): T[] => {
    try {
      return line === '' ? [] : [JSON.parse(line) as T];
    } catch {
      return [];
    }
  });
}
