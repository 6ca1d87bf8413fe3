// A headless Chromium, spoken to over a pipe in its DevTools protocol: JSON messages, each ended by a zero byte.
// The pipe needs no port and no package.
import { spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';

const END_MS_MAX = 5e3;

// `site` is the origin that counts as secure, as a real site on https does; its host and all below it are this machine.
export function startBrowser(program, work, site) {
  const { hostname } = new URL(site);
  const profile = fs.mkdtempSync(path.join(work, 'profile-'));
  const child = spawn(program, [
    '--headless=new', '--remote-debugging-pipe', `--user-data-dir=${profile}`, '--no-sandbox', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync', '--window-size=1280,800',
    // Some trackers are silent on localhost and where they see a robot. What a visitor's browser does is measured.
    `--host-resolver-rules=MAP ${hostname} 127.0.0.1, MAP *.${hostname} 127.0.0.1`,
    `--unsafely-treat-insecure-origin-as-secure=${site}`, '--disable-blink-features=AutomationControlled',
  ], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
  return new Browser(child, profile);
}

class Browser extends EventEmitter {
  #child;
  #profile;
  #asked = new Map();
  #last = 0;
  #rest = [];

  constructor(child, profile) {
    super();
    this.setMaxListeners(0);
    this.#child = child;
    this.#profile = profile;
    const fail = error => this.#fail(error);
    child.once('exit', () => fail(new Error('the browser ended')));
    child.once('error', fail);
    child.stdio[3].on('error', fail);
    child.stdio[4].on('data', chunk => this.#read(chunk));
  }

  send(method, params, sessionId) {
    const id = ++this.#last;
    this.#child.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise((resolve, reject) => this.#asked.set(id, { method, resolve, reject }));
  }

  // A page in a context of its own: it shares no cache, no storage and no process with another.
  async open() {
    const { browserContextId } = await this.send('Target.createBrowserContext');
    return this.openIn(browserContextId);
  }

  async openIn(browserContextId) {
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank', browserContextId });
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true });
    const page = new Page(this, { targetId, sessionId, browserContextId });
    const { userAgent } = await this.send('Browser.getVersion');
    await page.send('Emulation.setUserAgentOverride', { userAgent: userAgent.replace('Headless', '') });
    return page;
  }

  async close() {
    const ended = new Promise(resolve => this.#child.once('exit', resolve));
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), END_MS_MAX);
    this.send('Browser.close').catch(() => {}); // It may end before it answers.
    await ended;
    clearTimeout(timer);
    fs.rmSync(this.#profile, { recursive: true, force: true });
  }

  #read(chunk) {
    let from = 0;
    for (let end; (end = chunk.indexOf(0, from)) >= 0; from = end + 1) {
      this.#take(JSON.parse(Buffer.concat([...this.#rest, chunk.subarray(from, end)])));
      this.#rest = [];
    }
    this.#rest.push(chunk.subarray(from));
  }

  #take({ id, result, error, method, params, sessionId }) {
    if (id === undefined) return this.emit(`${sessionId} ${method}`, params);
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    if (error) asked.reject(new Error(`${asked.method}: ${error.message}`));
    else asked.resolve(result);
  }

  #fail(error) {
    for (const { reject } of this.#asked.values()) reject(error);
    this.#asked.clear();
  }
}

class Page {
  constructor(browser, ids) {
    this.browser = browser;
    this.ids = ids;
  }

  send(method, params) {
    return this.browser.send(method, params, this.ids.sessionId);
  }

  // The next event of that name. To be asked for before what causes it.
  next(event) {
    return new Promise(resolve => this.browser.once(`${this.ids.sessionId} ${event}`, resolve));
  }

  async goto(url) {
    await this.send('Page.enable');
    const loaded = this.next('Page.loadEventFired');
    const { errorText } = await this.send('Page.navigate', { url });
    if (errorText) throw new Error(`opening ${url}: ${errorText}`);
    await loaded;
  }

  async evaluate(expression) {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', { expression, returnByValue: true });
    if (exceptionDetails) throw new Error(`in the page: ${exceptionDetails.exception?.description}`);
    return result.value;
  }

  // A real click: the browser finds out what is hit and makes all the events of it. A finger stays down for some frames.
  async click({ x, y }) {
    const mouse = { x, y, button: 'left', clickCount: 1 };
    await this.send('Input.dispatchMouseEvent', { ...mouse, type: 'mousePressed' });
    await pause(40);
    await this.send('Input.dispatchMouseEvent', { ...mouse, type: 'mouseReleased' });
  }

  // What is still in use, in KB: objects, what the DOM hangs on them, and buffers, a wasm's memory among them.
  async heapKb() {
    // The second time takes what the first one's finalizers let go of.
    for (let time = 0; time < 2; time++) await this.send('HeapProfiler.collectGarbage');
    const { usedSize, embedderHeapUsedSize, backingStorageSize } = await this.send('Runtime.getHeapUsage');
    return (usedSize + embedderHeapUsedSize + backingStorageSize) / 1e3;
  }

  // What happened while `act` ran, as trace events.
  async trace(categories, act) {
    const events = [], take = ({ value }) => events.push(...value);
    this.browser.on(`${this.ids.sessionId} Tracing.dataCollected`, take);
    await this.send('Tracing.start', {
      transferMode: 'ReportEvents', traceConfig: { includedCategories: categories, excludedCategories: ['*'] },
    });
    await act();
    const complete = this.next('Tracing.tracingComplete');
    await this.send('Tracing.end');
    await complete;
    this.browser.off(`${this.ids.sessionId} Tracing.dataCollected`, take);
    return events;
  }

  close() {
    return this.browser.send('Target.disposeBrowserContext', { browserContextId: this.ids.browserContextId });
  }
}

export const pause = ms => new Promise(resolve => setTimeout(resolve, ms));
