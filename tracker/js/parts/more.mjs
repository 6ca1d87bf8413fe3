// Rage and dead clicks, and where the pointer rests. Loaded when the page has come to rest, and only if one of them is
// wanted; what the core hands over is in `bring_parts` (core.mjs).

// The numbers by which Rust knows the kinds of logs (KINDS in tracker.rs).
const RAGE = 3, DEAD = 4, MOVE = 5;

// Three clicks within 30 px and a second of each other: the usual measure, see docs/TRACKER.md.
const RAGE_CLICKS = 3, RAGE_PX = 30, RAGE_MS = 1000;
const DEAD_MS = 2500;
const REST_MS = 250, POINTS_CHARS_MAX = 1900;

// What a click changes without changing the document: the state of a control, what plays, what another program does.
const STATEFUL = 'input:not([type=button],[type=submit],[type=reset],[type=image]),select,textarea,label,option,audio,video,canvas,iframe,[contenteditable],[href^="mailto:"],[href^="tel:"]';
const SIGNS_OF_LIFE = ['scroll', 'submit', 'toggle', 'play', 'pause', 'fullscreenchange', 'visibilitychange', 'pagehide', 'copy'];

const is_selecting = () => getSelection()?.isCollapsed === false;

// Who clicks three times and selects a paragraph is not angry.
const rage = ({ log }) => {
  let last, n_clicks = 0;
  return (event, element, see) => {
    const { detail, isTrusted, pageX, pageY, timeStamp } = event;
    if (!detail || !isTrusted || timeStamp === last?.timeStamp) return;
    const is_near = last && timeStamp - last.timeStamp < RAGE_MS
      && Math.abs(pageX - last.pageX) + Math.abs(pageY - last.pageY) < RAGE_PX;
    n_clicks = is_near ? n_clicks + 1 : 1;
    last = event;
    if (n_clicks === RAGE_CLICKS && !is_selecting()) log(RAGE, ...see(), timeStamp);
  };
};

const leads_elsewhere = (event, element) => {
  const { href = '' } = element.closest('a[href],area[href]') ?? {};
  return !event.defaultPrevented && href && href.split('#')[0] !== location.href.split('#')[0];
};

// A click after which nothing happens: no change of the document, no scrolling, no selection, no navigation.
const dead = ({ on, safely, log }) => {
  // The clicks after which nothing has happened yet, by their elements: each is told once, however often it is clicked.
  const clicks = new Map();
  let is_alive;
  const live = safely(() => {
    is_alive = true;
    clicks.clear();
    observer.disconnect();
  });
  const observer = new MutationObserver(live);
  // From the press on: pages may act on that. Shadow roots are looked into one by one.
  const watch = event => {
    is_alive = false;
    const changes = { subtree: true, childList: true, attributes: true, characterData: true };
    for (const root of event.composedPath()) if (root.nodeType === 9 || root.host) observer.observe(root, changes);
  };
  for (const name of SIGNS_OF_LIFE) on(document, name, live);
  on(self, 'pagehide', live);
  on(document, 'selectionchange', safely(() => is_selecting() && live()));
  on(document, 'pointerdown', safely(watch));

  const judge = safely(click => {
    const { event, element, href, seen } = click;
    if (clicks.get(element) !== click) return;
    if (href !== location.href || leads_elsewhere(event, element)) live();
    else log(DEAD, ...seen, event.timeStamp);
  });
  return (event, element, see) => {
    if (!element || !event.isTrusted || element.closest(STATEFUL)) return;
    // A key presses nothing.
    if (!event.detail) watch(event);
    if (is_alive || clicks.has(element)) return;
    const click = { event, element, href: location.href, seen: see() };
    clicks.set(element, click);
    setTimeout(judge, DEAD_MS, click);
  };
};

// Where the mouse came to rest: `x,y;x,y`, page coordinates.
const move = ({ on, safely, note }) => {
  let points = '', last;
  const flush = () => {
    rest(performance.now());
    const { scrollWidth, scrollHeight } = document.documentElement;
    if (points) note(MOVE, [innerWidth, innerHeight, scrollWidth, scrollHeight], [points.slice(1)]);
    points = '';
    last = 0;
  };
  const rest = now => {
    if (last && now - last.timeStamp > REST_MS) points += `;${Math.round(last.pageX)},${Math.round(last.pageY)}`;
  };
  on(document, 'pointermove', safely(event => {
    if (event.pointerType !== 'mouse') return;
    rest(event.timeStamp);
    last = event;
    if (points.length > POINTS_CHARS_MAX) flush();
  }));
  return flush;
};

// Gives what the core calls at each click, and when a view ends.
export default hooks => {
  const { options } = hooks, clicks = [];
  if (options.rage !== null) clicks.push(rage(hooks));
  if (options.dead !== null) clicks.push(dead(hooks));
  const left = options.move ? move(hooks) : () => {};
  return { clicked: (...click) => clicks.forEach(act => act(...click)), left };
};
