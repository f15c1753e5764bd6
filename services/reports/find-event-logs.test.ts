import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findEventLogs, type LogSource } from './find-event-logs.ts';

async function folder(context: TestContext, names: readonly string[]): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'tollgate-find-'));
  context.after(() => rm(path, { recursive: true, force: true }));
  for (const name of names) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), name.includes('appstatus') ? '' : 'x');
  }
  return path;
}
const parts = (source: LogSource | undefined) => source?.parts.map(({ path }) => basename(path));

test('files are found at any depth, in order of their names', async (context) => {
  const path = await folder(context, ['b', 'a/deep/er/log', 'c/x', '.hidden', 'a/.crc']);
  const { sources, problems } = await findEventLogs([path]);
  assert.deepEqual(
    sources.map((source) => source.path.slice(path.length + 1)),
    ['a/deep/er/log', 'b', 'c/x'],
  );
  assert.deepEqual(problems, []);
});

test('a rolling folder is one log of its parts by number, without its status', async (context) => {
  const name = 'eventlog_v2_app-1';
  const path = await folder(context, [
    `${name}/appstatus_app-1.inprogress`,
    `${name}/events_10_app-1.zstd`,
    `${name}/events_2_app-1.zstd`,
    ...[1, 3, 4, 5, 6, 7, 8, 9].map((part) => `${name}/events_${part}_app-1.zstd`),
    `${name}/readme`,
  ]);
  const { sources } = await findEventLogs([path]);
  assert.equal(sources.length, 1);
  const numbers = parts(sources[0])?.map((part) => Number(part.split('_')[1]));
  assert.deepEqual(numbers, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.deepEqual([sources[0]?.hasGap, sources[0]?.isCompacted], [false, false]);
});

test('a compacted part replaces itself and all before it', async (context) => {
  const name = 'eventlog_v2_app-1';
  const path = await folder(context, [
    `${name}/events_1_app-1`,
    `${name}/events_2_app-1`,
    `${name}/events_2_app-1.compact`,
    `${name}/events_3_app-1`,
  ]);
  const { sources } = await findEventLogs([join(path, name)]);
  assert.deepEqual(parts(sources[0]), ['events_2_app-1.compact', 'events_3_app-1']);
  assert.deepEqual([sources[0]?.hasGap, sources[0]?.isCompacted], [false, true]);
});

test('a missing part is a gap, be it the first or one between', async (context) => {
  for (const numbers of [
    [2, 3],
    [1, 3],
  ]) {
    const names = numbers.map((part) => `eventlog_v2_app-1/events_${part}_app-1`);
    const { sources } = await findEventLogs([await folder(context, names)]);
    assert.equal(sources[0]?.hasGap, true);
  }
});

test('a rolling folder without parts is named', async (context) => {
  const path = await folder(context, ['eventlog_v2_app-1/appstatus_app-1.inprogress']);
  const { sources, problems } = await findEventLogs([path]);
  assert.equal(sources.length, 0);
  assert.match(problems[0]?.reason ?? '', /no events_<n> file/);
});

test('the same file is found once, under whatever names', async (context) => {
  const path = await folder(context, ['log']);
  await symlink(join(path, 'log'), join(path, 'other'));
  await symlink(path, join(path, 'self'));
  const { sources, problems } = await findEventLogs([join(path, 'log'), path, path]);
  assert.equal(sources.length, 1);
  assert.deepEqual(problems, []);
});

test('what is not there, leads nowhere or is no file is named, and the rest is found', async (context) => {
  const path = await folder(context, ['log']);
  await symlink(join(path, 'gone'), join(path, 'dangling'));
  const { sources, problems } = await findEventLogs([join(path, 'missing'), path, '/dev/null']);
  assert.equal(sources.length, 1);
  assert.deepEqual(
    problems.map(({ path: at, reason }) => [basename(at), reason]),
    [
      ['missing', 'there is no such file or folder'],
      ['dangling', 'there is no such file or folder'],
      ['null', 'it is neither a file nor a folder'],
    ],
  );
});

test('an empty folder is named, even among others', async (context) => {
  const [empty, full] = [await folder(context, []), await folder(context, ['log'])];
  const { sources, problems } = await findEventLogs([empty, full]);
  assert.equal(sources.length, 1);
  assert.deepEqual(problems, [{ path: empty, reason: 'the folder holds no files' }]);
});
