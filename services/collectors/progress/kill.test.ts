import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../../shared/runtime/clock.ts';
import { openMetricReader } from '../../../shared/stores/sql/metric-reader.ts';
import { aBatch, ETL } from '../../../test/support/progress-bench.ts';

const CHILD = join(import.meta.dirname, '../../../test/support/progress-process.ts');
const LINES = 400;
/** Milliseconds after its start at which each process is killed. */
const KILLS = [5, 60, 130, 30];

async function pause(ms: number): Promise<void> {
  await systemClock.sleep(ms, new AbortController().signal);
}

test('a collector that is killed again and again stores each record of a file once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'progress-kill-'));
  const file = join(folder, 'progress.jsonl');
  const data = join(folder, 'data');
  await writeFile(file, '');
  let written = 0;
  let rest = '';
  const write = async (lines: number): Promise<void> => {
    let text = '';
    for (const end = written + lines; written < end; written += 1) {
      text += `${JSON.stringify(aBatch(written, 10 * written, 10 * written + 5))}\n`;
    }
    // All but the end of the last line, which comes with the next ones.
    const whole = written === LINES ? text.length : text.length - 60;
    await appendFile(file, rest + text.slice(0, whole));
    rest = text.slice(whole);
  };
  const begin = () =>
    spawn(process.execPath, [CHILD, data, file, String(LINES)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  for (const after of KILLS) {
    const child = begin();
    await once(child.stdout, 'data');
    const exited = once(child, 'exit');
    await write(40);
    await pause(after);
    await write(20);
    child.kill('SIGKILL');
    await exited;
  }
  await write(LINES - written);
  const [code] = await once(begin(), 'exit');
  assert.equal(code, 0);

  await using reader = await openMetricReader({ folder: data });
  const span = { from: 0, until: 4e12, stepMs: 0, limit: 10 };
  const field = async (name: string) => {
    const query = { measurement: 'streaming_query', field: name, aggregate: 'last' as const };
    const [series, ...others] = await reader.query(ETL, { ...query, ...span });
    assert.equal(others.length, 0);
    return series?.points.map(([, value]) => value) ?? [];
  };
  const expected = Array.from({ length: LINES }, (_, batch) => batch);
  assert.deepEqual(await field('batch_id'), expected);
  assert.deepEqual(
    await field('verdict'),
    expected.map((batch) => (batch < 2 ? 0 : 1)),
    'the window of verdicts went on where it was',
  );
  await rm(folder, { recursive: true });
});
