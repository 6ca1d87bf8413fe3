// The npm package. Nothing happens before `init`, so that a server may import it.
import { start } from './core.mjs';

// Bundlers see these addresses and bring the parts along.
const parts = {
  more: () => import('./logdig.more.js'),
  vitals: () => import('./logdig.vitals.js'),
  nowasm: () => import('./logdig.nowasm.js'),
};

const early = [];
let is_begun, command = (...call) => { early.push(call); };

export const init = options => {
  // Once a page, and never on a server.
  if (is_begun || typeof document === 'undefined') return;
  is_begun = true;
  try { command = start({ ...options }, part => parts[part](), { q: early }); } catch {}
};
export const event = (name, details) => command('event', name, details);
export const exposure = (experiment, variation) => command('exposure', experiment, variation);
export const identify = user_id => command('identify', user_id);
export const consent = answer => command('consent', answer);
export const optOut = () => command('optOut');
export const optIn = () => command('optIn');
export const flush = () => command('flush');
