// A text as the picture of a QR code, as an app on a phone reads it.

import { PNG } from 'pngjs';
import encodeQR from 'qr';

const pixelsPerModule = 5;
/** Modules around the code that readers want light. */
const quietModules = 4;

/** @returns a PNG   @throws Error when the text is longer than any code: 2,953 bytes */
export function qrPng(text: string): Buffer {
  const rows = encodeQR(text, 'raw', { ecc: 'low', border: quietModules, scale: pixelsPerModule });
  const grey = 0;
  const png = new PNG({ width: rows.length, height: rows.length, colorType: grey, inputColorType: grey });
  for (const [y, row] of rows.entries())
    for (const [x, isDark] of row.entries()) png.data[y * rows.length + x] = isDark ? 0 : 255;
  return PNG.sync.write(png, { colorType: grey, inputColorType: grey });
}
