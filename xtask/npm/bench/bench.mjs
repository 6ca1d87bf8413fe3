// node bench.mjs CHROMIUM DIST_DIR WORK_DIR ROUNDS
//
// Measures the tracker in DIST_DIR and its peers in CHROMIUM. Prints what was measured as it comes, one JSON object a
// line; what to make of it is decided by who reads (xtask/src/bench/tracker.rs).
import path from 'node:path';
import zlib from 'node:zlib';
import { pause, startBrowser } from './browser.mjs';
import { Site } from './site.mjs';
import { CATEGORIES, MARK, analyse } from './trace.mjs';
import { BLANK, logdig, peers } from './trackers.mjs';

const [CHROMIUM, DIST, WORK, ROUNDS] = process.argv.slice(2);
// Long enough for lazy parts, settings asked for, and a first request.
const LOAD_MS = 2000;
const CLICKS = 25;
const [WIRE_VIEWS, WIRE_CLICKS_A_VIEW] = [10, 5];
const [QUIET_MS, QUIET_MS_MAX] = [5e3, 45e3];

const say = (kind, values) => console.log(JSON.stringify({ kind, ...values }));

say('step', { text: 'bring the peers from npm' });
const trackers = [
  BLANK, logdig(DIST, 'logdig', 'LogDig', ''),
  logdig(DIST, 'logdig-all', 'LogDig, all on', 'data-move="on" data-vitals="on" data-title="on"'),
  ...peers(path.join(WORK, 'peers')),
];
const site = await Site.start(trackers);
const browser = startBrowser(CHROMIUM, WORK, site.origin);
try {
  await visit(BLANK); // The first page of a browser pays for what all share.
  for (let round = 1; round <= ROUNDS; round++) {
    say('step', { text: `round ${round} of ${ROUNDS}` });
    for (const tracker of trackers) say('visit', { id: tracker.id, ...await visit(tracker) });
  }
  for (const tracker of trackers.slice(1)) {
    say('step', { text: `${tracker.name}: ${WIRE_VIEWS} views, ${WIRE_VIEWS * WIRE_CLICKS_A_VIEW} clicks` });
    say('wire', { id: tracker.id, ...await wire(tracker) });
  }
  for (const tracker of trackers) say('tracker', { id: tracker.id, name: tracker.name, version: tracker.version, ...weigh(tracker) });
} finally {
  await browser.close();
  site.close();
}

// A first visit: a load, then clicks on one button after the other.
async function visit(tracker) {
  const page = await browser.open();
  const events = await page.trace(CATEGORIES, async () => {
    await page.goto(site.page(tracker));
    await pause(LOAD_MS);
    const buttons = await places(page);
    await page.evaluate(`performance.mark('${MARK}')`);
    for (let n = 0; n < CLICKS; n++) {
      await page.click(buttons[n % buttons.length]);
      await pause(20);
    }
    await pause(LOAD_MS / 2);
  });
  const heap_kb = await page.heapKb();
  await page.close();
  return { ...analyse(events, CLICKS), heap_kb };
}

// Where the buttons that can be seen are.
function places(page) {
  return page.evaluate(`[...document.querySelectorAll('.buy')].map(button => button.getBoundingClientRect())
    .filter(box => box.bottom < innerHeight).map(box => ({ x: box.x + 8, y: box.y + 8 }))`);
}

// Everything that one visitor's session sends, until nothing comes any more.
async function wire(tracker) {
  const page = await browser.open();
  site.takeWire();
  for (let number = 1; number <= WIRE_VIEWS; number++) {
    await page.goto(site.page(tracker, number));
    await pause(LOAD_MS / 2);
    const buttons = await places(page);
    for (let n = 0; n < WIRE_CLICKS_A_VIEW; n++) {
      await page.click(buttons[n]);
      await pause(200);
    }
  }
  await page.goto(site.page(BLANK));
  const until = Date.now() + QUIET_MS_MAX;
  while (site.quietMs() < QUIET_MS && Date.now() < until) await pause(100);
  await page.close();
  return { views: WIRE_VIEWS, clicks: WIRE_VIEWS * WIRE_CLICKS_A_VIEW, ...site.takeWire() };
}

// What pages downloaded for it.
function weigh(tracker) {
  const files = site.downloads(tracker);
  const sum = measure => files.reduce((bytes, file) => bytes + measure(file).length, 0);
  return { files: files.length, raw: sum(f => f), gzip: sum(f => zlib.gzipSync(f, { level: 9 })), brotli: sum(f => zlib.brotliCompressSync(f)) };
}
