// What was a request decided by? Beside the trail: the questions that the policies were asked for a request, with the documents as they were then.
// A decision is a pure function of its question, so nothing else has to be kept to tell it again. The newest are held by reference (a question is
// made for its request anyway, its documents are shared); those of refused requests are written down too, because a refusal is asked about later.

import type { PolicySet, Principal } from '@postern/policy/types.ts';
import type { DecisionRecord, PolicyQuestion } from '../authorize/authorize.ts';
import { JsonLines } from '../trail/json-lines.ts';

/** The newest so many: a flood of what is allowed must not push out the denial that somebody is about to ask for. */
const refusedCapacity = 1000;
/** Few: what is held when the collector comes is copied, and a thousand of these were a tenth of a small request's time. */
const allowedCapacity = 100;
/** A DeleteObjects has a thousand; the first ones and those that said no tell it. */
const mostQuestions = 16;
const maxFileBytes = 8 * 1024 * 1024;

export interface Evidence {
  readonly requestId: string;
  /** Of the store, when the request was answered. */
  readonly revision: number;
  readonly questions: readonly PolicyQuestion[];
}

interface WrittenQuestion {
  readonly request: Omit<PolicyQuestion['request'], 'context'> & {
    readonly principal: Principal;
    readonly context: readonly (readonly [string, readonly string[]])[];
  };
  readonly policies: PolicySet;
}

interface WrittenEvidence extends Omit<Evidence, 'questions'> {
  readonly questions: readonly WrittenQuestion[];
}

export interface EvidenceOptions {
  /** Without a file, memory is all there is. */
  readonly file?: string;
  readonly onError?: (error: Error) => void;
}

export class EvidenceLog {
  readonly #lines: JsonLines<WrittenEvidence> | undefined;
  readonly #allowed = new Ring<Evidence>(allowedCapacity);
  readonly #refused = new Ring<Evidence>(refusedCapacity);

  constructor({ file, onError = () => {} }: EvidenceOptions = {}) {
    this.#lines = file === undefined ? undefined : new JsonLines({ file, maxFileBytes, onError });
  }

  /** Keeps what a request was decided by. @param refused whether it was answered with an error */
  keep(requestId: string, revision: number, decisions: readonly DecisionRecord[], refused: boolean): void {
    const told = decisions.length <= mostQuestions ? decisions : fewer(decisions);
    const questions: PolicyQuestion[] = [];
    for (const { question } of told) if (question !== undefined) questions.push(question);
    if (questions.length === 0) return;
    const evidence = { requestId, revision, questions };
    (refused ? this.#refused : this.#allowed).push(evidence);
    if (refused && this.#lines !== undefined) this.#lines.append(written(evidence));
  }

  /** What is known of a request; of one that is long ago, from the file. */
  of(requestId: string): Evidence | undefined {
    const isIts = (one: Evidence) => one.requestId === requestId;
    const held = this.#refused.find(isIts) ?? this.#allowed.find(isIts);
    if (held) return held;
    const line = this.#lines?.read().findLast((one) => one.requestId === requestId);
    return line && read(line);
  }

  async clear(): Promise<void> {
    this.#allowed.clear();
    this.#refused.clear();
    await this.#lines?.clear();
  }

  flush(): Promise<void> {
    return this.#lines?.flush() ?? Promise.resolve();
  }
}

function fewer(decisions: readonly DecisionRecord[]): DecisionRecord[] {
  const denied = decisions.filter((one) => !one.allowed);
  return [...decisions.slice(0, mostQuestions - Math.min(denied.length, 8)), ...denied.slice(-8)];
}

function written({ questions, ...rest }: Evidence): WrittenEvidence {
  return {
    ...rest,
    questions: questions.map(({ request, policies }) => ({
      request: { ...request, context: [...request.context] },
      policies,
    })),
  };
}

function read({ questions, ...rest }: WrittenEvidence): Evidence {
  return {
    ...rest,
    questions: questions.map(({ request, policies }) => ({
      request: { ...request, context: new Map(request.context) },
      policies,
    })),
  };
}

class Ring<T> {
  readonly #items: T[] = [];
  readonly #capacity: number;
  #next = 0;

  constructor(size: number) {
    this.#capacity = size;
  }

  push(item: T): void {
    this.#items[this.#next] = item;
    this.#next = (this.#next + 1) % this.#capacity;
  }

  find(fits: (item: T) => boolean): T | undefined {
    return this.#items.find(fits);
  }

  clear(): void {
    this.#items.length = 0;
    this.#next = 0;
  }
}
