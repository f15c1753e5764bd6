import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Quarantine, QuarantinedRecord } from '../../shared/stores/quarantine.ts';

export function refused(id: string, over: Partial<QuarantinedRecord> = {}): QuarantinedRecord {
  return {
    id,
    collector: 'logs',
    source: 'main',
    reason: 'no-message',
    project: 'etl',
    observedAt: Date.UTC(2026, 10, 21),
    raw: '{"x":\u0000 1}',
    ...over,
  };
}

/** What every quarantine does; run on each adapter. */
export function quarantineSuite(name: string, open: () => Promise<Quarantine>): void {
  test(`${name}: a refused record comes back as it was, newest first`, async () => {
    await using quarantine = await open();
    await quarantine.put([refused('a'), refused('b', { reason: 'too-long' })]);
    const records = await quarantine.list({ limit: 10 });
    assert.deepEqual(records, [refused('b', { reason: 'too-long' }), refused('a')]);
  });

  test(`${name}: the same record twice waits once`, async () => {
    await using quarantine = await open();
    await quarantine.put([refused('a'), refused('a')]);
    await quarantine.put([refused('a', { raw: 'other' })]);
    assert.deepEqual(await quarantine.list({ limit: 10 }), [refused('a')]);
  });

  test(`${name}: filters and limits narrow the list, and counts are by collector and reason`, async () => {
    await using quarantine = await open();
    await quarantine.put([
      refused('a'),
      refused('b', { project: 'ml' }),
      refused('c', { collector: 'metrics', reason: 'nan' }),
    ]);
    const ids = async (filter: object): Promise<string[]> =>
      (await quarantine.list({ limit: 10, ...filter })).map(({ id }) => id);
    assert.deepEqual(await ids({ collector: 'logs' }), ['b', 'a']);
    assert.deepEqual(await ids({ project: 'ml', reason: 'no-message' }), ['b']);
    assert.deepEqual(await ids({ reason: 'nan', collector: 'logs' }), []);
    assert.deepEqual(await ids({ limit: 1 }), ['c']);
    assert.deepEqual(await quarantine.count(), [
      { collector: 'logs', reason: 'no-message', records: 2 },
      { collector: 'metrics', reason: 'nan', records: 1 },
    ]);
    assert.deepEqual(await quarantine.count({ project: 'ml' }), [
      { collector: 'logs', reason: 'no-message', records: 1 },
    ]);
    assert.deepEqual(await quarantine.count({ project: 'none' }), []);
    const later = refused('d', { observedAt: refused('a').observedAt + 1 });
    await quarantine.put([later]);
    assert.deepEqual(await quarantine.count({ since: later.observedAt }), [
      { collector: 'logs', reason: 'no-message', records: 1 },
    ]);
  });

  test(`${name}: what a replay has stored is removed, once`, async () => {
    await using quarantine = await open();
    await quarantine.put([refused('a'), refused('b')]);
    assert.equal(await quarantine.remove(['a', 'a', 'none']), 1);
    assert.deepEqual(
      (await quarantine.list({ limit: 10 })).map(({ id }) => id),
      ['b'],
    );
  });

  test(`${name}: a record is cut to 64 KiB, and odd characters survive`, async () => {
    await using quarantine = await open();
    await quarantine.put([
      refused('a', { raw: 'x'.repeat(100_000) }),
      refused('b', { raw: '\ud800ä' }),
    ]);
    const [b, a] = await quarantine.list({ limit: 10 });
    assert.equal(a?.raw.length, 65_536);
    assert.equal(b?.raw, '\ufffdä');
  });
}
