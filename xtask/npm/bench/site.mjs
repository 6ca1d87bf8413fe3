// The made-up site, and the sink that takes whatever trackers send.
//
//   http://shop.example:PORT/TRACKER/1     a page with that tracker's tag; all pages are alike
//   http://logs.shop.example:PORT/…        the trackers' files
//
// Everything else, at either of them, is for the sink, and is counted.
import http from 'node:http';

const GOODS = 60;

export class Site {
  #server;
  #trackers;
  // What arrived since it was last asked for, and what was handed out, by tracker.
  #wire = { requests: 0, bytes: 0, last_ms: 0 };
  #downloads = new Map();

  // A tracker is `{ id, head(logs), files, answer }`: what stands in a page's head; what it may load, a Map of path to
  // content, all below `/ID/`; and, where its server says more than 204, `answer(path)`, the text of a 200.
  static async start(trackers) {
    const site = new Site();
    site.#trackers = trackers;
    site.#server = http.createServer((request, answer) => site.#take(request, answer));
    await new Promise((resolve, reject) => site.#server.once('error', reject).listen(0, '127.0.0.1', resolve));
    return site;
  }

  get origin() { return `http://shop.example:${this.#server.address().port}`; }
  get logs() { return `http://logs.shop.example:${this.#server.address().port}`; }

  page(tracker, number = 1) { return `${this.origin}/${tracker.id}/${number}`; }
  downloads(tracker) { return [...this.#downloads.get(tracker.id)?.values() ?? []]; }

  // Requests and bytes, head and body, as they came in since the last call.
  takeWire() {
    const { requests, bytes } = this.#wire;
    this.#wire = { requests: 0, bytes: 0, last_ms: Date.now() };
    return { requests, bytes };
  }

  quietMs() { return Date.now() - this.#wire.last_ms; }

  close() {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #take(request, answer) {
    let body = 0;
    for await (const chunk of request) body += chunk.length;
    const url = new URL(request.url, `http://${request.headers.host}`);
    if (url.pathname === '/favicon.ico') return answer.writeHead(204).end();
    if (url.origin === this.origin && request.method === 'GET') return this.#answerPage(url, answer);
    if (!this.#answerFile(url, answer)) this.#sink(request, body, answer);
  }

  #answerPage(url, answer) {
    const tracker = this.#tracker(url.pathname);
    if (!tracker) return answer.writeHead(404).end();
    answer.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(pageText(tracker.head(this.logs)));
  }

  #answerFile({ pathname }, answer) {
    const { id, files } = this.#tracker(pathname) ?? {};
    const content = files?.get(pathname);
    if (content === undefined) return false;
    if (!this.#downloads.has(id)) this.#downloads.set(id, new Map());
    this.#downloads.get(id).set(pathname, content);
    answer.writeHead(200, { ...open('*'), 'Content-Type': 'text/javascript', 'Cache-Control': 'max-age=3600' }).end(content);
    return true;
  }

  // As the trackers' own servers answer: yes, to every site, and a browser need not ask again soon.
  #sink({ method, url, headers, rawHeaders }, body, answer) {
    const head = [`${method} ${url} HTTP/1.1`, ...pairs(rawHeaders), '', ''].join('\r\n').length;
    this.#wire.requests += 1;
    this.#wire.bytes += head + body;
    this.#wire.last_ms = Date.now();
    const text = method === 'OPTIONS' ? undefined : this.#tracker(url)?.answer?.(url);
    answer.writeHead(text === undefined ? 204 : 200, {
      ...open(headers.origin ?? '*'), 'Access-Control-Allow-Credentials': 'true', 'Access-Control-Max-Age': '86400',
      'Access-Control-Allow-Headers': headers['access-control-request-headers'] ?? '*',
    }).end(text);
  }

  #tracker(path) {
    return this.#trackers.find(({ id }) => id === path.split('/')[1]);
  }
}

const open = origin => ({ 'Access-Control-Allow-Origin': origin });
const pairs = raw => raw.flatMap((text, n) => n % 2 ? [] : [`${text}: ${raw[n + 1]}`]);

// A shop's page of usual size. Its own handler shows something for each click, as pages do: whoever measures the
// document after it makes the browser lay it out again.
function pageText(head) {
  const goods = Array.from({ length: GOODS }, (_, n) => `
    <li class="goods"><a href="#goods-${n}"><h2>Goods ${n}</h2><p>Made of <em>clay</em> and patience.</p></a>
      <p class="price">${n + 10}.00</p><button class="buy" type="button">Buy <span>now</span></button></li>`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Shop</title>${head}
<style>
  body { margin: 0; font: 16px sans-serif } header { position: sticky; top: 0; height: 48px; background: #fff }
  ul { display: grid; grid-template-columns: repeat(4, 1fr); gap: 16px; padding: 16px } li { list-style: none }
  .buy { height: 32px } .buy:hover { color: #333 } .buy:active { color: #000 } .bought { font-weight: bold }
</style></head>
<body><header><nav><a href="#home">Home</a> <a href="#basket">Basket <b id="count">0</b></a></nav></header>
<main><ul>${goods.join('')}</ul></main>
<script>
  let count = 0;
  document.querySelector('main').addEventListener('click', event => {
    event.target.closest('button')?.classList.toggle('bought');
    document.querySelector('#count').firstChild.data = ++count;
  });
</script></body></html>`;
}
