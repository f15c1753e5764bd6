import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { compareLogFiles, listLogFiles, logFilePath, printLogFileName } from './log-file-name.ts';

const DAY = Date.UTC(2026, 10, 20);

test('files are listed by day and by part as a number; what has another name is passed by', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'log-names-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const names = [
    'logs-2026-11-20.10.db',
    'logs-2026-11-20.2.db',
    'logs-2026-11-20.db',
    'logs-2026-02-01.db',
  ];
  const others = ['logs-2026-11-20.db-wal', 'logs-2026-13-45.db', 'logs-2026-11-20.x.db', 'a.db'];
  for (const name of [...names, ...others]) writeFileSync(join(folder, name), '');
  assert.deepEqual(
    listLogFiles(folder).map((name) => logFilePath(folder, name)),
    names.toReversed().map((name) => join(folder, name)),
  );
});

test('a name says its day and part, and reads back in the order of making', () => {
  assert.equal(printLogFileName({ day: DAY, part: 1 }), 'logs-2026-11-20.db');
  assert.equal(printLogFileName({ day: DAY, part: 12 }), 'logs-2026-11-20.12.db');
  assert.ok(compareLogFiles({ day: DAY, part: 9 }, { day: DAY, part: 10 }) < 0);
  assert.ok(compareLogFiles({ day: DAY, part: 9 }, { day: DAY + 1, part: 1 }) < 0);
});
