// What a page can see of the tracker it carries: put before its script tag in
// every page here, as a page's own script would be.
(() => {
  const storage = () => {
    try { return localStorage; } catch { return null; }
  };
  const probe = self.probe = {
    // Requests that went out: their body, and whether a click was being handled.
    sent: [],
    // Whether the page was shown from the back/forward cache.
    persisted: null,
    // The tracker counts every page load and every log.
    loadCountAtStart: storage()?.getItem('logdig.load_count'),
    isStarted: () => storage()?.getItem('logdig.load_count') !== probe.loadCountAtStart,
    // Ids of what lies in the browser's storage, of all documents of this site.
    kept: kind => Object.keys(storage() ?? {})
      .filter(name => name.startsWith('logdig.q.') && kind.test(JSON.parse(storage()[name] ?? '{}').type))
      .map(name => name.slice('logdig.q.'.length)),
    // The views and clicks that wait to be sent.
    waiting: () => probe.kept(/view|click/),
    // A page that is open keeps a draft of its `leave`, whose number is taken then.
    drafts: () => probe.kept(/leave/),
  };

  let inClick = false;
  addEventListener('click', () => { inClick = true; }, true);
  // The window is the last stop of an event; what its listeners promised runs before this.
  addEventListener('click', () => queueMicrotask(() => { inClick = false; }));
  const note = body => probe.sent.push({ body: String(body), inClick });
  const { fetch } = self;
  self.fetch = function (url, options) {
    note(options?.body);
    return fetch.apply(this, arguments);
  };
  const { sendBeacon } = navigator;
  navigator.sendBeacon = function (url, body) {
    note(body);
    return sendBeacon.apply(this, arguments);
  };
  const { send } = XMLHttpRequest.prototype;
  XMLHttpRequest.prototype.send = function (body) {
    note(body);
    return send.apply(this, arguments);
  };
  addEventListener('pageshow', event => { probe.persisted = event.persisted; });
})();
