// What `webpack --mode production` does. Webpack makes no pages: ours are in public, beside what it makes.
import { fileURLToPath } from 'node:url';
import webpack from 'webpack';

const at = place => fileURLToPath(new URL(place, import.meta.url));
webpack({
  mode: 'production',
  context: at('.'),
  output: { path: at('public/app'), publicPath: '/app/' },
}, (error, stats) => {
  if (error) throw error;
  console.log(stats.toString({ preset: 'errors-warnings' }));
  process.exitCode = stats.hasErrors() ? 1 : 0;
});
