// The trackers that are measured, each as its makers tell owners to install it, with nothing else switched on.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import esbuild from 'esbuild';

const PEERS = JSON.parse(fs.readFileSync(fileURLToPath(new URL('peers.json', import.meta.url)), 'utf8'));

// What its server tells a fresh project: clicks yes, recordings of the screen no.
const POSTHOG_SETTINGS = {
  supportedCompression: ['gzip', 'gzip-js'], autocapture_opt_out: false, elementsChainAsString: true, hasFeatureFlags: false,
  featureFlags: {}, sessionRecording: false, heatmaps: false, surveys: false, captureDeadClicks: false,
  capturePerformance: { web_vitals: false, network_timing: false }, defaultIdentifiedOnly: true,
};

export const BLANK = { id: 'blank', name: 'no tracker', version: '', files: new Map(), head: () => '' };

// Ours, as packed in the folder `dist`, which may have lazy parts beside `logdig.js`.
export function logdig(dist, id, name, attributes) {
  const files = scriptsIn(dist, `/${id}`);
  const head = logs => `<script async src="${logs}/${id}/logdig.js" data-token="bench" ${attributes}></script>`;
  return { id, name, version: 'this tree', files, head };
}

// Brings the packages of peers.json, as npm has them, into the folder `work`. Only they: what they would install along
// is not in what a page loads.
export function peers(work) {
  const folder = Object.fromEntries(Object.keys(PEERS).map(name => [name, unpacked(name, work)]));
  const version = name => PEERS[name].version;
  return [
    {
      id: 'umami', name: 'Umami', version: version('umami'),
      // The package is the whole product; its tracker is one file, of which its build makes script.js.
      files: new Map([['/umami/script.js', minified(path.join(folder.umami, 'src/tracker/index.js'))]]),
      head: logs => `<script defer src="${logs}/umami/script.js" data-website-id="94db1cb1-74f4-4a40-ad6c-962362670409"></script>`,
    },
    {
      id: 'plausible', name: 'Plausible', version: version('@plausible-analytics/tracker'),
      files: new Map([['/plausible/script.js', bundled(folder['@plausible-analytics/tracker'], 'plausible.js')]]),
      head: logs => `<script async src="${logs}/plausible/script.js" onload="plausible_npm.init(${
        attribute({ domain: 'shop.example', endpoint: `${logs}/plausible/api/event` })})"></script>`,
    },
    {
      id: 'clarity', name: 'Clarity', version: version('clarity-js'),
      files: new Map([['/clarity/clarity.js', fs.readFileSync(path.join(folder['clarity-js'], 'build/clarity.min.js'))]]),
      // A path of the site's own: it keeps the address in a cookie, and takes any that does not begin so for one on https.
      head: logs => `<script>window.clarity = function () { (clarity.q = clarity.q || []).push(arguments) };
        clarity('start', { projectId: 'bench', upload: '/clarity/collect', track: true, content: true })</script>
        <script async src="${logs}/clarity/clarity.js"></script>`,
    },
    {
      id: 'posthog', name: 'PostHog', version: version('posthog-js'),
      // It loads parts when its server's settings ask for them, from a folder of its version. Surveys are off, as for a project without any.
      files: scriptsIn(path.join(folder['posthog-js'], 'dist'), '/posthog/static', `/posthog/static/${version('posthog-js')}`),
      head: logs => `<script>window.posthog = Object.assign([], { __SV: 1, _i: [['phc_bench', { api_host: '${logs}/posthog', disable_surveys: true }, 'posthog']] })</script>
        <script async crossorigin="anonymous" src="${logs}/posthog/static/array.js"></script>`,
      // Without settings from its server it would log no clicks.
      answer: url => url.includes('/config.js')
        ? `window._POSTHOG_REMOTE_CONFIG = { phc_bench: { config: ${JSON.stringify(POSTHOG_SETTINGS)}, siteApps: [] } }`
        : JSON.stringify(POSTHOG_SETTINGS),
    },
  ];
}

function unpacked(name, work) {
  const { version, integrity } = PEERS[name];
  const folder = path.join(work, `${name.replace('/', '-')}-${version}`);
  if (fs.existsSync(folder)) return path.join(folder, 'package');
  fs.mkdirSync(work, { recursive: true });
  const packed = execFileSync('npm', ['pack', `${name}@${version}`, '--json', '--ignore-scripts'], { cwd: work, encoding: 'utf8' });
  const archive = path.join(work, JSON.parse(packed)[0].filename);
  const found = `sha512-${createHash('sha512').update(fs.readFileSync(archive)).digest('base64')}`;
  if (found !== integrity) throw new Error(`${name}@${version} is not what peers.json says: ${found}`);
  const fresh = fs.mkdtempSync(`${folder}.`);
  execFileSync('tar', ['-xzf', archive, '-C', fresh]);
  fs.renameSync(fresh, folder);
  return path.join(folder, 'package');
}

function minified(file) {
  return Buffer.from(esbuild.transformSync(fs.readFileSync(file, 'utf8'), { minify: true }).code);
}

function bundled(folder, file) {
  const { outputFiles: [{ contents }] } = esbuild.buildSync({
    entryPoints: [path.join(folder, file)], bundle: true, minify: true, write: false, format: 'iife', globalName: 'plausible_npm',
  });
  return Buffer.from(contents);
}

function scriptsIn(folder, ...prefixes) {
  const names = fs.readdirSync(folder).filter(name => name.endsWith('.js'));
  const contents = names.map(name => [name, fs.readFileSync(path.join(folder, name))]);
  return new Map(prefixes.flatMap(prefix => contents.map(([name, content]) => [`${prefix}/${name}`, content])));
}

const attribute = value => JSON.stringify(value).replaceAll('"', '&quot;');
