// CRCs of 32 and 64 bits by WebAssembly, twice as fast as the same tables in JavaScript, which has no 64-bit integers that are fast.
// Slicing by 16: https://reveng.sourceforge.io/crc-catalogue/ has the parameters; the method is Intel's (Kounavis and Berry, 2008; read 2026-11-21).
// One function of two parameters (from, to) and the state: it takes 16 bytes a turn: their lookups do not wait for one another. It is assembled here, for a binary nobody could review.

/** Bytes taken in one turn, each with a table of its own. */
const slices = 16;
const tableBytes = slices * 256 * 8;
const pieceBytes = 64 * 1024;

const op = {
  block: [0x02, 0x40],
  loop: [0x03, 0x40],
  end: [0x0b],
  branch: (depth: number) => [0x0c, depth],
  branchIf: (depth: number) => [0x0d, depth],
  get: (local: number) => [0x20, local],
  set: (local: number) => [0x21, local],
  load64: (offset: number) => [0x29, 0x03, ...unsigned(offset)],
  const32: (value: number) => [0x41, ...signed(value)],
  const64: (value: number) => [0x42, ...signed(value)],
  atLeast: [0x4f],
  add32: [0x6a],
  and32: [0x71],
  shl64: [0x86],
  shiftRight64: [0x88],
  xor64: [0x85],
  wrap: [0xa7],
} as const;

/** LEB128, as WebAssembly writes numbers. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let left = value;
  do {
    bytes.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
    left >>>= 7;
  } while (left > 0);
  return bytes;
}

function signed(value: number): number[] {
  // A seventh bit that is set would read as a minus.
  const bytes = unsigned(value);
  const last = bytes.length - 1;
  if (((bytes[last] ?? 0) & 0x40) === 0) return bytes;
  return [...bytes.slice(0, last), (bytes[last] ?? 0) | 0x80, 0];
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

/** `table[slice][(local >> 8 · byte) & 255]`, the byte's eight-fold being the offset in the table. */
function lookup(local: number, byte: number, slice: number): number[] {
  const shift = byte === 0 ? [...op.const64(3), ...op.shl64] : [...op.const64(8 * byte - 3), ...op.shiftRight64];
  return [...op.get(local), ...shift, ...op.wrap, ...op.const32(0x7f8), ...op.and32, ...op.load64(slice * 2048)];
}

function assemble(): Uint8Array<ArrayBuffer> {
  // Local 2 is the state, with the first eight bytes; 3 has the other eight.
  const lookups = Array.from({ length: slices }, (_, byte) => [
    ...lookup(byte < 8 ? 2 : 3, byte % 8, slices - 1 - byte),
    ...(byte > 0 ? op.xor64 : []),
  ]).flat();
  const code = [
    ...op.block,
    ...op.loop,
    ...[...op.get(0), ...op.get(1), ...op.atLeast, ...op.branchIf(1)],
    ...[...op.get(2), ...op.get(0), ...op.load64(0), ...op.xor64, ...op.set(2)],
    ...[...op.get(0), ...op.load64(8), ...op.set(3)],
    ...[...lookups, ...op.set(2)],
    ...[...op.get(0), ...op.const32(slices), ...op.add32, ...op.set(0), ...op.branch(0)],
    ...[...op.end, ...op.end, ...op.get(2), ...op.end],
  ];
  // One local of its own, an i64.
  const body = [1, 1, 0x7e, ...code];
  const name = (text: string) => [text.length, ...Buffer.from(text)];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    // (i32, i32, i64) → i64
    ...section(1, [1, 0x60, 3, 0x7f, 0x7f, 0x7e, 1, 0x7e]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, Math.ceil((tableBytes + pieceBytes) / 65_536)]),
    ...section(7, [2, ...name('memory'), 2, 0, ...name('run'), 0, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  ]);
}

/** What is used of it: Node's types do not declare it, and the browser's are not loaded. */
interface WebAssemblyOfNode {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: Crc };
}

interface Crc {
  readonly memory: { readonly buffer: ArrayBuffer };
  run(from: number, to: number, state: bigint): bigint;
}

const { Module, Instance } = (globalThis as unknown as { WebAssembly: WebAssemblyOfNode }).WebAssembly;
let compiled: object | undefined;

/** Takes the next bytes of a CRC. The state is inverted before the first and after the last, as all of S3's are. */
export type CrcStep = (state: bigint, bytes: Uint8Array) => bigint;

/** @param polynomial reflected */
export function crcStep(polynomial: bigint): CrcStep {
  compiled ??= new Module(assemble());
  const { memory, run } = new Instance(compiled).exports;
  const table = new BigUint64Array(memory.buffer, 0, slices * 256);
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1n ? (crc >> 1n) ^ polynomial : crc >> 1n;
    table[byte] = crc;
  }
  for (let at = 256; at < table.length; at += 1) {
    const before = table[at - 256] as bigint;
    table[at] = (before >> 8n) ^ (table[Number(before & 255n)] as bigint);
  }
  const data = new Uint8Array(memory.buffer, tableBytes, pieceBytes);
  return (state, bytes) => {
    let crc = state;
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      const piece = bytes.subarray(at, at + pieceBytes);
      const groups = piece.length - (piece.length % slices);
      data.set(piece);
      crc = BigInt.asUintN(64, run(tableBytes, tableBytes + groups, crc));
      for (let rest = groups; rest < piece.length; rest += 1)
        crc = (crc >> 8n) ^ (table[Number((crc ^ BigInt(piece[rest] ?? 0)) & 255n)] as bigint);
    }
    return crc;
  };
}
