// What texts mean as numbers, dates, truth values and bytes: for the operators of conditions that are not about text.
// How AWS reads them was recorded there with tags of requests (2026-09): numbers are exact decimals, dates have milliseconds, every text but
// `true` is false, and bytes are equal when their base64 is.

/** A decimal number, exactly: digits × 10^exponent. */
interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

/** Exponents beyond this would cost memory, and no key of AWS's has such values. */
const MOST_EXPONENT = 1000;

export function parseNumber(text: string): Decimal | undefined {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,5}))?$/.exec(text.trim());
  if (!match) return undefined;
  const [, sign = '', whole = '', fraction = '', power = '0'] = match;
  const exponent = Number(power) - fraction.length;
  if (whole + fraction === '' || Math.abs(exponent) > MOST_EXPONENT) return undefined;
  const digits = BigInt(whole + fraction);
  return { digits: sign === '-' ? -digits : digits, exponent };
}

/** @returns less than, equal to or greater than 0, as `one` is to `other` */
export function compareNumbers(one: Decimal, other: Decimal): number {
  const exponent = Math.min(one.exponent, other.exponent);
  const scaled = (number: Decimal) => number.digits * 10n ** BigInt(number.exponent - exponent);
  const [a, b] = [scaled(one), scaled(other)];
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Epoch seconds, or the W3C forms of ISO 8601 (a year alone is read as a year, as AWS writes them with four digits).
 * @returns milliseconds since 1970; what is finer is cut off
 */
export function parseDate(text: string): number | undefined {
  const trimmed = text.trim();
  if (/^\+?\d{5,}(\.\d+)?$/.test(trimmed)) return Math.trunc(Number(trimmed) * 1000);
  if (!/^\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?)?)?$/.test(trimmed)) return undefined;
  // A time without a zone is UTC.
  const zoned = trimmed.includes('T') && !/(Z|[+-]\d\d:?\d\d)$/.test(trimmed) ? `${trimmed}Z` : trimmed;
  const time = Date.parse(zoned.replace(/(\.\d{3})\d+/, '$1'));
  return Number.isNaN(time) ? undefined : time;
}

export function isTrue(text: string): boolean {
  return text.toLowerCase() === 'true';
}

export function isBase64(text: string): boolean {
  return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text);
}
