// Requests and timers.
import { flush, landed } from './glue.mjs';

let server;
export const send_to = url => { server = url; };

// `fetch` is looked up at each call, so that what a page puts in its place sees ours too.
export const send = async (body, flight) => {
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
export const beacon = body => navigator.sendBeacon(server, body);

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
