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

// Each byte is a character of its value, but those that a string or an old charset guess could
// trip over (control characters, `"`, `\`) are moved up by 256: `charCodeAt(i) & 255` gives all back.
// Smaller than base64 even after a bundler that escapes whatever is not ASCII.
export function asLiteral(bytes) {
  const moved = byte => byte < 32 || byte === 34 || byte === 92 || (byte > 126 && byte < 160);
  const literal = `"${Array.from(bytes, byte => String.fromCharCode(moved(byte) ? byte + 256 : byte)).join('')}"`;
  const read = Uint8Array.from(vm.runInNewContext(literal), c => c.charCodeAt(0));
  if (Buffer.compare(read, bytes) !== 0) throw new Error('the wasm does not read back from its string');
  return literal;
}
