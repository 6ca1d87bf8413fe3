// node soak.mjs CHROMIUM DIST_DIR WORK_DIR MINUTES
//
// Keeps two pages of the same site open, one with the tracker of DIST_DIR and one with none, and does the same in both,
// as a visitor who never rests would: clicks, scrolls, goes to other views, leaves for another tab and comes back, while
// the page changes itself. Prints what both hold, as one JSON object a line every 30 seconds.
import { pause, startBrowser } from './browser.mjs';
import { Site } from './site.mjs';
import { BLANK, logdig } from './trackers.mjs';

const [CHROMIUM, DIST, WORK, MINUTES] = process.argv.slice(2);
const SAMPLE_MS = 30e3;
const [STEP_MS, STEPS_A_SCROLL, STEPS_A_VIEW, STEPS_A_HIDING] = [250, 3, 20, 80];
const BUTTONS = [{ x: 50, y: 300 }, { x: 400, y: 300 }, { x: 700, y: 300 }];

// Ten changes a second: goods come and go, a text counts.
const MUTATE = `let changes = 0;
  setInterval(() => {
    const list = document.querySelector('ul'), first = list.firstElementChild;
    list.append(first.cloneNode(true));
    first.remove();
    document.querySelector('#count').textContent = ++changes;
  }, 100)`;
const VIEW = number => `history.pushState(null, '', '?view=${number}'); document.title = 'View ${number}'`;
const STORAGE = `Object.entries(localStorage).reduce((sum, [name, value]) => sum + name.length + value.length, 0)`;

const say = (kind, values) => console.log(JSON.stringify({ kind, ...values }));

const trackers = [BLANK, logdig(DIST, 'logdig', 'LogDig', 'data-move="on" data-vitals="on"')];
const site = await Site.start(trackers);
const browser = startBrowser(CHROMIUM, WORK, site.origin);
try {
  const visitors = await Promise.all(trackers.map(arrive));
  const start = Date.now(), end = start + MINUTES * 60e3;
  for (let step = 1, next = start + SAMPLE_MS; Date.now() < end; step++) {
    await Promise.all(visitors.map(visitor => act(visitor, step)));
    if (Date.now() < next) continue;
    const [blank, tracked] = await Promise.all(visitors.map(({ page }) => hold(page)));
    say('sample', { minutes: (Date.now() - start) / 60e3, steps: step, blank, tracked, ...site.takeWire() });
    next += SAMPLE_MS;
  }
} finally {
  await browser.close();
  site.close();
}

async function arrive(tracker) {
  const page = await browser.open();
  await page.goto(site.page(tracker));
  await page.evaluate(MUTATE);
  const other = await browser.openIn(page.ids.browserContextId);
  await page.send('Page.bringToFront');
  return { page, other };
}

async function act({ page, other }, step) {
  await page.click(BUTTONS[step % BUTTONS.length]);
  if (step % STEPS_A_SCROLL === 0) await scroll(page, step % 2 ? 400 : -400);
  if (step % STEPS_A_VIEW === 0) await page.evaluate(VIEW(step / STEPS_A_VIEW));
  if (step % STEPS_A_HIDING === 0) await hide(page, other);
  await pause(STEP_MS);
}

function scroll(page, deltaY) {
  return page.send('Input.dispatchMouseEvent', { type: 'mouseWheel', x: 400, y: 400, deltaX: 0, deltaY });
}

async function hide(page, other) {
  await other.send('Page.bringToFront');
  const seen = await page.evaluate('document.visibilityState');
  if (seen !== 'hidden') throw new Error(`the page is ${seen} behind another tab`);
  await pause(1e3);
  await page.send('Page.bringToFront');
}

async function hold(page) {
  const heap_kb = await page.heapKb();
  const { jsEventListeners: listeners, nodes } = await page.send('Memory.getDOMCounters');
  return { heap_kb, listeners, nodes, storage_chars: await page.evaluate(STORAGE) };
}
