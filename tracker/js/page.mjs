// What the tracker reads from the page, said where it is shortest: each call from wasm into the DOM would cost a wrapper
// that every visitor downloads. What is made of it is decided in Rust.

// What is logged: the original's four elements, what it bound by attribute, and buttons by role.
const CLICKABLE = 'a,span,button,input,[href],[reactid],[data-reactid],[role=button]';
const NAME = /^[a-z_-]+$/i;

const attribute = (element, name) => element.getAttribute(name) || '';

// The nearest element that matches, outwards through open shadow roots.
const closest = (element, selector) => {
  // A script may click the document or the window, which are no elements.
  for (let found; element?.closest; element = element.getRootNode().host)
    if (found = element.closest(selector)) return found;
};

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

// Only positioned ancestors can be fixed, and those are what `offsetParent` gives.
const is_fixed = element => {
  for (; element; element = element.offsetParent)
    if (/fixed|sticky/.test(getComputedStyle(element).position)) return 1;
};

const sizes = () => {
  const { scrollWidth, scrollHeight } = document.documentElement;
  return [innerWidth, innerHeight, scrollWidth, scrollHeight];
};

// What was looked at last: Rust asks for it right after. In the order of CLICK and VIEW in tracker.rs.
let seen = [], texts = [];
export const numbers = into => into.set(seen);
export const encode = (text, into) => new TextEncoder().encodeInto(text, into).written;
export const text = (nth, into) => encode(texts[nth], into);
export const iso = (ms, into) => encode(new Date(ms).toISOString(), into);

// Whether a click is logged. A key or a script clicks nowhere: its place is the element's centre.
let last_click_ms = -1;
export const look = (event, target) => {
  const { detail, isTrusted, pageX, pageY, pointerType, timeStamp } = event;
  // A browser makes a click on a label one on its input too.
  const is_echo = isTrusted && (timeStamp === last_click_ms || !detail && timeStamp - last_click_ms < 100);
  const element = closest(target, CLICKABLE);
  if (is_echo || !element || closest(target, '[data-logdig-ignore]')) return;
  last_click_ms = timeStamp;
  const { x, y, width, height } = element.getBoundingClientRect();
  const [left, top] = [x + scrollX, y + scrollY];
  const place = detail ? [pageX, pageY] : [left + width / 2, top + height / 2];
  const linked = closest(element, '[href]');
  seen = [...place, ...sizes(), scrollX, scrollY, left, top, width, height];
  texts = [
    location.href,
    !linked ? describe(element) : linked.href?.trim ? linked.href : attribute(linked, 'href'), // SVG's `href` is no text
    select(element),
    isTrusted ? detail ? pointerType || '' : 'key' : '',
    is_fixed(element) ? 'true' : '',
    isTrusted ? '' : 'false',
  ];
  return 1;
};

export const survey = from => {
  const { language, webdriver } = navigator;
  const { href } = location;
  seen = [0, 0, ...sizes(), screen.width, screen.height, devicePixelRatio];
  texts = [href, href, from, language, Intl.DateTimeFormat().resolvedOptions().timeZone || '', webdriver ? 'true' : ''];
};

export const introduce = token => { texts = [token, navigator.userAgent]; };
