// The operator's interface, as both ends see it: what `/_postern/…` answers, and the frames of a two-way session. Imports nothing, so that the
// command line and the console may import it without seeing the server.

export interface Status {
  readonly version: string;
  readonly endpoint: string;
  readonly startedAt: string;
  readonly auth: 'strict' | 'open';
  readonly dataDirectory: string;
  readonly fabric: 'root' | 'user namespace';
  readonly revision: number;
  /** True when the kernel carries the newest revision. */
  readonly settled: boolean;
  readonly accounts: readonly string[];
  readonly vpcs: number;
  /** Active ones. */
  readonly peerings: number;
  readonly instances: { readonly running: number; readonly total: number };
  readonly buckets: number;
  readonly memoryBytes: number;
}

export interface AccountSummary {
  readonly accountId: string;
  readonly name?: string;
  readonly createdAt: string;
}

/** One API call, as `postern requests` shows it. */
export interface RequestEvent {
  readonly time: string;
  readonly requestId: string;
  readonly principalArn: string;
  readonly accessKeyId?: string;
  readonly accountId: string;
  readonly service: string;
  readonly operation: string;
  /** The IAM action that was authorized, e.g. `s3:ListBucket`; absent when the call was refused before. */
  readonly action?: string;
  readonly resource?: string;
  readonly region: string;
  readonly path:
    | {
        readonly kind: 'internet';
        readonly sourceIp: string;
        readonly secure: boolean;
        readonly tls?: { readonly version: string; readonly cipherSuite: string };
      }
    | {
        readonly kind: 'endpoint';
        readonly vpcEndpointId: string;
        readonly vpcId: string;
        readonly sourceIp: string;
        readonly secure: boolean;
        readonly tls?: { readonly version: string; readonly cipherSuite: string };
      };
  readonly status: number;
  readonly errorCode?: string;
  readonly errorMessage?: string;
  /** What AWS's message does not say, e.g. which resources hold the one that cannot be deleted. */
  readonly explanation?: string;
  readonly decision?: {
    readonly allowed: boolean;
    /** `identity`, `resource`, `endpoint` …, `root`. */
    readonly layer: string;
    readonly explicit: boolean;
    readonly policyId?: string;
    readonly statement?: string;
    /** Of a control policy: the root, unit or account of the organization where it is attached, or where none allows. */
    readonly at?: string;
  };
  readonly userAgent?: string;
  readonly durationMs: number;
}

export interface ConnectFinding {
  readonly problem: string;
  /** The AWS CLI command that mends it. */
  readonly cure?: string;
}

export interface ConnectTarget {
  readonly instanceId: string;
  readonly publicIp?: string;
  readonly privateIp?: string;
  /** The instance connect endpoint by which it is reached; absent: over the internet, to its public address. */
  readonly via?: string;
  readonly findings: readonly ConnectFinding[];
}

/** What would become of a flow, or of a request to a service? No packet is sent. */
export interface TraceQuestion {
  /** An instance, an interface, or `internet`: the person's terminal. */
  readonly from: string;
  /** An instance, an interface, an address or a host name; of a request `s3://BUCKET/KEY`, an ARN, or a service's name. */
  readonly to: string;
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  /** Of tcp and udp. */
  readonly port?: number;
  /** What would be asked of a service, e.g. `s3:GetObject`. */
  readonly action?: string;
  /** Who would ask: the ARN of a role or user. Else the role of the instance's profile; from the terminal the account's root. */
  readonly as?: string;
}

/** One link of the chain that decides a request or a flow, in order. */
export interface ChainLink {
  /** Of a packet there or back; absent where no packet is meant. */
  readonly leg?: 'forward' | 'return';
  /** `sg-egress`, `route`, `endpoint policy`, `identity policy` … */
  readonly stage: string;
  /** `none`: it was not asked, or had nothing to say. */
  readonly verdict: 'pass' | 'drop' | 'none';
  /** The AWS id of what decided. */
  readonly component?: string;
  readonly because: string;
  /** Statements that decided, as JSON. */
  readonly statements?: readonly unknown[];
  /** Reachability Analyzer's. */
  readonly code?: string;
}

/** A change, as the AWS CLI commands that make it. */
export interface Remedy {
  readonly what: string;
  readonly commands: readonly string[];
}

export interface RemedyStep extends Remedy {
  /** What a statement that would change seems to be there for: perhaps it should stay. */
  readonly guard?: string;
  /** Other forms of the same step, each of which does. */
  readonly or: readonly Remedy[];
}

/** All of its steps together open it; that was tried on a copy. */
export interface RemedyPlan {
  readonly title: string;
  readonly steps: readonly RemedyStep[];
}

/** What would have to change. */
export interface Cure {
  /** Different ways, the one with the smallest changes first. */
  readonly plans: readonly RemedyPlan[];
  /** Why there is no plan, or none for a part of it. */
  readonly unsolved: readonly string[];
}

export interface TraceAnswer {
  readonly source: string;
  readonly address: string;
  /** What was asked for, when it was no address. */
  readonly name?: string;
  readonly verdict: 'open' | 'dropped';
  /** Who gets the packet, in words; absent when nobody does. */
  readonly arrival?: string;
  /** The source address that the other end sees. */
  readonly seenAs?: string;
  /** In order, there and back. */
  readonly steps: readonly {
    readonly leg: 'forward' | 'return';
    readonly stage: string;
    readonly component: string;
    readonly verdict: 'pass' | 'drop';
    readonly because: string;
    /** Reachability Analyzer's. */
    readonly code?: string;
  }[];
  /** Of a flow that is dropped. */
  readonly cure?: Cure;
}

/** What would become of a request to a service. */
export interface RequestTraceAnswer {
  readonly action?: string;
  readonly resource?: string;
  readonly principalArn?: string;
  /** The road in words. */
  readonly road: string;
  readonly verdict: 'open' | 'dropped';
  readonly chain: readonly ChainLink[];
  readonly cure?: Cure;
}

export interface WhyQuestion {
  /** As clients print it; absent: the latest request that was answered with an error. */
  readonly requestId?: string;
}

/** Why was a request answered as it was? */
export interface WhyAnswer {
  readonly request: RequestEvent;
  readonly verdict: 'allowed' | 'denied' | 'failed';
  readonly road: string;
  /** As it was decided then. */
  readonly chain: readonly ChainLink[];
  /** What is not known of it any more, and the like. */
  readonly notes: readonly string[];
  /** The same request with the policies and the network of now; absent where no policy was asked. */
  readonly now?: { readonly verdict: 'allowed' | 'denied'; readonly changed: readonly string[] };
  /** What would open it now; absent when it is allowed. */
  readonly cure?: Cure;
}

/** Who can reach whom at all? */
export interface ReachQuestion {
  /** An instance, interface, subnet, group, VPC or endpoint by its id, `internet`, or a block of hosts outside; absent: everybody. */
  readonly from?: string;
  /** These, or a service; absent: everybody, the internet and services. */
  readonly to?: string;
  /** Absent: all traffic. */
  readonly protocol?: 'tcp' | 'udp' | 'icmp';
  /** Of tcp and udp. */
  readonly port?: number;
}

interface NumberRange {
  readonly from: number;
  readonly to: number;
}

/** All flows between two ends that take one road. */
export interface ReachRow {
  /** An interface, or `internet`. */
  readonly from: string;
  readonly fromInstance?: string;
  /** An interface, `internet`, a service, or a VPC's own. */
  readonly to: string;
  readonly toInstance?: string;
  /** Gateways, peerings, endpoints and middleboxes in order; empty: inside the VPC. */
  readonly via: readonly { readonly kind: string; readonly id: string }[];
  readonly viaReturn: readonly { readonly kind: string; readonly id: string }[];
  /** In words. */
  readonly traffic: string;
  readonly flows: readonly {
    /** As the sender knows them: the public address, where it goes by one. */
    readonly sources: readonly string[];
    readonly destinations: readonly string[];
    readonly requests: readonly {
      readonly protocol?: number;
      /** Destination ports, and source ports whose replies come back. */
      readonly ports?: readonly NumberRange[];
      readonly sourcePorts?: readonly NumberRange[];
      /** -1 is every type or every code. */
      readonly messages?: readonly { readonly type: number; readonly code: number }[];
      /** Protocol numbers besides tcp, udp and icmp. */
      readonly protocols?: readonly NumberRange[];
    }[];
  }[];
  /** One packet of them, for `postern trace`. */
  readonly example?: {
    readonly protocol: number;
    readonly source: string;
    readonly destination: string;
    readonly sourcePort?: number;
    readonly destinationPort?: number;
  };
  /** What the network does not say, and this rests on. */
  readonly assumptions: readonly string[];
}

export interface ReachAnswer {
  readonly rows: readonly ReachRow[];
  /** False: there are more rows, too many to tell. */
  readonly isComplete: boolean;
}

/** Frames of an `exec` session: one byte of kind, four bytes of length (big-endian), the payload. */
export const frameKinds = { stdin: 0, stdout: 1, stderr: 2, exit: 3, resize: 4, stdinEnd: 5 } as const;
export type FrameKind = (typeof frameKinds)[keyof typeof frameKinds];

export function encodeFrame(kind: FrameKind, payload: Uint8Array): Buffer {
  const frame = Buffer.alloc(5 + payload.length);
  frame.writeUInt8(kind, 0);
  frame.writeUInt32BE(payload.length, 1);
  frame.set(payload, 5);
  return frame;
}

/** Cuts a byte stream back into frames. A frame above 1 MiB is a protocol error and throws. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  *push(chunk: Buffer): Generator<{ kind: FrameKind; payload: Buffer }> {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 5) {
      const length = this.#rest.readUInt32BE(1);
      if (length > 1_048_576) throw new Error(`a frame of ${length} bytes is too large`);
      if (this.#rest.length < 5 + length) return;
      yield { kind: this.#rest.readUInt8(0) as FrameKind, payload: this.#rest.subarray(5, 5 + length) };
      this.#rest = this.#rest.subarray(5 + length);
    }
  }
}
