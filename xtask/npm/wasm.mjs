// What is done to the wasm: what nobody calls goes, names get short, and a twin of it is made in JavaScript.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const BINARYEN = fileURLToPath(new URL('node_modules/binaryen/bin', import.meta.url));
// Rust puts the end of the stack into the first kilobyte, so no address there is ever worked with.
const SMALL = ['-Oz', '--converge', '--low-memory-unused'];

export const importsOf = file => WebAssembly.Module.imports(compiled(file));
export const exportsOf = file => WebAssembly.Module.exports(compiled(file)).map(({ name }) => name);

// Less exports, less code, less imports, less JavaScript that may use exports: until nothing more falls away.
// `usedExports` tells which ones the JavaScript uses where the wasm has these imports and exports.
export async function withoutUnusedExports(input, workDir, usedExports) {
  let wasm = input;
  for (let round = 0, before = Infinity; ; round++) {
    const [imports, all] = [importsOf(wasm), exportsOf(wasm)];
    if (imports.length === before) return wasm;
    before = imports.length;
    const used = await usedExports({ imports, exports: all });
    const graph = path.join(workDir, 'graph.json');
    fs.writeFileSync(graph, JSON.stringify([
      { name: 'javascript', root: true, reaches: all.filter(name => used.has(name)) },
      ...all.map(name => ({ name, export: name })),
    ]));
    const [lean, small] = ['lean', 'small'].map(name => path.join(workDir, `${name}${round}.wasm`));
    binaryen('wasm-metadce', wasm, `--graph-file=${graph}`, '-o', lean);
    binaryen('wasm-opt', ...SMALL, '--strip-debug', '--strip-producers', lean, '-o', small);
    wasm = small;
  }
}

// Gives the file, its imports with both names, the exports' long names, and their short ones by those.
// A pass of its own, since with --converge it would run, and print its map, more than once.
export function withShortNames(input, workDir) {
  const file = path.join(workDir, 'short.wasm');
  const map = JSON.parse(binaryen('wasm-opt', '--minify-imports-and-exports-and-modules', input, '-o', file));
  const long = new Map(map.imports.map(([module, name, short]) => [short, { module, name }]));
  const imports = importsOf(file).map(i => ({ ...long.get(i.name), as: i.module, short: i.name }));
  return { file, imports, exports: exportsOf(input), short: new Map(map.exports) };
}

// What pages get: without the note of which features it uses, which only binaryen reads.
export function shipped(input, workDir) {
  const file = path.join(workDir, 'shipped.wasm');
  binaryen('wasm-opt', '--strip-target-features', input, '-o', file);
  return fs.readFileSync(file);
}

// The same program as JavaScript, a module: `export default imports => exports`, with the names of the wasm.
// wasm2js would write imports for a bundler, and exports of the one instance that it makes: both go.
export function asJavaScript(input, workDir) {
  const [plain, js] = ['plain.wasm', 'plain.js'].map(name => path.join(workDir, name));
  // wasm2js does not know these two kinds of instructions.
  binaryen('wasm-opt', '--signext-lowering', '--llvm-nontrapping-fptoint-lowering', ...SMALL, input, '-o', plain);
  binaryen('wasm2js', '-Oz', plain, '-o', js);
  const [, body, ...more] = fs.readFileSync(js, 'utf8').split(/^import .*$|^var retasmFunc = /m);
  if (more.length !== 1 || !/function asmFunc\(imports\)/.test(body)) throw new Error('wasm2js writes otherwise than it did');
  if (/__wasm_memory_grow/.test(body)) throw new Error('memory that grows would leave the glue with views of the old one');
  return `${body}export default asmFunc;`;
}

function compiled(file) {
  return new WebAssembly.Module(fs.readFileSync(file));
}

function binaryen(tool, ...args) {
  return execFileSync(process.execPath, [path.join(BINARYEN, tool), ...args], { encoding: 'utf8', maxBuffer: 1 << 26 });
}
