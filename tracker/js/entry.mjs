// Starts the tracker: loads the wasm, listens from the first moment on, tells Rust what happened.
//
// The packer (xtask/npm/pack.mjs) makes the two modules imported here that are in no folder:
//   glue.mjs  what wasm-bindgen wrote: the exported Rust functions, and `__wbg_set_wasm` to give it the instance
//   wasm.mjs  `text`: the wasm, a character a byte (see asLiteral there); `imports`: what it needs;
//             `start(exports)`: its first call
// Everything runs inside a try: what fails here must not become the page's problem.
import { let_go, tick } from './care.mjs';
import { __wbg_set_wasm, clicked, entered, flush, hurry, viewed } from './glue.mjs';
import { introduce, look, survey } from './page.mjs';
import { send_to } from './send.mjs';
import { text, imports, start } from './wasm.mjs';

const script = document.currentScript || document.querySelector('script[data-token]');
const { dataset, src } = script;
const early = [];
let is_ready = 0, address;

// What must not throw into the page. After a trap Rust does nothing any more: what is queued in the browser's storage
// waits for the next page.
const safely = act => value => {
  if (is_ready) try { act(value); } catch {}
};
const on = (target, name, act) => target.addEventListener(name, act, { capture: true, passive: true });

const view = from => {
  address = location.href;
  survey(from);
  viewed();
};
const check = safely(() => address === location.href || view(address));
const enter = safely(() => {
  introduce(dataset.token);
  entered();
  view(document.referrer);
});
const hide = safely(is_leaving => {
  check();
  flush(true);
  if (is_leaving) let_go();
});
const click = safely(([event, target]) => {
  check();
  if (look(event, target)) clicked(event.timeStamp);
});
// Clicks before the wasm is there wait; an event's path is gone by then, so what it hit is kept beside it.
const hear = event => {
  const heard = [event, event.composedPath()[0]];
  if (is_ready) click(heard);
  else if (early.length < 99) early.push(heard);
};

const watch = () => {
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
  self.logdig = { flush: safely(() => flush(false)) };
  on(self, 'click', hear);
  WebAssembly.instantiate(Uint8Array.from(text, c => c.charCodeAt()), imports).then(({ instance: { exports } }) => {
    __wbg_set_wasm(exports);
    start(exports);
    is_ready = 1;
    send_to(dataset.server || new URL('.', src).href);
    enter();
    early.forEach(click);
    on(document, 'visibilitychange', () => document.hidden && hide());
    on(self, 'pagehide', () => hide(true));
    on(self, 'pageshow', event => event.persisted && enter());
    on(self, 'online', safely(hurry));
    setInterval(safely(tick), 3e4);
    watch(); // last: a page may have broken what it needs
  }).catch(() => {});
}
