// Starts the tracker: loads the wasm, listens from the first moment on, hands everything to Rust.
//
// The packer (xtask/npm/pack.mjs) makes the two modules imported here that are in no folder:
//   glue.mjs  what wasm-bindgen wrote: the exported Rust functions, and `__wbg_set_wasm` to give it the instance
//   wasm.mjs  `text`: the wasm, a character a byte (see asLiteral there); `imports`: what it needs;
//             `start(exports)`: its first call
// Everything runs inside a try: what fails here must not become the page's problem.
import { __wbg_set_wasm, begin, clicked, flush, hidden, hurry, shown, tick, url_changed } from './glue.mjs';
import { text, imports, start } from './wasm.mjs';

const script = document.currentScript || document.querySelector('script[data-token]');
const { dataset, src } = script;
const early = [];
let is_ready = 0;

// A call into Rust that can't throw into the page. After a trap nothing is called any more: what is queued in the
// browser's storage waits for the next page.
const safely = call => (...values) => {
  if (is_ready) try { return call(...values); } catch { is_ready = 0; }
};

const on = (target, name, call) => target.addEventListener(name, call, { capture: true, passive: true });

// Clicks before the wasm is there wait; an event's path is gone by then, so what it hit is kept beside it.
const click = (event, target = event.composedPath()[0]) =>
  is_ready ? safely(clicked)(event, target) : early.length < 99 && early.push([event, target]);

const watch = () => {
  const check = safely(url_changed);
  const { navigation, history } = self;
  if (navigation) on(navigation, 'currententrychange', check);
  else for (const name of ['pushState', 'replaceState']) {
    const original = history[name];
    history[name] = function () {
      try { return original.apply(this, arguments); } finally { check(); }
    };
  }
  on(self, 'popstate', check);
  on(self, 'hashchange', check);
  // The original looked at the address when the page changed. So do we, at most once a second.
  const observer = new MutationObserver(() => {
    observer.disconnect();
    check();
    setTimeout(observe, 1e3);
  });
  const observe = () => observer.observe(document, { childList: true, subtree: true });
  observe();
};

// One tracker a page, whichever copy comes first.
if (!self.logdig && !navigator.globalPrivacyControl) {
  self.logdig = { flush: safely(flush) };
  on(self, 'click', click);
  WebAssembly.instantiate(Uint8Array.from(text, c => c.charCodeAt()), imports).then(({ instance: { exports } }) => {
    __wbg_set_wasm(exports);
    start(exports);
    is_ready = 1;
    safely(begin)(dataset.token, dataset.server || new URL('.', src).href);
    for (const [event, target] of early) click(event, target);
    watch();
    on(document, 'visibilitychange', () => document.hidden && safely(hidden)(false));
    on(self, 'pagehide', () => safely(hidden)(true));
    on(self, 'pageshow', event => event.persisted && safely(shown)());
    on(self, 'online', () => safely(hurry)());
    setInterval(safely(tick), 3e4);
  }).catch(() => {});
}
