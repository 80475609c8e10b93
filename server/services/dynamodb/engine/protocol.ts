// What server and engine say to each other over the process's own channel, as JSON: one request, one reply, in any number at once.

/** Where tables live: two spaces never see each other's. */
export interface Space {
  readonly partition: string;
  readonly accountId: string;
  readonly region: string;
}

/** The input of an operation as the API's JSON has it: blobs are base64, and a table is a name, not an ARN. */
export type WireInput = Readonly<Record<string, unknown>>;

export type EngineRequest =
  | {
      readonly id: number;
      readonly kind: 'run';
      readonly space: Space;
      readonly operation: string;
      readonly input: WireInput;
    }
  | { readonly id: number; readonly kind: 'facts'; readonly space: Space; readonly tables: readonly string[] };

/** What a policy may ask about a table. */
export interface TableFacts {
  /** The name of the partition key: of the table under '', of each index under its name. */
  readonly partitionKeys: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  /** The text of its resource-based policy. */
  readonly policy?: string;
}

/** A refusal in AWS's words. */
export interface EngineRefusal {
  readonly code: string;
  readonly status: number;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A reply is sent when what it acknowledges is on disk. `crashed` is the last word of a process: this request has ended it. */
export type EngineReply =
  | { readonly id: number; readonly output: Readonly<Record<string, unknown>> }
  | { readonly id: number; readonly refusal: EngineRefusal }
  | { readonly id: number; readonly crashed: string };
