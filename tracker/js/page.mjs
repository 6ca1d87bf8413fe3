// What Rust asks of the page that is shorter, or safer, said in JavaScript.
// The bundler joins this file, the glue and entry.mjs; the names are minified.
import { adopt, flush, landed } from './glue.mjs';

const { locks } = navigator;
let release, held;

// Locks from here on are held until `release_locks`: at the latest until the document is gone.
export const hold_locks = () => { held = new Promise(resolve => { release = resolve; }); };
export const release_locks = () => release();
export const has_locks = () => !!locks;

// Takes the lock of a document if nobody has it, then adopts what it left behind.
export const try_lock = document => {
  locks.request('logdig.' + document, { ifAvailable: true }, lock => lock && (adopt(document), held)).catch(() => {});
};

// `fetch` is looked up at each call, so that what a page puts in its place sees ours too.
export const send = async (server, body, flight) => {
  let status = 0, wait_s = 0;
  try {
    const signal = AbortSignal.timeout?.(3e4);
    const answer = await fetch(server, { method: 'POST', body, keepalive: true, credentials: 'omit', signal });
    status = answer.status;
    wait_s = +answer.headers.get('Retry-After') || 0;
  } catch {
    await 0; // a `fetch` that throws at once must not call back while Rust is still calling
  }
  try { landed(flight, status, wait_s * 1e3); } catch {}
};

// Firefox before 133: there only a beacon outlives the page.
export const outlives_page = () => 'keepalive' in Request.prototype;
export const beacon = (server, body) => navigator.sendBeacon(server, body);

export const iso = ms => new Date(ms).toISOString();
export const time_zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;
export const host = element => element.getRootNode().host;

// One timer, however often it is asked for.
let timer;
export const flush_later = ms => {
  clearTimeout(timer);
  timer = setTimeout(() => { try { flush(); } catch {} }, ms);
};
