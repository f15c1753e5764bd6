import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { bucketOf } from './bucket.ts';
import { type FoundEventLog, findEventLogs } from './find-event-logs.ts';
import { LogMemory } from './log-memory.ts';

async function folderWith(files: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-find-'));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return {
    folder,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

test('logs are found in folders, below them, by glob and by name, each once', async () => {
  await using made = await folderWith({
    'app-1': 'abc',
    'app-2.zstd.inprogress': 'abcd',
    'team/app-3': 'a',
    'a/b/c/d/too-deep': 'a',
    'eventlog_v2_app-4/events_1_app-4': 'ab',
    'eventlog_v2_app-4/events_2_app-4': 'abc',
    'eventlog_v2_app-4/appstatus_app-4.inprogress': '',
    'eventlog_v2_empty/appstatus_x': '',
    '.hidden/app-9': 'a',
  });
  const { folder } = made;
  await symlink('/', join(folder, 'link'));
  const found = await findEventLogs([folder, join(folder, 'app-*'), join(folder, 'app-1')]);
  const shown = (log: FoundEventLog) =>
    [relative(folder, log.key), log.parts.length, log.size, log.inProgress].join(' ');
  assert.deepEqual(found.logs.map(shown).sort(), [
    'app-1 1 3 false',
    'app-2 1 4 true',
    'eventlog_v2_app-4 2 5 true',
    'team/app-3 1 1 false',
  ]);
  assert.equal(found.unreadable.size, 0);
});

test('while a log is renamed and both names are listed, the finished one stands', async () => {
  await using made = await folderWith({ 'app-1.inprogress': 'abc', 'app-1': 'abc' });
  const { logs } = await findEventLogs([made.folder]);
  assert.deepEqual(
    logs.map(({ inProgress }) => inProgress),
    [false],
  );
});

test('a folder that isn’t there is named, and doesn’t hide the others', async () => {
  await using made = await folderWith({ 'app-1': 'abc' });
  const missing = join(made.folder, 'nowhere');
  const found = await findEventLogs([missing, made.folder]);
  assert.deepEqual([...found.unreadable], [[missing, 'ENOENT']]);
  assert.equal(found.logs.length, 1);
});

const log = (key: string, size: number, inProgress = false): FoundEventLog => ({
  key,
  size,
  inProgress,
  parts: [],
  modifiedAt: 0,
  fallback: { application: key, attempt: '' },
});

test('logs put aside are remembered over a restart until they change or are gone', () => {
  const memory = new LogMemory('main', []);
  memory.putAside(log('/a', 10));
  memory.putAside(log('/b', 20, true));
  const restored = new LogMemory('main', memory.takeCheckpoints());
  assert.deepEqual(memory.takeCheckpoints(), []);
  assert.ok(restored.isAside(log('/a', 10)));
  assert.ok(restored.isAside(log('/b', 20, true)));
  assert.ok(!restored.isAside(log('/a', 11)));
  assert.ok(!restored.isAside(log('/b', 20)));
  restored.forget((key) => key === '/a');
  assert.ok(!restored.isAside(log('/b', 20, true)));
  const again = new LogMemory('main', restored.takeCheckpoints());
  assert.ok(!again.isAside(log('/b', 20, true)));
});

test('a text always falls into the same of 64 buckets, and texts spread over them', () => {
  const buckets = Array.from({ length: 640 }, (_one, n) => bucketOf(`application_17_${n}`));
  assert.equal(bucketOf('application_17_3'), buckets[3]);
  assert.ok(buckets.every((bucket) => bucket >= 0 && bucket < 64));
  assert.ok(new Set(buckets).size > 55);
});
