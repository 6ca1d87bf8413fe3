// The browser's storage, and who takes care of the logs in it. Only this file touches `localStorage` and cookies.
//
//   logdig.user_key, logdig.load_count   who, and how many loads and logs
//   logdig.d.DOCUMENT                    what all waiting logs of a document share
//   logdig.q.DOCUMENT.SEQ                a waiting log: there is no append, so each has a name and nothing is rewritten
//                                        but the draft of the document's next `leave`
//   logdig.l.DOCUMENT                    without `navigator.locks`: until when somebody takes care, ms since 1970
//   logdig.out                           the visitor opted out
//
// Reading `localStorage` throws where it is denied, writing where it is full: what is kept in memory too is enough then.
import { adopted } from './glue.mjs';
import { document_id, instant, random, read, write } from './page.mjs';

const COMMON = 'd.', LOG = 'q.', LEASE = 'l.', USER_KEY = 'user_key', LOAD_COUNT = 'load_count', OUT = 'out';
const AGE_MS_MAX = 2592e6; // 30 days
const COOKIE_S = 31536e3; // a year

// `storage`: none where nothing may be kept. `cookie`: for which domain, where there shall be one.
let prefix, storage, cookie, is_cookieless;
export const store_in = options => {
  ({ prefix = 'logdig.', cookie, cookieless: is_cookieless } = options);
  try { storage = is_cookieless ? 0 : localStorage; } catch {}
};

const get = name => { try { return storage.getItem(prefix + name); } catch {} };
const set = (name, value) => { try { storage.setItem(prefix + name, value); return true; } catch { return false; } };
const remove = name => { try { storage.removeItem(prefix + name); } catch {} };
const names = kind => {
  try {
    const begin = prefix + kind;
    return Object.keys(storage).filter(name => name.startsWith(begin)).map(name => name.slice(begin.length));
  } catch { return []; }
};

// That somebody opted out is remembered even where nothing else is.
export const is_out = () => { try { return localStorage.getItem(prefix + OUT); } catch {} };
export const set_out = is_out => {
  try { is_out ? localStorage.setItem(prefix + OUT, 1) : localStorage.removeItem(prefix + OUT); } catch {}
};
const bake = (key, age_s) => {
  if (cookie) document.cookie = `${prefix + USER_KEY}=${key};domain=${cookie};path=/;max-age=${age_s};samesite=lax`;
};
export const wipe = () => {
  for (const name of names('')) if (name !== OUT) remove(name);
  bake(key = '', 0);
};

let key, count = -1;
const cookie_key = () => {
  const begin = prefix + USER_KEY + '=';
  return cookie && document.cookie.split('; ').find(one => one.startsWith(begin))?.slice(begin.length);
};
// The visitor's key, made once; none where nothing may be kept: there the collector makes one that holds for a day.
export const visitor = () => {
  if (is_cookieless) return ['', 'daily'];
  key = cookie_key() || get(USER_KEY) || key || random(20);
  set(USER_KEY, key);
  bake(key, COOKIE_S);
  return [key];
};
export const raise_load_count = () => {
  set(LOAD_COUNT, count = +(get(LOAD_COUNT) ?? count) + 1);
  return count;
};

// What waits here, by the number that Rust knows a document by: its id, what its logs share, and its logs.
const origins = [];
const origin_of = (document, common) => origins.push({ document, common, logs: new Map() }) - 1;
const log_name = (document, seq) => `${LOG}${document}.${seq}`;

// In memory at any rate; gives whether the browser's storage has it too, and what the document's logs share, without which
// no log is of use.
let is_common_kept;
export const keep = (origin, seq, at, n_bytes) => {
  const { document, logs } = origins[origin], text = read(at, n_bytes);
  logs.set(seq, text);
  return is_common_kept && set(log_name(document, seq), text);
};
// Instead of a log, `seq` -1: now, and what the document's logs share. Now by the clock of their timestamps, where it is
// known: else by the visitor's.
export const log = (origin, seq, at, bytes_max) => {
  const { document, common, logs } = origins[origin];
  const now = () => document === document_id ? instant(performance.now()) : new Date().toISOString();
  return write(seq < 0 ? now() + common : logs.get(seq), at, bytes_max);
};
export const forget = (origin, seq) => {
  const { document, logs } = origins[origin];
  logs.delete(seq);
  remove(log_name(document, seq));
};

// A lock says that a document's logs are taken care of, by itself or by who adopted them, until `let_go`. Where there are
// no locks (plain http), a lease does; it outlives three ticks, since timers of background tabs are held back.
let cared = new Set(), release, held;

const adopt = document => {
  const shared = get(COMMON + document), kind = LOG + document + '.';
  const origin = origin_of(document, shared);
  const waiting = names(kind).sort((a, b) => a - b);
  if (!waiting.length) remove(COMMON + document);
  for (const seq of waiting) try {
    const text = get(kind + seq);
    origins[origin].logs.set(+seq, text);
    // A log's text begins with its timestamp.
    const is_old = Date.parse(text.slice(14, 38)) < Date.now() - AGE_MS_MAX;
    if (is_old) forget(origin, +seq);
    adopted(origin, +seq, is_old ? 0 : text.length);
  } catch {}
};

const claim = (document, is_own) => {
  const { locks } = navigator;
  const take = () => { cared.add(document); is_own || adopt(document); return held; };
  if (cared.has(document)) return;
  if (locks) try {
    locks.request(prefix + document, { ifAvailable: true }, lock => lock && take()).catch(() => {});
  } catch { take(); } // a page broke them
  else if (!(get(LEASE + document) > Date.now())) take();
};

// A document begins: its logs are its own; soon it looks for what others left behind. Not at once: the page before it
// may be on its way into the back/forward cache, and asking for a lock that it has not quite let go would evict it.
// What its logs share is kept before them. It goes when somebody looks for what was left behind.
export const open = (at, n_bytes) => {
  const common = read(at, n_bytes);
  is_common_kept = set(COMMON + document_id, common);
  cared = new Set();
  held = new Promise(resolve => { release = resolve; });
  claim(document_id, 1);
  setTimeout(() => { try { tick(); } catch {} }, 1e3);
  return origin_of(document_id, common);
};

// Every half a minute: who closed a tab may have left logs behind.
export const tick = () => {
  for (const document of names(COMMON)) claim(document);
  if (!navigator.locks) for (const document of cared) set(LEASE + document, Date.now() + 1e5);
};

// A document in the back/forward cache must hold nothing: whoever asks for its lock would evict it.
export const let_go = () => {
  for (const document of cared) remove(LEASE + document);
  release?.();
};
