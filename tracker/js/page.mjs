// What the tracker reads from the page, said where it is shortest: each call from wasm into the DOM would cost a wrapper
// that every visitor downloads. What is made of it is decided in Rust.

// What is logged: the original's four elements, what it bound by attribute, and buttons by role.
const CLICKABLE = 'a,span,button,input,[href],[reactid],[data-reactid],[role=button]';
// utm_source, gclid, fbclid, msclkid, gbraid, …: what advertisers and search engines add.
const CAMPAIGN = /^utm_|clk?id$|braid$/;
const NAME = /^[a-z_-]+$/i;

let clicked = CLICKABLE, ignored = '[data-logdig-ignore]', kept, hash, has_title;
export const read_for = ({ select, ignore, query, hash: kept_hash, title }) => {
  // What is no selector would make every click fail.
  const with_own = (selector, own) => { try { document.querySelector(own); return selector + ',' + own; } catch { return selector; } };
  clicked = with_own(clicked, select ?? '');
  ignored = with_own(ignored, ignore ?? '');
  kept = query?.split(',');
  hash = kept_hash;
  has_title = title;
};

// An address, without what the owner does not want to know.
const is_kept = name => CAMPAIGN.test(name)
  || kept.some(one => one.endsWith('*') ? name.startsWith(one.slice(0, -1)) : name === one);
export const clean = address => {
  if (kept || hash === null) try {
    const url = new URL(address);
    if (hash === null) url.hash = '';
    if (kept) for (const name of [...url.searchParams.keys()]) if (!is_kept(name)) url.searchParams.delete(name);
    return url.href;
  } catch {}
  return address;
};

const attribute = (element, name) => element.getAttribute(name) || '';

// The nearest element that matches, outwards through open shadow roots.
const closest = (element, selector) => {
  // A script may click the document or the window, which are no elements.
  for (let found; element?.closest; element = element.getRootNode().host)
    if (found = element.closest(selector)) return found;
};
export const clickable = target => closest(target, clicked);
export const is_ignored = target => closest(target, ignored);

// `tag;class;id;name;data-reactid`, the original's description of what leads nowhere.
const describe = element => [
  element.localName,
  ...['class', 'id', 'name'].map(name => attribute(element, name)),
  attribute(element, 'data-reactid') || attribute(element, 'reactid'),
].join(';');

// A short selector, four steps at most: ids and classes that are no plain words are left out, since builds make them up
// anew; from the second of its tag on, an element has its index.
const select = element => {
  const steps = [];
  for (let step; element && steps.length < 4; element = element.parentElement) {
    step = element.localName;
    const { id } = element;
    if (NAME.test(id)) {
      steps.unshift(step + '#' + id);
      break;
    }
    const name = [...element.classList].find(name => NAME.test(name));
    if (name) step += '.' + name;
    let index = 1;
    for (let before = element; before = before.previousElementSibling;) index += before.localName === element.localName;
    if (index > 1) step += `:nth-of-type(${index})`;
    steps.unshift(step);
  }
  return steps.join('>');
};

// Only positioned ancestors can be fixed, and those are what `offsetParent` gives; or a form's field of that name, for ever.
const is_fixed = element => {
  for (let depth = 99; element && depth--; element = element.offsetParent)
    if (/fixed|sticky/.test(getComputedStyle(element).position)) return 1;
};

const sizes = () => {
  const { scrollWidth, scrollHeight } = document.documentElement;
  return [innerWidth, innerHeight, scrollWidth, scrollHeight];
};

// Rust's memory, in which texts go either way.
let memory;
export const attach = exports => { memory = exports.memory; };
export const read = (at, n_bytes) => new TextDecoder().decode(new Uint8Array(memory.buffer, at, n_bytes));
export const write = (text, at, bytes_max) =>
  new TextEncoder().encodeInto(text ?? '', new Uint8Array(memory.buffer, at, bytes_max)).written;

// Random letters and digits: base64 without the two signs in it, each of the 62 as likely as every other. 17 have 101 bits.
export const random = n_letters =>
  btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(60)))).replace(/\W/g, '').slice(0, n_letters);
// A document's times run on a clock that nobody can set, from its begin by the visitor's clock on.
export let document_id, epoch_ms;
export const begin_document = () => {
  document_id = random(17);
  epoch_ms = Date.now() - performance.now();
};
export const instant = at_ms => new Date(epoch_ms + at_ms).toISOString();

// What is logged next: Rust asks for it right after. In the order of KINDS in tracker.rs.
let numbers_shown, texts_shown;
export const show = (numbers, texts) => { numbers_shown = numbers; texts_shown = texts; };
export const numbers = at => new Float64Array(memory.buffer, at).set(numbers_shown);
export const text = (nth, at, bytes_max) => write(nth < 0 ? document_id : texts_shown[nth], at, bytes_max);

// A browser makes a click on a label one on its input too: of two that are logged, the second is none.
let last_click_ms = -1;
export const is_echo = ({ detail, isTrusted, timeStamp }) => {
  const is_echo = isTrusted && (timeStamp === last_click_ms || !detail && timeStamp - last_click_ms < 100);
  last_click_ms = timeStamp;
  return is_echo;
};

// Numbers and texts of a click on an element. A key or a script clicks nowhere: its place is the element's centre.
export const place = ({ detail, isTrusted, pageX, pageY, pointerType }, element) => {
  const { x, y, width, height } = element.getBoundingClientRect();
  const [left, top] = [x + scrollX, y + scrollY];
  const at = detail ? [pageX, pageY] : [left + width / 2, top + height / 2];
  const linked = closest(element, '[href]');
  // An SVG's `href` is no text.
  const address = linked && (linked.href?.trim ? clean(linked.href) : attribute(linked, 'href'));
  return [
    [...at, ...sizes(), scrollX, scrollY, left, top, width, height],
    [
      address || describe(element),
      select(element),
      isTrusted ? detail ? pointerType : 'key' : '',
      is_fixed(element) ? 'true' : '',
      isTrusted ? '' : 'false',
    ],
  ];
};

export const survey = from => {
  const { language, webdriver } = navigator;
  return [
    [0, 0, ...sizes(), screen.width, screen.height, devicePixelRatio],
    [
      from,
      language,
      // The other way takes Chromium 30 ms.
      self.Temporal?.Now.timeZoneId() ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
      webdriver ? 'true' : '',
      has_title ? document.title : '',
    ],
  ];
};
