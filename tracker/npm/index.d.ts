/** What {@link init} is told. */
export interface Options {
  /** The token of your service, as `logdig service add` prints it. */
  token: string;
  /**
   * Where logs are posted: the address of your collector, or a path of your own
   * domain that you proxy to it (`/stats/`).
   */
  server: string;
  /** What names in the browser's storage begin with; `logdig.` by default. */
  prefix?: string;
  /** CSS selector of further elements whose clicks are logged. */
  select?: string;
  /** CSS selector of further areas in which nothing is logged; `[data-logdig-ignore]` always is one. */
  ignore?: string;
  /**
   * Query parameters to keep in addresses, separated by commas; a name may end
   * in `*`. All by default; none with the empty text. Campaign parameters
   * (`utm_*`, `gclid`, `fbclid`, …) are kept always.
   */
  query?: string;
  /** `'off'`: the fragment is no part of a page's address. */
  hash?: 'on' | 'off';
  /** `'on'`: views carry the page's title. */
  title?: 'on';
  /** `'off'`: no logs of rage clicks: three within a second and 30 pixels. */
  rage?: 'on' | 'off';
  /** `'off'`: no logs of dead clicks: those after which nothing happens for 2.5 seconds. */
  dead?: 'on' | 'off';
  /** `'on'`: logs of where the mouse rests. */
  move?: 'on';
  /** `'on'`: web vitals of the page that was loaded (LCP, INP, CLS, FCP, TTFB). */
  vitals?: 'on';
  /** `'off'`: log visitors with Global Privacy Control too; by default they are not logged. */
  gpc?: 'on' | 'off';
  /** `'on'`: do not log visitors with Do Not Track. */
  dnt?: 'on';
  /**
   * Store and send nothing before `consent('granted')`. What happens until then
   * is kept in memory (`'wait'`) or dropped (`'drop'`).
   */
  consent?: 'wait' | 'drop';
  /** `'on'`: store nothing in the browser; the collector tells visitors apart for a day. */
  cookieless?: 'on';
  /** Keep the visitor's key in a first-party cookie for this domain and its subdomains: `shop.example`. */
  cookie?: string;
  /** `'on'`: tell failures on the console; otherwise there is never a word. */
  debug?: 'on';
}

/** What an event says beside its name. */
export interface Details {
  /** Whatever you want to find again: at most 30 values, 2 KiB as JSON. */
  props?: Record<string, string | number | boolean | null>;
  /** What it was worth. */
  value?: number;
  /** The currency of `value`, three letters of ISO 4217: `EUR`. */
  currency?: string;
}

/**
 * Starts logging. Only the first call counts, and only in a browser: on a
 * server it does nothing.
 */
export function init(options: Options): void;

/**
 * Logs an event of your own.
 *
 * @param name what happened, at most 64 bytes
 */
export function event(name: string, details?: Details): void;

/** Logs that the visitor saw a variation of an experiment; at most 64 bytes each. */
export function exposure(experiment: string, variation: string): void;

/** Gives all later logs of this page your own name of the visitor, at most 128 bytes. */
export function identify(userId: string): void;

/**
 * Says what the visitor answered. After `'denied'` nothing is logged, and what
 * the browser kept of us is gone.
 */
export function consent(answer: 'granted' | 'denied'): void;

/** Logs nothing of this visitor any more, also on later pages, until {@link optIn}. */
export function optOut(): void;

/** Takes an {@link optOut} back. */
export function optIn(): void;

/** Sends what waits now instead of in a moment. */
export function flush(): void;
