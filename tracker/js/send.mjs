// Requests, timers, and words for who wants them.
import { flush, landed } from './glue.mjs';
import { read } from './page.mjs';

let server, is_debug;
export const send_to = options => { ({ server, debug: is_debug } = options); };
export const tell = what => { if (is_debug) try { console.warn('LogDig:', what); } catch {} };

// `fetch` is looked up at each call, so that what a page puts in its place sees ours too.
export const send = async (at, n_bytes, flight) => {
  let status = 0, wait_s = 0;
  try {
    const body = read(at, n_bytes);
    const signal = AbortSignal.timeout?.(3e4);
    const answer = await fetch(server, { method: 'POST', body, keepalive: true, credentials: 'omit', signal });
    status = answer.status;
    wait_s = +answer.headers.get('Retry-After') || 0;
    if (is_debug) tell(await answer.text());
  } catch (error) {
    await 0; // a `fetch` that throws at once must not call back while Rust is still calling
    tell(error);
  }
  try { landed(flight, status, wait_s * 1e3, Math.random()); } catch {}
};

// One timer, for the earliest time that is asked for: a wait that has ended early must not hold up what comes after it.
let timer, due_ms = 1 / 0;
export const flush_later = ms => {
  const at_ms = performance.now() + ms;
  if (at_ms >= due_ms) return;
  clearTimeout(timer);
  due_ms = at_ms;
  timer = setTimeout(() => {
    due_ms = 1 / 0;
    try { flush(false); } catch {}
  }, ms);
};
