// node pack.mjs BINDGEN_DIR JS_DIR WORK_DIR OUT_FILE
//
// Makes the tracker one file. BINDGEN_DIR holds what wasm-bindgen's bundler
// target made (glue_bg.wasm, glue_bg.js, snippets/), JS_DIR our own part
// (entry.mjs and what it imports), WORK_DIR is ours to fill, OUT_FILE is the
// result: one classic script. Prints the sizes as one line of JSON.
//
// A bundle is tried first only to see which exports of the wasm the JavaScript
// touches; all others go, and with them the code behind them. Then names get
// short, the JavaScript is minified, and the wasm goes in as a string.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import vm from 'node:vm';
import zlib from 'node:zlib';
import { fileURLToPath } from 'node:url';
import esbuild from 'esbuild';
import { minify } from 'terser';

const TOOLS = path.dirname(fileURLToPath(import.meta.url));
const [BINDGEN_DIR, JS_DIR, WORK_DIR, OUT_FILE] = process.argv.slice(2);
const BUNDLE_DIR = path.join(WORK_DIR, 'js');
const STAMP = path.join(WORK_DIR, 'packed.json');
// Rust puts the end of the stack into the first kilobyte, so no address there is ever worked with.
const SMALL = ['-Oz', '--converge', '--low-memory-unused'];
// Stands for the wasm until everything else is minified: no tool sees the real string.
const PLACEHOLDER = '@wasm@';
// Added to each byte of the wasm before it becomes a character: most then are ASCII. Of all 256 shifts this one gave the
// smallest file (129 bytes brotli, 3.6 KB raw less than none).
const SHIFT = 36;
// A byte order mark beats every charset a page or server may name, and the string is not ASCII.
const BYTE_ORDER_MARK = '\ufeff';

const tools = ['pack.mjs', 'package-lock.json'].map(name => path.join(TOOLS, name));
const inputs = hashOf([...filesIn(BINDGEN_DIR), ...filesIn(JS_DIR), ...tools]);
const sizes = sizesIfUnchanged() ?? await pack();
console.log(JSON.stringify(sizes));

async function pack() {
  fs.rmSync(WORK_DIR, { recursive: true, force: true });
  fs.cpSync(JS_DIR, BUNDLE_DIR, { recursive: true });
  const snippets = path.join(BINDGEN_DIR, 'snippets');
  if (fs.existsSync(snippets)) fs.cpSync(snippets, path.join(BUNDLE_DIR, 'snippets'), { recursive: true });

  const glue = ownSnippetsBeside(fs.readFileSync(path.join(BINDGEN_DIR, 'glue_bg.js'), 'utf8'));
  const lean = await withoutUnusedExports(path.join(BINDGEN_DIR, 'glue_bg.wasm'), glue);
  const { wasm, imports, exports } = withShortNames(lean);
  const bundled = await bundle(renamed(glue, exports), { imports, start: exports.get('__wbindgen_start') }, exports);
  const missing = [...usedExports(bundled)].filter(name => ![...exports.values()].includes(name));
  if (missing.length > 0) throw new Error(`the JavaScript calls what the wasm does not export: ${missing}`);
  const js = await minified(bundled);
  const [before, after, ...more] = js.split(`"${PLACEHOLDER}"`);
  if (after === undefined || more.length > 0) throw new Error('entry.mjs must use the wasm text exactly once');
  const literal = asLiteral(wasm);
  const file = BYTE_ORDER_MARK + before + literal + after;
  check(file, literal, wasm);

  const made = { wasm: measure(wasm), js: measure(before + '""' + after), file: measure(file) };
  fs.mkdirSync(path.dirname(OUT_FILE), { recursive: true });
  fs.writeFileSync(OUT_FILE, file);
  fs.writeFileSync(STAMP, JSON.stringify({ inputs, output: hashOf([OUT_FILE]), sizes: made }));
  return made;
}

// An unchanged file is left alone: what is built from it need not be built again.
function sizesIfUnchanged() {
  if (!fs.existsSync(STAMP) || !fs.existsSync(OUT_FILE)) return undefined;
  const stamp = JSON.parse(fs.readFileSync(STAMP, 'utf8'));
  return stamp.inputs === inputs && stamp.output === hashOf([OUT_FILE]) ? stamp.sizes : undefined;
}

// wasm-bindgen copies files named by `#[wasm_bindgen(module = "/js/…")]` to snippets/<crate>-<hash>/js/.
// Those are files of JS_DIR; one module must not become two, so the glue imports the file itself.
function ownSnippetsBeside(glue) {
  return glue.replace(/'\.\/snippets\/[^/']+\/js\/([^']+)'/g, (import_, name) =>
    fs.existsSync(path.join(BUNDLE_DIR, name)) ? `'./${name}'` : import_);
}

// Less exports, less code, less imports, less JavaScript that may use exports: until nothing more falls away.
async function withoutUnusedExports(input, glue) {
  let wasm = input;
  for (let round = 0, before = Infinity; ; round++) {
    const imports = WebAssembly.Module.imports(compiled(wasm));
    if (imports.length === before) return wasm;
    before = imports.length;
    const used = usedExports(await bundle(glue, { imports, start: '__wbindgen_start' }));
    const all = WebAssembly.Module.exports(compiled(wasm)).map(e => e.name);
    const graph = path.join(WORK_DIR, 'graph.json');
    fs.writeFileSync(graph, JSON.stringify([
      { name: 'javascript', root: true, reaches: all.filter(name => used.has(name)) },
      ...all.map(name => ({ name, export: name })),
    ]));
    const [lean, small] = ['lean', 'small'].map(name => path.join(WORK_DIR, `${name}${round}.wasm`));
    binaryen('wasm-metadce', wasm, `--graph-file=${graph}`, '-o', lean);
    binaryen('wasm-opt', ...SMALL, '--strip-debug', '--strip-producers', lean, '-o', small);
    wasm = small;
  }
}

// The bundler writes file names into comments: `…/wasm.mjs` is no use of an export.
function usedExports(js) {
  return new Set([...js.matchAll(/(?<![\w$./])(?:wasm\d*|exports)\.([\w$]+)/g)].map(match => match[1]));
}

// A pass of its own, since with --converge it would run, and print its map, more than once.
function withShortNames(input) {
  const output = path.join(WORK_DIR, 'short.wasm');
  const map = JSON.parse(binaryen('wasm-opt', '--minify-imports-and-exports-and-modules', '--strip-target-features', input, '-o', output));
  const long = new Map(map.imports.map(([module, name, short]) => [short, { module, name }]));
  const imports = WebAssembly.Module.imports(compiled(output)).map(i => ({ ...long.get(i.name), as: i.module, short: i.name }));
  return { wasm: fs.readFileSync(output), imports, exports: new Map(map.exports) };
}

function renamed(glue, exports) {
  return glue.replace(/\bwasm\.([\w$]+)/g, (use, name) => exports.has(name) ? `wasm.${exports.get(name)}` : use);
}

// Bundles entry.mjs with the two modules that are made here: glue.mjs and wasm.mjs (see entry.mjs).
async function bundle(glue, { imports, start }, short = new Map()) {
  for (const file of filesIn(JS_DIR)) {
    const text = fs.readFileSync(file, 'utf8').replace(/\bexports\.([\w$]+)/g, (use, name) => short.has(name) ? `exports.${short.get(name)}` : use);
    fs.writeFileSync(path.join(BUNDLE_DIR, path.relative(JS_DIR, file)), text);
  }
  fs.writeFileSync(path.join(BUNDLE_DIR, 'glue.mjs'), glue);
  fs.writeFileSync(path.join(BUNDLE_DIR, 'wasm.mjs'), wasmModule(imports, start));
  const result = await esbuild.build({
    entryPoints: [path.join(BUNDLE_DIR, 'entry.mjs')],
    bundle: true, write: false, format: 'iife', target: 'es2022', charset: 'utf8', logLevel: 'warning',
    minifySyntax: true, // Names stay as they are until `usedExports` has read them.
    // Whatever goes wrong while the script starts is not the page's problem.
    banner: { js: 'try{' }, footer: { js: '}catch{}' },
  });
  return result.outputFiles[0].text;
}

function wasmModule(imports, start) {
  const sources = [...new Set(imports.map(i => i.module))];
  const fileOf = module => module === './glue_bg.js' ? './glue.mjs' : ownSnippetsBeside(`'${module}'`).slice(1, -1);
  const lines = sources.map((module, n) => `import * as from${n} from '${fileOf(module)}';`);
  const names = [...new Set(imports.map(i => i.as ?? i.module))];
  const row = i => `${i.short ?? i.name}: from${sources.indexOf(i.module)}.${i.name}`;
  const table = names.map(as => `${JSON.stringify(as)}: {${imports.filter(i => (i.as ?? i.module) === as).map(row)}}`);
  return [
    ...lines,
    `export const bytes = () => Uint8Array.from("${PLACEHOLDER}", c => c.charCodeAt() - ${SHIFT});`,
    `export const imports = {${table.join(', ')}};`,
    // A module that has nothing to do at its start exports nothing for it.
    start ? `export const start = exports => exports.${start}();` : 'export const start = () => {};',
  ].join('\n');
}

async function minified(js) {
  const result = await minify(js, {
    ecma: 2022, compress: { passes: 4, inline: 1, unsafe_arrows: true, pure_getters: true }, mangle: true,
  });
  return result.code;
}

// Each byte is a character of its value plus SHIFT, but those that a string or an old charset guess could trip over
// (control characters, `"`, `\`) are moved up by 256; an Uint8Array takes the rest of the division by 256.
function asLiteral(bytes) {
  const moved = byte => byte < 32 || byte === 34 || byte === 92 || (byte > 126 && byte < 160);
  return `"${Array.from(bytes, byte => (byte + SHIFT) & 255).map(code => String.fromCharCode(moved(code) ? code + 256 : code)).join('')}"`;
}

function check(file, literal, wasm) {
  new vm.Script(file.slice(BYTE_ORDER_MARK.length));
  const read = Uint8Array.from(vm.runInNewContext(literal), c => c.charCodeAt(0) - SHIFT);
  if (Buffer.compare(read, wasm) !== 0) throw new Error('the wasm does not read back from its string');
  new WebAssembly.Module(read);
}

function measure(content) {
  const bytes = Buffer.from(content);
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT } = zlib.constants;
  const params = { [BROTLI_PARAM_QUALITY]: 11, [BROTLI_PARAM_SIZE_HINT]: bytes.length };
  return { raw: bytes.length, gzip: zlib.gzipSync(bytes, { level: 9 }).length, brotli: zlib.brotliCompressSync(bytes, { params }).length };
}

function compiled(file) {
  return new WebAssembly.Module(fs.readFileSync(file));
}

function binaryen(tool, ...args) {
  const program = path.join(TOOLS, 'node_modules/binaryen/bin', tool);
  return execFileSync(process.execPath, [program, ...args], { encoding: 'utf8', maxBuffer: 1 << 26 });
}

function filesIn(dir) {
  return fs.readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile()).map(entry => path.join(entry.parentPath ?? entry.path, entry.name)).sort();
}

function hashOf(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file}\0`).update(fs.readFileSync(file)).update('\0');
  return hash.digest('hex');
}
