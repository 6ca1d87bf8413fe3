// The drop-in script: its options stand in its tag, its parts lie beside it.
import { start } from './core.mjs';

// The packer puts all of it into a try: a page may have broken whatever this needs.
const { dataset, src } = document.currentScript || document.querySelector('script[data-token]');
const { name = 'logdig' } = dataset;
const stub = self[name];

// One tracker a page, whichever copy comes first: a function of that name that is no stand-in is the other's.
if (typeof stub !== 'function' || stub.q)
  self[name] = start(
    { server: new URL('.', src).href, ...dataset },
    part => import(src.replace(/(\.js)?(\?|$)/, `.${part}.js$2`)),
    stub,
  );
