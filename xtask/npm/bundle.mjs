// What is done to the JavaScript: ours and wasm-bindgen's become one, and small.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import esbuild from 'esbuild';
import { minify } from 'terser';
import { decoder } from './bytes.mjs';

// Stands for the wasm until everything else is minified: no tool sees the real string.
export const PLACEHOLDER = '@wasm@';
// Libraries that parts are built with.
const LIBRARIES = fileURLToPath(new URL('node_modules', import.meta.url));
// An export in use: `wasm.` in what wasm-bindgen wrote, `exports.` in ours.
// The bundler writes file names into comments: `…/wasm.mjs` is no use of an export.
const USE = /(?<![\w$./])(wasm\d*|exports)\.([\w$]+)/g;
const COMMON = { bundle: true, write: false, target: 'es2022', charset: 'utf8', logLevel: 'warning', nodePaths: [LIBRARIES] };

// Bundles entries of `dir` with the modules that are made here: glue.mjs and wasm.mjs (see core.mjs).
export class Sources {
  // `dir` is ours to fill.
  constructor(bindgenDir, jsDir, dir) {
    this.dir = dir;
    fs.cpSync(jsDir, dir, { recursive: true });
    const snippets = path.join(bindgenDir, 'snippets');
    if (fs.existsSync(snippets)) fs.cpSync(snippets, path.join(dir, 'snippets'), { recursive: true });
    const glue = fs.readFileSync(path.join(bindgenDir, 'glue_bg.js'), 'utf8');
    fs.writeFileSync(path.join(dir, 'glue.mjs'), this.#ownSnippetsBeside(glue));
  }

  // Names of the parts, which are loaded when they are needed.
  parts() {
    return fs.readdirSync(path.join(this.dir, 'parts')).map(name => path.parse(name).name).sort();
  }

  // For a wasm with these imports and exports. Names stay as they are, so that `usedExports` can read them.
  async bundle(entry, { imports, exports }, options) {
    fs.writeFileSync(path.join(this.dir, 'wasm.mjs'), this.#wasmModule(imports, exports.includes('__wbindgen_start')));
    const entryPoints = [path.join(this.dir, entry)];
    const result = await esbuild.build({ ...COMMON, entryPoints, minifySyntax: true, ...options });
    return result.outputFiles[0].text;
  }

  // A part knows neither the core nor the wasm.
  async bundlePart(part) {
    const entryPoints = [path.join(this.dir, 'parts', `${part}.mjs`)];
    return (await esbuild.build({ ...COMMON, entryPoints, format: 'esm' })).outputFiles[0].text;
  }

  // wasm-bindgen copies files named by `#[wasm_bindgen(module = "/js/…")]` to snippets/<crate>-<hash>/js/.
  // Those are files of ours; one module must not become two, so the glue imports the file itself.
  #ownSnippetsBeside(glue) {
    return glue.replace(/'\.\/snippets\/[^/']+\/js\/([^']+)'/g, (import_, name) =>
      fs.existsSync(path.join(this.dir, name)) ? `'./${name}'` : import_);
  }

  #wasmModule(imports, hasStart) {
    const sources = [...new Set(imports.map(i => i.module))];
    const fileOf = module => module === './glue_bg.js' ? './glue.mjs' : this.#ownSnippetsBeside(`'${module}'`).slice(1, -1);
    const lines = sources.map((module, n) => `import * as from${n} from '${fileOf(module)}';`);
    const names = [...new Set(imports.map(i => i.as ?? i.module))];
    const row = i => `${i.short ?? i.name}: from${sources.indexOf(i.module)}.${i.name}`;
    const table = names.map(as => `${JSON.stringify(as)}: {${imports.filter(i => (i.as ?? i.module) === as).map(row)}}`);
    return [
      ...lines,
      `export const bytes = () => ${decoder(`"${PLACEHOLDER}"`)};`,
      `export const imports = {${table.join(', ')}};`,
      // A module that has nothing to do at its start exports nothing for it.
      hasStart ? 'export const start = exports => exports.__wbindgen_start();' : 'export const start = () => {};',
    ].join('\n');
  }
}

export function usedExports(js) {
  return new Set([...js.matchAll(USE)].map(([, , name]) => name));
}

// `short`: the exports' names in the wasm by those in the JavaScript.
export function withNames(js, short) {
  return js.replace(USE, (use, object, name) => {
    if (!short.has(name)) throw new Error(`the JavaScript calls what the wasm does not export: ${name}`);
    return `${object}.${short.get(name)}`;
  });
}

export async function minified(js, options) {
  const compress = { passes: 4, inline: 1, unsafe_arrows: true, pure_getters: true, booleans_as_integers: true };
  const result = await minify(js, { ecma: 2022, compress, mangle: true, ...options });
  return result.code;
}
