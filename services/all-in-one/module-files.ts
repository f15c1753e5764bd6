import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

/** File of a dependency, wherever npm has put that package. */
function packageFile(name: string, path: string): string {
  // Every package's main file lies below its folder, and not every one exports its package.json.
  const entry = require.resolve(name);
  const marker = join('node_modules', name);
  const folder = entry.slice(0, entry.lastIndexOf(marker) + marker.length);
  return join(folder === marker ? dirname(entry) : folder, path);
}

/** The ES modules that the page imports from `/modules/`, served as their makers publish them. */
export function moduleFiles(): Record<string, string> {
  return {
    'preact.js': packageFile('preact', 'dist/preact.mjs'),
    'htm.js': packageFile('htm', 'dist/htm.mjs'),
    'uplot.js': packageFile('uplot', 'dist/uPlot.esm.js'),
    'uplot.css': packageFile('uplot', 'dist/uPlot.min.css'),
  };
}
