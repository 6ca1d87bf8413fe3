// node pack.mjs BINDGEN_DIR JS_DIR WORK_DIR DIST_DIR
//
// Makes of the tracker what pages load. BINDGEN_DIR holds what wasm-bindgen's
// bundler target made (glue_bg.wasm, glue_bg.js, snippets/), JS_DIR our own
// part, WORK_DIR is ours to fill. Into DIST_DIR, which holds nothing else, go:
//
//   logdig.js         entry.mjs with the wasm in it: one classic script
//   logdig.PART.js    each of parts/*.mjs: an ES module, loaded when it is needed
//   logdig.nowasm.js  the wasm as JavaScript: an ES module, `export default imports => exports`
//   npm/index.js      npm.mjs with the wasm in it: an ES module
//
// Prints the sizes as one line of JSON. A bundle is tried first only to see
// which exports of the wasm the JavaScript touches; all others go, and with
// them the code behind them. Then names get short, the JavaScript is minified,
// and the wasm goes in as a string.
import fs from 'node:fs';
import path from 'node:path';
import vm from 'node:vm';
import { fileURLToPath } from 'node:url';
import { PLACEHOLDER, Sources, minified, usedExports, withNames } from './bundle.mjs';
import { asLiteral, filesIn, hashOf, measure } from './bytes.mjs';
import { asJavaScript, shipped, withShortNames, withoutUnusedExports } from './wasm.mjs';

const TOOLS = path.dirname(fileURLToPath(import.meta.url));
const [BINDGEN_DIR, JS_DIR, WORK_DIR, DIST_DIR] = process.argv.slice(2);
const STAMP = path.join(WORK_DIR, 'packed.json');
// A byte order mark beats every charset a page or server may name, and the string is not ASCII.
// A module needs none: those are UTF-8 by definition, to browsers as to bundlers.
const BYTE_ORDER_MARK = '\ufeff';
// What starts the tracker, and how it is bundled: in the drop-in script, whatever goes wrong while it starts is not the
// page's problem; the package's parts are left for the bundler of who uses it.
const SCRIPT = ['entry.mjs', { format: 'iife', banner: { js: 'try{' }, footer: { js: '}catch{}' } }];
const MODULE = ['npm.mjs', { format: 'esm', external: ['./logdig.*'] }];

const tools = fs.readdirSync(TOOLS).filter(name => /\.mjs$|-lock\.json$/.test(name)).map(name => path.join(TOOLS, name));
const inputs = hashOf([...filesIn(BINDGEN_DIR), ...filesIn(JS_DIR), ...tools]);
console.log(JSON.stringify(sizesIfUnchanged() ?? await pack()));

async function pack() {
  fs.rmSync(WORK_DIR, { recursive: true, force: true });
  const sources = new Sources(BINDGEN_DIR, JS_DIR, path.join(WORK_DIR, 'js'));
  const used = async from => new Set([
    ...usedExports(await sources.bundle(SCRIPT[0], from, SCRIPT[1])),
    ...usedExports(await sources.bundle(MODULE[0], from, MODULE[1])),
  ]);
  const lean = await withoutUnusedExports(path.join(BINDGEN_DIR, 'glue_bg.wasm'), WORK_DIR, used);
  const named = withShortNames(lean, WORK_DIR);
  const wasm = shipped(named.file, WORK_DIR);
  const core = async ([entry, options]) => {
    const js = withNames(await sources.bundle(entry, named, options), named.short);
    return minified(js, { module: options.format === 'esm' });
  };
  const [script, module] = [await core(SCRIPT), await core(MODULE)];
  const files = {
    'logdig.js': BYTE_ORDER_MARK + withWasm(script, wasm),
    'logdig.nowasm.js': await minified(asJavaScript(named.file, WORK_DIR), { module: true }),
    'npm/index.js': withWasm(module, wasm),
  };
  for (const part of sources.parts())
    files[`logdig.${part}.js`] = await minified(await sources.bundlePart(part), { module: true });
  new vm.Script(files['logdig.js']);
  return write(files, { wasm: measure(wasm), js: measure(script) });
}

function withWasm(js, wasm) {
  const [before, after, ...more] = js.split(`"${PLACEHOLDER}"`);
  if (after === undefined || more.length > 0) throw new Error('the wasm text must be used exactly once');
  return before + asLiteral(wasm) + after;
}

function write(files, sizes) {
  fs.rmSync(DIST_DIR, { recursive: true, force: true });
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(DIST_DIR, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, content);
    files[name] = measure(content);
  }
  const made = { ...sizes, files };
  fs.writeFileSync(STAMP, JSON.stringify({ inputs, outputs: hashOf(filesIn(DIST_DIR)), sizes: made }));
  return made;
}

// Unchanged files are left alone: what is built from them need not be built again.
function sizesIfUnchanged() {
  if (!fs.existsSync(STAMP) || !fs.existsSync(DIST_DIR)) return undefined;
  const stamp = JSON.parse(fs.readFileSync(STAMP, 'utf8'));
  return stamp.inputs === inputs && stamp.outputs === hashOf(filesIn(DIST_DIR)) ? stamp.sizes : undefined;
}
