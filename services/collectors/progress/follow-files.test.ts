import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { appendFile, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { type Clock, systemClock } from '../../../shared/runtime/clock.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { aBatch, ETL, NOW, ProgressBench } from '../../../test/support/progress-bench.ts';
import { sharedDataFile } from '../../../test/support/shared-data.ts';
import { progressConfig } from './config.ts';

/** Real pauses, short ones, since the file system has no fake clock. */
const clock: Clock = { ...systemClock, now: () => NOW };

function lines(from: number, until: number): string {
  let text = '';
  for (let n = from; n < until; n += 1) text += `${JSON.stringify(aBatch(n, n, n))}\n`;
  return text;
}

async function until(done: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 500; i += 1) {
    if (await done()) return;
    await systemClock.sleep(10, new AbortController().signal);
  }
  assert.fail('not seen within five seconds');
}

function kept(bench: ProgressBench, fate = 'kept'): number {
  let sum = 0;
  for (const [labels, value] of bench.metrics.values('tollgate_records_total')) {
    if (labels.includes(`fate="${fate}"`)) sum += value;
  }
  return sum;
}

async function following(bench: ProgressBench, paths: readonly string[]): Promise<void> {
  const files = [{ paths: [...paths], cluster: 'yarn' }];
  await bench.start(progressConfig.parse({ files }), { clock });
}

test('a growing file is read on where its records end, also after a restart', async () => {
  await using bench = await ProgressBench.open();
  const folder = join(bench.folder, 'in', 'etl');
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'progress.jsonl');
  const paths = [join(bench.folder, 'in', '{project}', 'progress.jsonl')];
  const half = lines(3, 4);
  await writeFile(path, lines(0, 3) + half.slice(0, 100));
  await following(bench, paths);
  await until(async () => kept(bench) === 3);
  await bench.stop();
  await following(bench, paths);
  await appendFile(path, half.slice(100) + lines(4, 6));
  await until(async () => (await bench.query())?.fields['batch_id'] === 5);
  assert.equal(kept(bench), 6, 'each record once');
  assert.equal(kept(bench, 'dropped') + kept(bench, 'quarantined'), 0);
});

test('half a record at a rotation is joined with the rest in the next file', async () => {
  await using bench = await ProgressBench.open();
  const path = join(bench.folder, 'progress.jsonl');
  const half = lines(1, 2);
  await writeFile(path, lines(0, 1) + half.slice(0, 50));
  await bench.start(
    progressConfig.parse({ files: [{ paths: [path], cluster: 'yarn', project: 'etl' }] }),
    { clock },
  );
  await until(async () => kept(bench) === 1);
  await rename(path, `${path}.1`);
  await writeFile(path, half.slice(50) + lines(2, 3));
  await until(async () => kept(bench) === 3);
  assert.equal(kept(bench, 'quarantined'), 0);
});

test("an event log yields its application's queries and drops all other events by name", async () => {
  await using bench = await ProgressBench.open();
  const sample = sharedDataFile('spark4/eventlog/app-20261121071948-0000.cut.jsonl.gz');
  const folder = join(bench.folder, 'events');
  await mkdir(folder);
  const text = gunzipSync(readFileSync(sample)).toString();
  await writeFile(join(folder, 'app-20261121071948-0000'), text);
  await following(bench, [join(folder, '{application}')]);
  const total = text.trim().split('\n').length;
  await until(async () => kept(bench) + kept(bench, 'dropped') === total);
  assert.equal(kept(bench), 42);
  const rows = await bench.reader.latest('unattributed' as ProjectId, 'streaming_query', 0);
  assert.deepEqual(
    rows
      .map(({ tags, fields }) => [tags['name'], tags['application'], fields['state']])
      .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
    [
      ['', 'app-20261121071948-0000', 1],
      ['fails', 'app-20261121071948-0000', 2],
      ['rate_agg', 'app-20261121071948-0000', 1],
      ['rate_fb', 'app-20261121071948-0000', 1],
    ],
  );
  assert.equal((await bench.reader.latest(ETL, 'streaming_query', 0)).length, 0);
});

test('a path that is no pattern is a configuration error, said at the start', async () => {
  await using bench = await ProgressBench.open();
  const files = [{ paths: ['/a/{unclosed'], cluster: 'yarn' }];
  await assert.rejects(bench.start(progressConfig.parse({ files })), { code: 'CONFIG_INVALID' });
});
