// What the launcher tells the server at its start; passed as one JSON text in the environment, because the server runs in another world.

export interface ServerConfiguration {
  readonly version: string;
  readonly dataDirectory: string;
  readonly auth: 'strict' | 'open';
  readonly quotas: 'off' | 'aws';
  readonly strictImages: boolean;
  /** After so long a NAT gateway forgets a flow; absent: AWS's 350 s (G7). */
  readonly natIdleTimeoutSeconds?: number;
  readonly endpoint: string;
  /** Names under which the listener may be addressed, for `/_postern/…`. */
  readonly hosts: readonly string[];
  readonly privileged: boolean;
}

export const configurationVariable = 'POSTERN_CONFIGURATION';

/** File descriptors that the server inherits. */
export const inherited = {
  /** The listening socket, which stays in the host's network namespace. */
  listener: 3,
  /** The server writes one line of JSON here when it answers; the launcher holds the other end open as long as it lives. */
  ready: 4,
  /** A socket whose name is the data directory's lock: held until both processes are gone. */
  lock: 5,
} as const;

export type ReadyMessage =
  | { readonly ready: true; readonly environment: Record<string, string> }
  | { readonly ready: false; readonly message: string };
