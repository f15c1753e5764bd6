import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { systemClock } from '../../../shared/runtime/clock.ts';
import { FileFinder } from './find-files.ts';
import { compilePathPattern } from './path-pattern.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'find-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), path);
  }
}

const finder = (patterns: string[], decompress = true): FileFinder =>
  new FileFinder(
    patterns.map((one) => compilePathPattern(`${folder}/${one}`, '/')),
    { decompress },
  );

function found(one: FileFinder, now = systemClock.now()): Record<string, string> {
  const files = one.find(now).map(({ path, stream, active }) => {
    const relative = (full: string): string => full.slice(folder.length + 1);
    return [relative(path), `${active ? '' : 'rotated '}${relative(stream)}`] as const;
  });
  return Object.fromEntries(files.sort(([a], [b]) => (a < b ? -1 : 1)));
}

test('the layouts of YARN, standalone, Databricks and Kubernetes', () => {
  write(
    'yarn/application_1_1/container_1_1_01_000001/stderr',
    'yarn/application_1_1/container_1_1_01_000001/launch_container.sh',
    'work/app-1/0/stderr',
    'work/driver-1/stderr',
    'dbx/0123-abc/driver/log4j-active.log',
    'dbx/0123-abc/driver/log4j-2026-11-21-10.log.gz',
    'dbx/0123-abc/driver/stdout',
    'k8s/ns_pod-1_uid/spark/0.log',
  );
  const one = finder([
    'yarn/{application}/{container}/stderr',
    'work/{application}/{executor}/stderr',
    'dbx/{cluster_id}/driver/log4j-active.log',
    'k8s/{namespace}_{application}_{uid}/{container}/*.log',
  ]);
  assert.deepEqual(found(one), {
    'dbx/0123-abc/driver/log4j-2026-11-21-10.log.gz':
      'rotated dbx/0123-abc/driver/log4j-active.log',
    'dbx/0123-abc/driver/log4j-active.log': 'dbx/0123-abc/driver/log4j-active.log',
    'k8s/ns_pod-1_uid/spark/0.log': 'k8s/ns_pod-1_uid/spark/0.log',
    'work/app-1/0/stderr': 'work/app-1/0/stderr',
    'yarn/application_1_1/container_1_1_01_000001/stderr':
      'yarn/application_1_1/container_1_1_01_000001/stderr',
  });
});

test('two stars are any folders, none included', () => {
  write('a.log', 'x/b.log', 'x/y/c.log', 'x/y/d.txt');
  assert.deepEqual(Object.keys(found(finder(['**/*.log']))), ['a.log', 'x/b.log', 'x/y/c.log']);
});

test('rotated names belong to the file they come from', () => {
  write('s/stderr', 's/stderr.1', 's/stderr.2.gz', 's/stderr--2026-11-21--10-05', 's/stderr.tmp');
  assert.deepEqual(found(finder(['s/stderr'])), {
    's/stderr': 's/stderr',
    's/stderr--2026-11-21--10-05': 'rotated s/stderr',
    's/stderr.1': 'rotated s/stderr',
    's/stderr.2.gz': 'rotated s/stderr',
  });
});

test('names that only look rotated are files of their own', () => {
  write(
    'e/application_1_0001',
    'e/application_1_0002',
    'f/app-20261121-0001',
    'f/app-20261121-0002',
  );
  const files = found(finder(['e/{application}', 'f/{application}']));
  for (const [path, stream] of Object.entries(files)) assert.equal(stream, path);
  assert.equal(Object.keys(files).length, 4);
});

test('compressed files are left as they are when they are not to be decompressed', () => {
  write('x.gz', 'x');
  assert.deepEqual(found(finder(['*'], false)), { x: 'x', 'x.gz': 'x.gz' });
  assert.deepEqual(found(finder(['*'])), { x: 'x', 'x.gz': 'rotated x' });
});

test('a folder at rest is not listed again, and one that changes is', () => {
  write('a/1.log');
  const one = finder(['{a}/*.log']);
  const later = systemClock.now() + 60_000;
  assert.deepEqual(Object.keys(found(one, later)), ['a/1.log']);
  // The listing is remembered by the folder's time: with the time put back, a new file isn't seen.
  const past = new Date(Date.UTC(2026, 0, 1));
  utimesSync(join(folder, 'a'), past, past);
  found(one, later);
  write('a/2.log');
  utimesSync(join(folder, 'a'), past, past);
  assert.deepEqual(Object.keys(found(one, later)), ['a/1.log']);
  renameSync(join(folder, 'a/2.log'), join(folder, 'a/3.log'));
  assert.deepEqual(Object.keys(found(one, later)), ['a/1.log', 'a/3.log']);
});

test('what is no plain file, and links around in circles, are left out', () => {
  write('d/x.log');
  mkdirSync(join(folder, 'd', 'folder.log'));
  symlinkSync(folder, join(folder, 'd', 'up'));
  symlinkSync('/dev/zero', join(folder, 'd', 'zero.log'));
  symlinkSync(join(folder, 'nowhere'), join(folder, 'd', 'broken.log'));
  assert.deepEqual(Object.keys(found(finder(['**/*.log']))), ['d/x.log']);
});

test('a root that is not there yet is no error', () => {
  assert.deepEqual(found(finder(['later/{application}/stderr'])), {});
});

test('a file that grew, moved or came is told of, beside others that did nothing', () => {
  write('a/x.log', 'b/y.log');
  const one = finder(['{part}/{name}.log', 'b/*']);
  const now = systemClock.now() + 60_000;
  const sizes = (): Record<string, number> =>
    Object.fromEntries(one.find(now).map(({ path, size }) => [path.slice(folder.length), size]));
  assert.deepEqual(sizes(), { '/a/x.log': 7, '/b/y.log': 7 });
  const [first] = one.find(now);
  assert.equal(one.find(now)[0], first);
  writeFileSync(join(folder, 'a/x.log'), 'longer than before');
  assert.deepEqual(sizes(), { '/a/x.log': 18, '/b/y.log': 7 });
  renameSync(join(folder, 'b/y.log'), join(folder, 'b/z.log'));
  assert.deepEqual(sizes(), { '/a/x.log': 18, '/b/z.log': 7 });
  assert.deepEqual(
    one.find(now).map(({ captures }) => ({ ...captures })),
    [
      { part: 'a', name: 'x' },
      { part: 'b', name: 'z' },
    ],
  );
});
