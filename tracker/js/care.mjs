// The browser's storage, and who takes care of the logs in it. Only this file touches `localStorage`.
//
//   logdig.user_key, logdig.load_count   who, and how many loads and logs
//   logdig.d.DOCUMENT                    what all waiting logs of a document share
//   logdig.q.DOCUMENT.SEQ                a waiting log: there is no append, so each has a name and nothing is rewritten
//   logdig.l.DOCUMENT                    without `navigator.locks`: until when somebody takes care, ms since 1970
//
// Reading `localStorage` throws where it is denied, writing where it is full: what is kept in memory too is enough then.
import { adopted, outdated } from './glue.mjs';
import { encode } from './page.mjs';

const COMMON = 'logdig.d.', LOG = 'logdig.q.', LEASE = 'logdig.l.', USER_KEY = 'logdig.user_key';
const AGE_MS_MAX = 2592e6; // 30 days

const get = name => { try { return localStorage.getItem(name); } catch {} };
const set = (name, value) => { try { localStorage.setItem(name, value); return true; } catch { return false; } };
const remove = name => { try { localStorage.removeItem(name); } catch {} };
const names = prefix => {
  try { return Object.keys(localStorage).filter(name => name.startsWith(prefix)).map(name => name.slice(prefix.length)); }
  catch { return []; }
};

let key = '', count = -1;
export const user_key = into => encode(get(USER_KEY) || key, into);
export const keep_user_key = made => { set(USER_KEY, key = made); };
export const raise_load_count = () => {
  set('logdig.load_count', count = +(get('logdig.load_count') ?? count) + 1);
  return count;
};

// What waits here, by the number that Rust knows a document by: its id, what its logs share, and its logs.
const origins = [];
const origin_of = (document, common) => origins.push({ document, common, logs: new Map() }) - 1;
const log_name = (document, seq) => `${LOG}${document}.${seq}`;

// What a document's logs share is kept first: without it no log is of use.
export const keep = (origin, seq, text) => {
  const { document, common, logs } = origins[origin];
  logs.set(seq, text);
  return set(COMMON + document, common) && set(log_name(document, seq), text);
};
export const common = (origin, into) => encode(origins[origin].common, into);
export const log = (origin, seq, into) => encode(origins[origin].logs.get(seq), into);
export const forget = (origin, seq, is_last) => {
  const { document, logs } = origins[origin];
  logs.delete(seq);
  remove(log_name(document, seq));
  if (is_last) remove(COMMON + document);
};

// A lock says that a document's logs are taken care of, by itself or by who adopted them, until `let_go`. Where there are
// no locks (plain http), a lease does; it outlives three ticks, since timers of background tabs are held back.
const { locks } = navigator;
let cared = new Set(), release, held;

const adopt = document => {
  const shared = get(COMMON + document), prefix = LOG + document + '.';
  const origin = origin_of(document, shared), oldest = new Date(Date.now() - AGE_MS_MAX).toISOString();
  const waiting = names(prefix).sort((a, b) => a - b);
  if (!waiting.length) remove(COMMON + document);
  for (const seq of waiting) try {
    const text = get(prefix + seq);
    origins[origin].logs.set(+seq, text);
    // A log's text begins with its timestamp; instants of ISO 8601 sort as texts.
    if (text.slice(14, 38) > oldest) adopted(origin, +seq, text.length);
    else forget(origin, +seq), outdated();
  } catch {}
};

const claim = (document, is_own) => {
  const take = () => { cared.add(document); is_own || adopt(document); return held; };
  if (cared.has(document)) return;
  if (locks) locks.request('logdig.' + document, { ifAvailable: true }, lock => lock && take()).catch(() => {});
  else if (!(get(LEASE + document) > Date.now())) take();
};

// A document begins: its logs are its own; soon it looks for what others left behind. Not at once: the page before it
// may be on its way into the back/forward cache, and asking for a lock that it has not quite let go would evict it.
export const open = (document, common) => {
  cared = new Set();
  held = new Promise(resolve => { release = resolve; });
  claim(document, 1);
  setTimeout(tick, 1e3);
  return origin_of(document, common);
};

// Every half a minute: who closed a tab may have left logs behind.
export const tick = () => {
  for (const document of names(COMMON)) claim(document);
  if (!locks) for (const document of cared) set(LEASE + document, Date.now() + 1e5);
};

// A document in the back/forward cache must hold nothing: whoever asks for its lock would evict it.
export const let_go = () => {
  for (const document of cared) remove(LEASE + document);
  release?.();
};
