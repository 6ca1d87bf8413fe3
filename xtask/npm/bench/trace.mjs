// What a page's main thread did, from a trace. CPU time of the thread (`tdur`), not of the clock: other programs on the
// machine do not count.

// `v8.execute` and `v8.wasm` show promise jobs and compiling that `devtools.timeline` leaves out.
export const CATEGORIES = ['devtools.timeline', 'v8.execute', 'v8.wasm', 'blink.user_timing'];
// Stands between the load and the clicks.
export const MARK = 'bench:loaded';

// Time in which the main thread works for scripts: compiling, running, collecting garbage, and what they force.
const WORK = new Set([
  'v8.compile', 'v8.compileModule', 'v8.evaluateModule', 'EvaluateScript', 'FunctionCall', 'EventDispatch', 'TimerFire',
  'FireAnimationFrame', 'FireIdleCallback', 'RunMicrotasks', 'MinorGC', 'MajorGC',
  'wasm.AsyncCompile', 'wasm.FinishAsyncCompile', 'wasm.AsyncInstantiate', 'wasm.SyncInstantiate', 'wasm.CompileLazy',
]);
const FORCED = { Layout: 'layouts', UpdateLayoutTree: 'styles' };

// One visit: a load, then `clicks` clicks. `click_us` is what the page waits for, the work inside the events of a click;
// `rest_us` is the work that comes later, timers and promises, for all clicks together.
export function analyse(events, clicks) {
  const mark = events.find(({ name }) => name === MARK);
  const { work, forced } = outermost(events.filter(e => e.ph === 'X' && e.pid === mark.pid && e.tid === mark.tid), mark.ts);
  const load = work.filter(({ ts }) => ts < mark.ts), after = work.filter(({ ts }) => ts >= mark.ts);
  const click_us = perClick(after.filter(({ name }) => name === 'EventDispatch'));
  if (click_us.length !== clicks) throw new Error(`${clicks} clicks were made, ${click_us.length} arrived`);
  return {
    load_ms: total(load) / 1e3, click_us,
    rest_us: total(after.filter(({ name }) => name !== 'EventDispatch')), ...forced,
  };
}

// Work that is not inside other work, and how often a style or a layout was forced inside of it after the mark.
function outermost(events, from) {
  const work = [], forced = { layouts: 0, styles: 0 };
  let end = 0;
  for (const event of events.sort((a, b) => a.ts - b.ts || b.dur - a.dur)) {
    const { name, ts, dur } = event;
    if (ts < end) {
      if (ts >= from && name in FORCED) forced[FORCED[name]] += 1;
    } else if (WORK.has(name)) {
      work.push(event);
      end = ts + dur;
    }
  }
  return { work, forced };
}

// A click is many events: what came since the click before it, up to the one that is called `click`.
function perClick(dispatched) {
  const clicks = [];
  let sum = 0;
  for (const { args, tdur } of dispatched) {
    sum += tdur;
    if (args.data.type !== 'click') continue;
    clicks.push(sum);
    sum = 0;
  }
  return clicks;
}

const total = events => events.reduce((sum, { tdur }) => sum + tdur, 0);
