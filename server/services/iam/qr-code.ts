// A QR code of a short text: ISO/IEC 18004, bytes alone, error correction of level L, versions 5 to 12 (what an MFA device's address needs: 101 to 326
// bytes). One mask for all: a reader takes any, and the choice of the best is for bad print.

import { crc32, deflateSync } from 'node:zlib';

interface Version {
  readonly version: number;
  /** Codewords of data in each block; the blocks have as many for correction, all the same. */
  readonly blocks: readonly number[];
  readonly correction: number;
  /** The middles of alignment patterns. */
  readonly centers: readonly number[];
}

/** Tables 9 and E.1 of the standard, level L. */
const versions: readonly Version[] = [
  { version: 5, blocks: [108], correction: 26, centers: [6, 30] },
  { version: 6, blocks: [68, 68], correction: 18, centers: [6, 34] },
  { version: 7, blocks: [78, 78], correction: 20, centers: [6, 22, 38] },
  { version: 8, blocks: [97, 97], correction: 24, centers: [6, 24, 42] },
  { version: 9, blocks: [116, 116], correction: 30, centers: [6, 26, 46] },
  { version: 10, blocks: [68, 68, 69, 69], correction: 18, centers: [6, 28, 50] },
  { version: 11, blocks: [81, 81, 81, 81], correction: 20, centers: [6, 30, 54] },
  { version: 12, blocks: [92, 92, 93, 93], correction: 24, centers: [6, 32, 58] },
];

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);
const bitsOf = (value: number, length: number) =>
  Array.from({ length }, (_, place) => (value >>> (length - 1 - place)) & 1);

/** Rows of modules, true for dark. */
export type QrCode = readonly (readonly boolean[])[];

/** @throws Error when the text is too long for version 12 */
export function qrCode(text: string): QrCode {
  const bytes = Buffer.from(text);
  const fitting = versions.find((one) => bytes.length + headBytes(one) <= sum(one.blocks));
  if (!fitting) throw new Error(`${bytes.length} bytes are too many for a QR code of version 12`);
  return draw(fitting, interleaved(fitting, dataCodewords(fitting, bytes)));
}

// ---- codewords

const countBits = ({ version }: Version) => (version < 10 ? 8 : 16);
const headBytes = (version: Version) => Math.ceil((4 + countBits(version)) / 8);

/** Mode, length, text, an end, and padding to the full number. */
function dataCodewords(version: Version, bytes: Buffer): number[] {
  const byteMode = 4;
  const bits = [
    ...bitsOf(byteMode, 4),
    ...bitsOf(bytes.length, countBits(version)),
    ...[...bytes].flatMap((byte) => bitsOf(byte, 8)),
  ];
  const wanted = sum(version.blocks);
  bits.push(...Array<number>(Math.min(4, wanted * 8 - bits.length)).fill(0));
  while (bits.length % 8 !== 0) bits.push(0);
  const words: number[] = [];
  for (let at = 0; at < bits.length; at += 8) words.push(Number.parseInt(bits.slice(at, at + 8).join(''), 2));
  for (let place = 0; words.length < wanted; place += 1) words.push(place % 2 === 0 ? 0xec : 0x11);
  return words;
}

/** The blocks' first codewords, then their second ones and so on; those of the correction in the same way after them. */
function interleaved({ blocks, correction }: Version, words: readonly number[]): number[] {
  let start = 0;
  const data = blocks.map((length) => {
    start += length;
    return words.slice(start - length, start);
  });
  const columns = (lists: readonly (readonly number[])[]) =>
    Array.from({ length: Math.max(...lists.map((list) => list.length)) }, (_, at) =>
      lists.flatMap((list) => list[at] ?? []),
    ).flat();
  return [...columns(data), ...columns(data.map((block) => correctionOf(block, correction)))];
}

/** Multiplication in the field of 256 elements whose polynomial is 0x11d. */
function times(a: number, b: number): number {
  let product = 0;
  for (let bit = 7; bit >= 0; bit -= 1) {
    product = (product << 1) ^ (product & 0x80 ? 0x11d : 0);
    if ((b >>> bit) & 1) product ^= a;
  }
  return product;
}

/** Reed-Solomon: the remainder of the block's polynomial by the one whose roots are the first powers of 2. */
function correctionOf(block: readonly number[], length: number): number[] {
  let generator = [1];
  for (let power = 1, at = 0; at < length; at += 1, power = times(power, 2)) {
    const shifted = [...generator, 0];
    generator = shifted.map((one, place) => one ^ times(generator[place - 1] ?? 0, power));
  }
  const remainder = [...block, ...Array<number>(length).fill(0)];
  for (let at = 0; at < block.length; at += 1) {
    const factor = remainder[at] ?? 0;
    for (const [place, one] of generator.entries())
      remainder[at + place] = (remainder[at + place] ?? 0) ^ times(one, factor);
  }
  return remainder.slice(block.length);
}

// ---- the picture

/** `value` with the remainder of its division behind it: how format and version are written. */
function withRemainder(value: number, length: number, generator: number): number {
  let rest = value << length;
  for (let bit = 31 - Math.clz32(rest); bit >= length; bit = 31 - Math.clz32(rest)) {
    rest ^= generator << (bit - length);
  }
  return (value << length) | rest;
}

function draw({ version, centers }: Version, words: readonly number[]): QrCode {
  const size = 17 + 4 * version;
  const modules: (boolean | undefined)[][] = Array.from({ length: size }, () => Array(size).fill(undefined));
  const set = (row: number, column: number, dark: boolean) => {
    const line = modules[row];
    if (line && column >= 0 && column < size) line[column] = dark;
  };
  // Squares in squares: finders in three corners with a light margin, the small ones where they meet no finder.
  const square = (row: number, column: number, reach: number, light: (ring: number) => boolean) => {
    for (let down = -reach; down <= reach; down += 1) {
      for (let right = -reach; right <= reach; right += 1) {
        set(row + down, column + right, !light(Math.max(Math.abs(down), Math.abs(right))));
      }
    }
  };
  for (const [row, column] of [
    [3, 3],
    [3, size - 4],
    [size - 4, 3],
  ] as const) {
    square(row, column, 4, (ring) => ring === 2 || ring === 4);
  }
  for (let at = 8; at < size - 8; at += 1) {
    set(6, at, at % 2 === 0);
    set(at, 6, at % 2 === 0);
  }
  const last = centers.at(-1) ?? 0;
  for (const row of centers) {
    for (const column of centers) {
      const atFinder = (row === 6 && (column === 6 || column === last)) || (row === last && column === 6);
      if (!atFinder) square(row, column, 2, (ring) => ring === 1);
    }
  }
  drawFormat(set, size);
  if (version >= 7) drawVersion(set, size, version);
  fill(modules, words);
  return modules.map((line) => line.map((module) => module === true));
}

type SetModule = (row: number, column: number, dark: boolean) => void;

/** Level L and mask 0, twice, and the module that is always dark. */
function drawFormat(set: SetModule, size: number): void {
  const levelL = 0b01;
  const bits = bitsOf(withRemainder(levelL << 3, 10, 0b10100110111) ^ 0b101010000010010, 15);
  const around = [0, 1, 2, 3, 4, 5, 7, 8];
  for (const [place, bit] of bits.entries()) {
    const dark = bit === 1;
    if (place < 8) set(8, around[place] ?? 0, dark);
    else set(around[14 - place] ?? 0, 8, dark);
    if (place < 7) set(size - 1 - place, 8, dark);
    else set(8, size - 15 + place, dark);
  }
  set(size - 8, 8, true);
}

function drawVersion(set: SetModule, size: number, version: number): void {
  const bits = bitsOf(withRemainder(version, 12, 0b1111100100101), 18).reverse();
  for (const [place, bit] of bits.entries()) {
    const along = Math.floor(place / 3);
    const across = size - 11 + (place % 3);
    set(along, across, bit === 1);
    set(across, along, bit === 1);
  }
}

/** In pairs of columns from the right, up and down in turn, into what is still free; mask 0 turns every second module over. */
function fill(modules: (boolean | undefined)[][], words: readonly number[]): void {
  const size = modules.length;
  const bits = words.flatMap((word) => bitsOf(word, 8));
  let next = 0;
  let upwards = true;
  for (let right = size - 1; right > 0; right -= 2) {
    // The column of the timing pattern is no part of a pair.
    if (right === 6) right = 5;
    for (let step = 0; step < size; step += 1) {
      const row = upwards ? size - 1 - step : step;
      for (const column of [right, right - 1]) {
        const line = modules[row];
        if (!line || line[column] !== undefined) continue;
        line[column] = ((bits[next] ?? 0) === 1) !== ((row + column) % 2 === 0);
        next += 1;
      }
    }
    upwards = !upwards;
  }
}

// ---- PNG

const pixelsPerModule = 5;
const quietModules = 4;

/** https://www.w3.org/TR/png-3/ (read 2026-11-21): one bit for each pixel, 0 for dark. */
export function qrPng(text: string): Buffer {
  const code = qrCode(text);
  const size = (code.length + 2 * quietModules) * pixelsPerModule;
  const lineBytes = Math.ceil(size / 8);
  const pixels = Buffer.alloc(size * (1 + lineBytes), 0xff);
  for (let y = 0; y < size; y += 1) {
    const start = y * (1 + lineBytes);
    pixels[start] = 0;
    const line = code[Math.floor(y / pixelsPerModule) - quietModules];
    for (let x = 0; line && x < size; x += 1) {
      if (line[Math.floor(x / pixelsPerModule) - quietModules] !== true) continue;
      const at = start + 1 + (x >> 3);
      pixels[at] = (pixels[at] ?? 0) & ~(0x80 >> (x & 7));
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header[8] = 1;
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', deflateSync(pixels)), chunk('IEND')]);
}

function chunk(type: string, data: Buffer = Buffer.alloc(0)): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}
