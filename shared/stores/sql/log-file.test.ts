import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { AT, logRecord } from '../../../test/contracts/log-store-suite.ts';
import { HOUR_MS, utcHour } from '../../values/instant.ts';
import type { Checkpoint } from '../checkpoint.ts';
import { LogFile } from './log-file.ts';

const NAME = { day: Date.UTC(2026, 10, 21), part: 1 };

interface Place {
  readonly path: string;
  open(inherited?: readonly Checkpoint[]): LogFile;
  /** What a query gives on a connection of its own. */
  rows(sql: string): Record<string, unknown>[];
}

function place(t: TestContext): Place {
  const folder = mkdtempSync(join(tmpdir(), 'log-file-'));
  const path = join(folder, 'logs-2026-11-21.db');
  const closing: Disposable[] = [];
  t.after(() => {
    for (const one of closing) one[Symbol.dispose]();
    rmSync(folder, { recursive: true });
  });
  return {
    path,
    open(inherited = []) {
      const file = new LogFile(path, NAME, () => inherited);
      closing.push({ [Symbol.dispose]: () => closeOnce(file) });
      return file;
    },
    rows(sql) {
      const database = new DatabaseSync(path, { readOnly: true });
      try {
        return database.prepare(sql).all();
      } finally {
        database.close();
      }
    },
  };
}

function closeOnce(file: LogFile): void {
  try {
    file[Symbol.dispose]();
  } catch (error) {
    assert.match(`${error}`, /not open/);
  }
}

const S1 = { source: 's', position: '1' };

test('a name is stored once, however many lines and restarts use it', (t) => {
  const { open, rows } = place(t);
  const file = open();
  const records = [logRecord(), logRecord({ thread: 'other' }), logRecord({ message: 'm' })];
  file.transaction(() => file.insert(records, AT));
  file[Symbol.dispose]();
  const again = open();
  again.transaction(() => again.insert(records, AT));
  // Project, cluster, application, container, logger, and no marks.
  assert.equal(rows('SELECT count(*) AS n FROM name')[0]?.['n'], 6);
  assert.equal(rows('SELECT count(*) AS n FROM log')[0]?.['n'], 6);
});

test('more names than are remembered still have one id each', (t) => {
  const { open, rows } = place(t);
  const file = open();
  const many = Array.from({ length: 50_500 }, (_, i) => logRecord({ application: `app-${i}` }));
  file.transaction(() => {
    file.insert(many, AT);
    file.insert(many.slice(0, 200), AT);
  });
  const [found] = rows("SELECT count(*) AS n FROM name WHERE text LIKE 'app-%'");
  assert.equal(found?.['n'], 50_500);
  const [twice] = rows(`SELECT count(*) AS n FROM log WHERE application =
    (SELECT id FROM name WHERE text = 'app-7')`);
  assert.equal(twice?.['n'], 2);
});

test('names and ids that a failed transaction gave out are given out anew', (t) => {
  const { open, rows } = place(t);
  const file = open();
  assert.throws(
    () =>
      file.transaction(() => {
        file.insert([logRecord({ application: 'lost' })], AT);
        assert.ok(file.addId('etl', 'x'));
        file.putCheckpoints([S1]);
        throw new Error('stop');
      }),
    /stop/,
  );
  assert.equal(file.hasId('etl', 'x'), false);
  assert.deepEqual(file.checkpoints(''), []);
  file.transaction(() => file.insert([logRecord({ application: 'kept' })], AT));
  file.transaction(() => file.insert([logRecord({ application: 'lost' })], AT));
  const stored = rows(
    `SELECT text FROM log JOIN name ON name.id = log.application ORDER BY log.id`,
  );
  assert.deepEqual(
    stored.map(({ text }) => text),
    ['kept', 'lost'],
  );
});

test('an id belongs to its project, and is new once', (t) => {
  const file = place(t).open();
  assert.deepEqual(
    [file.addId('a', 'x'), file.addId('a', 'x'), file.addId('b', 'x')],
    [true, false, true],
  );
  assert.deepEqual([file.hasId('b', 'x'), file.hasId('c', 'x')], [true, false]);
});

test('volume is counted by project and by the hour of arrival, however old the lines are', (t) => {
  const { open, rows } = place(t);
  const file = open();
  const last = utcHour(AT) + HOUR_MS - 1;
  const put = (now: number, project: string, message: string): void => {
    const one = logRecord({ at: 0, message, project: project as never });
    file.transaction(() => file.insert([one], now));
  };
  put(last, 'etl', '12345');
  put(last, 'etl', '1');
  put(last + 1, 'etl', '12');
  put(last + 1, 'ml', '123');
  const stored = rows(`SELECT text, hour, records, bytes FROM volume
    JOIN name ON name.id = volume.project ORDER BY hour, text`);
  assert.deepEqual(
    stored.map((row) => Object.values(row)),
    [
      ['etl', utcHour(AT), 2, 6],
      ['etl', utcHour(AT) + HOUR_MS, 1, 2],
      ['ml', utcHour(AT) + HOUR_MS, 1, 3],
    ],
  );
});

test('checkpoints are found by the exact start of their source, signs and emoji included', (t) => {
  const file = place(t).open();
  const sources = ['/a%/1', '/ab/1', '/📁/1', '/📁2', '/A%/1'];
  file.transaction(() => file.putCheckpoints(sources.map((source) => ({ ...S1, source }))));
  const found = (prefix: string): string[] => file.checkpoints(prefix).map(({ source }) => source);
  assert.deepEqual(found('/a%'), ['/a%/1']);
  assert.deepEqual(found('/📁/'), ['/📁/1']);
  assert.deepEqual(found('/📁').sort(), ['/📁/1', '/📁2']);
  assert.equal(found('').length, 5);
  assert.deepEqual(found('/none'), []);
});

test('an empty position removes a checkpoint, a later one replaces it', (t) => {
  const file = place(t).open();
  file.transaction(() => file.putCheckpoints([S1, { source: 't', position: '5' }]));
  file.transaction(() => file.putCheckpoints([{ ...S1, position: '' }]));
  file.transaction(() => file.putCheckpoints([{ source: 't', position: '6' }]));
  assert.deepEqual(file.checkpoints(''), [{ source: 't', position: '6' }]);
});

test('checkpoints of the file before are taken over by an empty file, and by no other', (t) => {
  const { open } = place(t);
  const old = [S1, { source: 't', position: '1' }];
  open([])[Symbol.dispose]();
  const file = open(old);
  assert.deepEqual(file.checkpoints(''), old, 'a crash came between making and taking over');
  file.transaction(() => {
    file.insert([logRecord()], AT);
    file.putCheckpoints([
      { source: 's', position: '' },
      { source: 't', position: '' },
    ]);
  });
  file[Symbol.dispose]();
  assert.deepEqual(open(old).checkpoints(''), [], 'what was removed does not come back');
});

test('an index is tidied step by step until nothing is left to merge', (t) => {
  const file = place(t).open();
  for (let i = 0; i < 20; i += 1) {
    file.transaction(() => file.insert([logRecord({ message: `word${i} ${'x'.repeat(i)}` })], AT));
  }
  let steps = 0;
  while (file.tidy() && steps < 100) steps += 1;
  assert.ok(steps < 100);
  assert.equal(file.tidy(), false);
});
