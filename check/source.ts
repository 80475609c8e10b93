// A YAML text, where each of its nodes stands, and what is wrong with it.

import { isAlias, LineCounter, type Node, parseDocument } from 'yaml';

/** Both count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
  /** One past the last character. */
  readonly end?: { readonly line: number; readonly column: number };
}

export interface Problem {
  readonly message: string;
  readonly place: Place;
}

export class Source {
  readonly problems: Problem[] = [];
  readonly #lines = new LineCounter();
  readonly #document: ReturnType<typeof parseDocument>;

  constructor(text: string) {
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, version: '1.2' });
    for (const { message, pos } of [...this.#document.errors, ...this.#document.warnings])
      this.problems.push({ message: message.replace(/\n[\s\S]*$/, ''), place: this.#place(pos[0], pos[1]) });
  }

  top(): Node | undefined {
    return this.resolve(this.#document.contents);
  }

  /** The node that an alias stands for, else the node itself; undefined for what is no node. */
  resolve(value: unknown): Node | undefined {
    const node = value as Node | null | undefined;
    if (node === null || node === undefined) return undefined;
    if (!isAlias(node)) return node;
    const anchored = node.resolve(this.#document);
    if (anchored === undefined) this.problem(node, `there is no anchor '&${node.source}' before this`);
    return anchored;
  }

  placeOf(node: unknown): Place {
    const range = (node as Node | undefined)?.range;
    return range ? this.#place(range[0], range[1]) : { line: 1, column: 1 };
  }

  problem(node: unknown, message: string): void {
    this.problemAt(this.placeOf(node), message);
  }

  problemAt(place: Place, message: string): void {
    this.problems.push({ message, place });
  }

  #place(from: number, to: number): Place {
    const start = this.#lines.linePos(from);
    const end = this.#lines.linePos(to);
    return { line: start.line, column: start.col, end: { line: end.line, column: end.col } };
  }
}
