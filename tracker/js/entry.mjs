// The tracker's start: wakes the wasm that travels in this very file.
//
// `cargo xtask build` (xtask/npm/pack.mjs) bundles this file with two modules
// that it makes:
//   ./glue.mjs  wasm-bindgen's side of the wasm: `__wbg_set_wasm`, and every
//               `#[wasm_bindgen]` function of the crate under its own name;
//               functions never imported here are cut out of the wasm too
//   ./wasm.mjs  text     the wasm, a character a byte: `charCodeAt() & 255`;
//                        use it exactly once
//               imports  what `WebAssembly.instantiate` wants
//               start    calls the wasm's start function: `start(exports)`
// Files beside this one may be imported here, by `#[wasm_bindgen(module =
// "/js/NAME.mjs")]`, or by both: they are one module.
//
// The pack step puts the whole script into a function and into `try`, so nothing thrown
// here reaches the page. A promise is another matter: catch what it rejects.
// `document.currentScript` is only known before the first `await`.
import { __wbg_set_wasm } from './glue.mjs';
import { text, imports, start } from './wasm.mjs';

// A byte array keeps only the low 8 bits of what it is given.
WebAssembly.instantiate(Uint8Array.from(text, c => c.charCodeAt()), imports)
  .then(({ instance: { exports } }) => {
    __wbg_set_wasm(exports);
    start(exports);
  })
  .catch(() => {}); // no wasm here (a content policy, a locked-down browser): a page without a tracker
