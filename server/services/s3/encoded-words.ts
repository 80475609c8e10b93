// User metadata that is not ASCII, in headers: encoded words (RFC 2047). What a client sends as one is kept as its text; what a header cannot hold is
// answered as one. Which of the two encodings, and where a long text is parted, are those of the mail library that S3 uses: recorded at AWS in
// February 2026, the parting alone read off RFC 2047's limit.

const encodedWord = /^=\?utf-8\?([bq])\?([^?]*)\?=$/i;

/** @param value a header's bytes as latin1   @returns the same; for an encoded word those of its text in UTF-8 */
export function decodeWord(value: string): string {
  const [, kind, text] = encodedWord.exec(value) ?? [];
  if (kind === undefined || text === undefined) return value;
  if (kind.toLowerCase() === 'b')
    return /^[A-Za-z0-9+/]*={0,2}$/.test(text) ? Buffer.from(text, 'base64').toString('latin1') : value;
  return text
    .replaceAll('_', ' ')
    .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** So that a text which looks like an encoded word is kept as it is. */
export function literalWord(value: string): string {
  return encodedWord.test(value) ? `=?UTF-8?B?${Buffer.from(value, 'latin1').toString('base64')}?=` : value;
}

const plain = /^[\t\r\n\x20-\x7e]*$/;

/** The metadata as headers tell it. @returns the same object where all of it is ASCII, which is nearly always */
export function encodeWords(metadata: Record<string, string>): Record<string, string> {
  if (Object.values(metadata).every((value) => plain.test(value))) return metadata;
  return Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, encodeWord(value)]));
}

function encodeWord(value: string): string {
  if (plain.test(value)) return value;
  const text = Buffer.from(value, 'latin1').toString('utf8');
  let ascii = 0;
  for (const letter of text.split('')) if (plain.test(letter)) ascii += 1;
  return words(text, ascii > text.length - ascii ? quoted : base64).join(' ');
}

/** An encoded word has 75 characters at most; a longer text is halved until its pieces fit. */
function words(text: string, encode: (bytes: Buffer) => string): string[] {
  const encoded = encode(Buffer.from(text));
  if (encoded.length <= 63 || text.length < 2) return [`=?UTF-8?${encode === base64 ? 'B' : 'Q'}?${encoded}?=`];
  let middle = Math.floor(text.length / 2);
  if (/[\ud800-\udbff]/.test(text.charAt(middle - 1))) middle -= 1;
  return middle < 1 ? [] : [...words(text.slice(0, middle), encode), ...words(text.slice(middle), encode)];
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64');
}

function quoted(bytes: Buffer): string {
  let text = '';
  for (const byte of bytes) {
    const letter = String.fromCharCode(byte);
    if (letter === ' ') text += '_';
    else if (/[!-~]/.test(letter) && !/[=_?]/.test(letter)) text += letter;
    else text += `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
}
