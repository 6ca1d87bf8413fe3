// Files, their sizes, and bytes as a string.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import vm from 'node:vm';
import zlib from 'node:zlib';

export function filesIn(dir) {
  return fs.readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile()).map(entry => path.join(entry.parentPath ?? entry.path, entry.name)).sort();
}

export function hashOf(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file}\0`).update(fs.readFileSync(file)).update('\0');
  return hash.digest('hex');
}

export function measure(content) {
  const bytes = Buffer.from(content);
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT } = zlib.constants;
  const params = { [BROTLI_PARAM_QUALITY]: 11, [BROTLI_PARAM_SIZE_HINT]: bytes.length };
  return { raw: bytes.length, gzip: zlib.gzipSync(bytes, { level: 9 }).length, brotli: zlib.brotliCompressSync(bytes, { params }).length };
}

// Added to each byte before it becomes a character: most then are ASCII. Of all 256 shifts this one gave the smallest
// file (129 bytes brotli, 3.6 KB raw less than none).
const SHIFT = 41;

// JavaScript that gives the bytes. Each is a character of its value plus SHIFT, but those that a string or an old charset
// guess could trip over (control characters, `"`, `\`) are moved up by 256; a Uint8Array takes the rest of the division by
// 256. Smaller than base64 even after a bundler that escapes whatever is not ASCII.
export const decoder = literal => `Uint8Array.from(${literal}, c => c.charCodeAt() - ${SHIFT})`;
export function asLiteral(bytes) {
  const moved = code => code < 32 || code === 34 || code === 92 || (code > 126 && code < 160);
  const character = code => String.fromCharCode(moved(code) ? code + 256 : code);
  const literal = `"${Array.from(bytes, byte => character((byte + SHIFT) & 255)).join('')}"`;
  const read = vm.runInNewContext(decoder(literal));
  if (Buffer.compare(read, bytes) !== 0) throw new Error('the wasm does not read back from its string');
  return literal;
}
