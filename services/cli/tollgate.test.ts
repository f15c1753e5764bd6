import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const LAUNCHER = join(import.meta.dirname, 'tollgate.js');

/** A package with the launcher, a program in its place, and the `node` package or a part of it. */
function aPackage(options: { program: string; node: 'whole' | 'without binary' | 'missing' }) {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-launcher-'));
  for (const path of ['services/cli', 'dist/services/cli', 'node_modules']) {
    mkdirSync(join(folder, path), { recursive: true });
  }
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  copyFileSync(LAUNCHER, join(folder, 'services/cli/tollgate.js'));
  writeFileSync(join(folder, 'dist/services/cli/main.js'), options.program);
  const node = dirname(createRequire(import.meta.url).resolve('node/package.json'));
  if (options.node === 'whole') symlinkSync(node, join(folder, 'node_modules/node'));
  if (options.node === 'without binary') {
    mkdirSync(join(folder, 'node_modules/node'));
    writeFileSync(join(folder, 'node_modules/node/package.json'), '{"name":"node"}');
  }
  return {
    launcher: join(folder, 'services/cli/tollgate.js'),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

test('the launcher passes arguments, output and exit code through', () => {
  const program = 'console.log(JSON.stringify(process.argv.slice(2))); process.exitCode = 4;';
  using folder = aPackage({ program, node: 'whole' });
  const args = ['logs', '-p', 'a b', '--json'];
  const run = spawnSync(process.execPath, [folder.launcher, ...args], { encoding: 'utf8' });
  assert.deepEqual(JSON.parse(run.stdout), args);
  assert.equal(run.status, 4);
});

test('the program runs on the Node of the package, whoever calls the launcher', () => {
  using folder = aPackage({ program: 'console.log(process.execPath)', node: 'whole' });
  const run = spawnSync(process.execPath, [folder.launcher], { encoding: 'utf8' });
  const node = createRequire(import.meta.url).resolve('node/package.json');
  assert.equal(run.stdout.trim(), realpathSync(join(dirname(node), 'bin/node')));
});

test('a signal reaches the program, which ends in its own way', async () => {
  const program = `process.on('SIGTERM', () => process.exit(7));
    setInterval(() => {}, 1_000); console.log('ready');`;
  using folder = aPackage({ program, node: 'whole' });
  const child = spawn(process.execPath, [folder.launcher], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  child.kill('SIGTERM');
  const code = await new Promise((resolve) => child.once('exit', resolve));
  assert.equal(code, 7);
});

test('without the binary the message says why and what to do', () => {
  using folder = aPackage({ program: '', node: 'without binary' });
  const run = spawnSync(process.execPath, [folder.launcher], { encoding: 'utf8' });
  assert.equal(run.status, 70);
  assert.match(run.stderr, /install script did not run/);
  assert.match(run.stderr, /allowScripts.*npm rebuild node/s);
});

test('a checkout runs its source', () => {
  const run = spawnSync(process.execPath, [LAUNCHER, '--version'], { encoding: 'utf8' });
  assert.match(run.stdout, /^\d+\.\d+\.\d+\n$/, run.stderr);
});
