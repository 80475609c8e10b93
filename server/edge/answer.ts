// What is sent back: status, headers and a body that may be a stream or a piece of a file.

import type { StreamingBody } from '../service.ts';

export interface Answer {
  readonly status: number;
  /** As they go out; `Content-Length` is added by the listener where the body's size is known. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | StreamingBody | undefined;
}
