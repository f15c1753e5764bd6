import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { listMetricFiles, metricFilePath } from './metric-file-name.ts';

test('files are listed by day and part as numbers, and others are passed by', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'metric-names-'));
  for (const name of [
    'metrics-2026-11-20.10.db',
    'metrics-2026-11-20.2.db',
    'metrics-2026-11-20.db',
    'metrics-2026-11-20.db-wal',
    'metrics-2026-02-01.db',
    'metrics-2026-99-99.db',
    'metric-minutes-2026-11-19.db',
    'ledger.db',
  ]) {
    await writeFile(join(folder, name), '');
  }
  const raw = listMetricFiles(folder, 'raw');
  assert.deepEqual(
    raw.map((name) => metricFilePath(folder, 'raw', name)),
    [
      'metrics-2026-02-01.db',
      'metrics-2026-11-20.db',
      'metrics-2026-11-20.2.db',
      'metrics-2026-11-20.10.db',
    ].map((name) => join(folder, name)),
  );
  assert.deepEqual(listMetricFiles(folder, 'minutes'), [{ day: Date.UTC(2026, 10, 19), part: 1 }]);
  await rm(folder, { recursive: true });
});
