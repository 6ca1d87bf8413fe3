// Starts the tracker: loads the wasm, listens from the first moment on, tells Rust what happened.
//
// The packer (xtask/npm/pack.mjs) makes the two modules imported here that are in no folder:
//   glue.mjs  what wasm-bindgen wrote: the exported Rust functions, and `__wbg_set_wasm` to give it the instance
//   wasm.mjs  `bytes()`: the wasm; `imports`: what it needs; `start(exports)`: its first call
// What fails here must not become the page's problem: whatever a page calls, or calls us, runs inside a try.
import { is_out, let_go, set_out, store_in, tick, visitor, wipe } from './care.mjs';
import { __wbg_set_wasm, entered, flush, recorded, stopped } from './glue.mjs';
import { attach, begin_document, clean, clickable, is_echo, is_ignored, instant, place, read_for, show, survey } from './page.mjs';
import { send_to, tell } from './send.mjs';
import { bytes, imports, start as prepare } from './wasm.mjs';

// The numbers by which Rust knows the kinds of logs (KINDS in tracker.rs); parts/more.mjs has the others.
const VIEW = 0, CLICK = 1, LEAVE = 2, CUSTOM = 6, EXPOSURE = 7;
const EARLY_MAX = 99;
// A view that is left is left more than once, milliseconds apart: at `pagehide`, and when the page is hidden.
const ENGAGED_MS_MIN = 50;
// As many as the collector takes, in bytes; a text of more characters has more bytes.
const PROPS_BYTES_MAX = 2048;

const on = (target, name, act) => target.addEventListener(name, act, { capture: true, passive: true });
const load = async part => {
  try {
    return (await WebAssembly.instantiate(bytes(), imports)).instance.exports;
  } catch {
    return (await part('nowasm')).default(imports);
  }
};

// `options`: the attributes of the tag (docs/TRACKER.md). `part`: gives a promise of a part, by its name. `stub`: what
// stood in for the tracker until now: its listener `l`, the clicks `c` that it heard and the calls `q` that it took.
export const start = (options, part, stub = {}) => {
  // What is off is there, and nothing: some options are on without a word.
  for (const name in options) if (options[name] === 'off') options[name] = null;
  const { consent } = options;
  // What waits until logging may begin.
  let early = [];
  let is_loaded, is_on, is_granted = !consent;
  let address, user_id, more, vitals;
  // Engaged: visible and focused; `since`: from when on, where it is.
  let engaged_ms = 0, since = 0, scroll_max;
  const arrived_ms = performance.now();

  // After a trap Rust does nothing any more: what is queued in the browser's storage waits for the next page.
  const guard = act => (...values) => {
    try { act(...values); } catch (error) { tell(error); }
  };
  const safely = act => guard((...values) => is_on && act(...values));
  const soon = act => {
    if (is_on) safely(act)();
    else if ((is_granted || consent === 'wait') && !is_out() && early.length < EARLY_MAX) early.push(act);
  };

  // What is logged is read from the page at once and written down in a task of its own, so that no click waits for it.
  let logs = [];
  const settle = () => { for (const write of logs.splice(0)) write(); };
  const log = (kind, numbers, [link, ...texts], at_ms = performance.now(), is_draft) => {
    const all_texts = [instant(at_ms), address, link, user_id, ...texts];
    const write = () => {
      // Rust asks for it right after: numbers from `x, y` on, texts from `link` on.
      show(numbers, all_texts);
      recorded(kind, at_ms, is_draft);
    };
    if (logs.push(write) < 2) setTimeout(safely(settle));
  };
  // What happened nowhere on the page.
  const note = (kind, numbers, texts, is_draft) =>
    log(kind, [NaN, NaN, ...numbers], [address, ...texts], undefined, is_draft);

  const tally = () => {
    const now = performance.now();
    // A computer that slept was not looked at; one that is awake comes here every 5 s.
    if (since) engaged_ms += Math.min(now - since, 1e4);
    since = !document.hidden && document.hasFocus() ? now : 0;
  };
  const measure_scroll = () => {
    const reached = (scrollY + innerHeight) / document.documentElement.scrollHeight * 100;
    scroll_max = Math.max(scroll_max, Math.min(Math.round(reached), 100));
  };
  // A draft stays in the browser's storage: who finds it there sends it, should this document end unseen.
  const leave = is_draft => {
    const was_engaged = since;
    if (!is_draft) more?.left();
    tally();
    // A draft of what has not grown was kept before.
    if (engaged_ms < ENGAGED_MS_MIN || is_draft && !was_engaged) return;
    note(LEAVE, [Math.round(engaged_ms), scroll_max, ...vitals?.() ?? []], [], is_draft);
    if (!is_draft) engaged_ms = 0;
  };

  const view = (from, at_ms) => {
    address = clean(location.href);
    scroll_max = 0;
    measure_scroll();
    const [numbers, texts] = survey(from);
    log(VIEW, numbers, [address, ...texts], at_ms);
  };
  const check = () => {
    const from = address;
    if (from === clean(location.href)) return;
    leave();
    vitals = null; // they are of the page that was loaded
    view(from);
  };
  const enter = at_ms => {
    begin_document();
    show([], [options.token, navigator.userAgent, ...visitor()]);
    entered();
    tally();
    view(clean(document.referrer), at_ms);
  };
  const send = is_urgent => { settle(); flush(is_urgent); };
  const hide = is_leaving => {
    check();
    leave();
    send(1);
    if (is_leaving) let_go();
  };
  const click = (event, target) => {
    check();
    const element = clickable(target);
    if (is_ignored(target) || element && is_echo(event)) return;
    let seen;
    const see = () => seen ??= place(event, element ?? target);
    if (element) log(CLICK, ...see(), event.timeStamp);
    more?.clicked(event, element, see);
  };
  // An event's path is gone once it was handled, so what it hit is kept beside it.
  const hear = guard(event => {
    const target = event.composedPath()[0];
    soon(() => click(event, target));
  });

  // What is seldom needed comes when nothing else is to do, once.
  let bring_parts = guard(() => {
    const { rage, dead, move } = options;
    if (rage !== null || dead !== null || move)
      part('more').then(({ default: add }) => { more = add({ options, on, safely, log, note }); }).catch(tell);
    if (options.vitals) part('vitals').then(({ default: measure }) => { vitals = measure(); }).catch(tell);
  });
  const begin = (at_ms = arrived_ms) => {
    if (!is_loaded || is_on || !is_granted || is_out() || document.prerendering) return;
    is_on = 1;
    safely(enter)(at_ms);
    for (const act of early.splice(0)) safely(act)();
    if (bring_parts) (self.requestIdleCallback ?? setTimeout)(bring_parts);
    bring_parts = 0;
  };
  const stop = () => {
    is_on = 0;
    early = [];
    logs = [];
    if (is_loaded) stopped();
    wipe();
  };

  const watch = () => {
    const { navigation, history } = self, act = safely(check);
    if (navigation) on(navigation, 'currententrychange', act);
    else for (const name of ['pushState', 'replaceState']) {
      const original = history[name];
      history[name] = function () {
        try { return original.apply(this, arguments); } finally { act(); }
      };
    }
    // The original looked at the address when the page changed. So do we, at most once a second.
    const observer = new MutationObserver(guard(() => {
      observer.disconnect();
      act();
      setTimeout(observe, 1e3);
    }));
    const observe = guard(() => observer.observe(document, { childList: true, subtree: true }));
    observe();
  };
  const listen = () => {
    on(document, 'visibilitychange', safely(() => document.hidden ? hide() : tally()));
    on(self, 'pagehide', safely(() => hide(true)));
    on(self, 'pageshow', safely(event => event.persisted && enter()));
    for (const name of ['focus', 'blur', 'popstate', 'hashchange']) on(self, name, safely(() => { tally(); check(); }));
    on(document, 'scroll', safely(measure_scroll));
    on(self, 'online', safely(() => send(1)));
    on(document, 'prerenderingchange', () => begin(performance.now()));
    on(self, 'storage', safely(() => is_out() && stop())); // in another tab
    guard(watch)(); // a page may have broken what it needs
    setInterval(safely(() => leave(true)), 5e3);
    setInterval(safely(tick), 3e4);
  };
  const controls = {
    consent: answer => (is_granted = answer === 'granted') ? begin() : stop(),
    optOut: () => { set_out(1); stop(); },
    optIn: () => { set_out(0); begin(); },
  };
  const records = {
    event: (name, { props, value, currency } = {}) => {
      const json = JSON.stringify(props) ?? '';
      // Rust would cut it, and what is left were no JSON.
      if (json.length > PROPS_BYTES_MAX) throw 'props too long';
      note(CUSTOM, [+value], [name, json, currency]);
    },
    exposure: (experiment, variation) => note(EXPOSURE, [], [experiment, variation]),
    identify: id => { user_id = id; },
    flush: () => send(),
  };
  const command = (word, ...values) => {
    try {
      if (controls[word]) controls[word](...values);
      else soon(() => records[word](...values));
    } catch (error) { tell(error); }
  };

  store_in(options);
  read_for(options);
  send_to(options);
  if (navigator.globalPrivacyControl && options.gpc !== null || options.dnt && navigator.doNotTrack === '1') return () => {};
  on(self, 'click', hear);
  load(part).then(exports => {
    __wbg_set_wasm(exports);
    attach(exports);
    prepare(exports);
    is_loaded = 1;
    begin();
    listen();
  }).catch(tell);
  if (stub.l) removeEventListener('click', stub.l, true);
  for (const [event, target] of stub.c ?? []) soon(() => click(event, target));
  for (const call of stub.q ?? []) command(...call);
  return command;
};
