// The time of a request as text.

let lastMs = Number.NaN;
let lastText = '';

/** `toISOString`, remembered: many requests share a millisecond, one asks several times, and Node prints dates with `sprintf`. */
export function isoTime(time: Date): string {
  const ms = time.getTime();
  if (ms !== lastMs) {
    lastMs = ms;
    lastText = time.toISOString();
  }
  return lastText;
}
