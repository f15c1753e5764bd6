#!/usr/bin/env node
// Starts Tollgate with the Node of its own dependency `node`, whatever Node the machine has. Plain
// JavaScript, since this file alone is run by that other Node, which may be old.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

function fail(text) {
  process.stderr.write(`tollgate: ${text}\n`);
  process.exit(70);
}

/** The binary of the `node` package; its install script puts it there. */
function findNode() {
  let folder;
  try {
    folder = dirname(createRequire(import.meta.url).resolve('node/package.json'));
  } catch {
    return fail('the package "node" is missing; install Tollgate again with its dependencies');
  }
  const names = process.platform === 'win32' ? ['node.exe', 'node'] : ['node'];
  const found = names.map((name) => join(folder, 'bin', name)).find((file) => existsSync(file));
  if (found !== undefined) return found;
  return fail(
    `the package "node" has no binary in ${join(folder, 'bin')}: its install script did not run.\n` +
      'Allow it in package.json with  "allowScripts": { "node": true }  (or leave out\n' +
      '--ignore-scripts), then run  npm rebuild node',
  );
}

/** The source in a checkout, the built file in the package. */
function findMain() {
  const source = join(here, 'main.ts');
  const built = join(here, '../../dist/services/cli/main.js');
  const found = [source, built].find((file) => existsSync(file));
  return found === undefined ? fail(`neither ${source} nor ${built} is there`) : found;
}

const child = spawn(findNode(), [findMain(), ...process.argv.slice(2)], { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP', 'SIGUSR2']) {
  process.on(signal, () => {
    // A terminal sends Ctrl+C and Ctrl+\ to both; once more would cut the orderly stop.
    const fromTerminal = signal === 'SIGINT' || signal === 'SIGQUIT';
    if (!fromTerminal || !process.stdin.isTTY) child.kill(signal);
  });
}
child.on('error', (error) => fail(`${error.message}; install the package "node" again`));
child.on('exit', (code, signal) => {
  process.exit(code === null ? 128 + (constants.signals[signal] ?? 0) : code);
});
