import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Silence } from '../../shared/stores/silence-store.ts';
import type { AlertStores } from '../../shared/stores/sql/open-alert-stores.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { aSilence } from '../support/alert-builders.ts';
import { T0 } from '../support/fact-builders.ts';

const idsOf = (silences: readonly Silence[]): string[] => silences.map(({ id }) => id);

/** What every store of silences does, whatever it is stored in. */
export function silenceStoreSuite(engine: string, open: () => Promise<AlertStores>): void {
  test(`${engine}: a silence comes back as it was made, and its id is taken`, async () => {
    await using stores = await open();
    const { silences } = stores;
    const hostile = aSilence('s1', { comment: '\u0000\ud800{{x}}', project: undefined });
    await silences.create(hostile);
    await silences.create(hostile);
    assert.deepEqual(await silences.silence('s1'), hostile);
    await assert.rejects(silences.create({ ...hostile, author: 'eve' }), { code: 'CONFLICT' });
    assert.deepEqual(await silences.silence('s1'), hostile);
    assert.equal(await silences.silence('none'), undefined);
  });

  test(`${engine}: silences are listed by their end, those of a project apart`, async () => {
    await using stores = await open();
    const { silences } = stores;
    await silences.create(aSilence('a', { endsAt: T0 + 30 }));
    await silences.create(aSilence('b', { endsAt: T0 + 20, project: 'ml' as ProjectId }));
    await silences.create(aSilence('c', { endsAt: T0 + 10 }));
    assert.deepEqual(idsOf(await silences.silences(T0 + 10)), ['b', 'a']);
    assert.deepEqual(idsOf(await silences.silences(T0)), ['c', 'b', 'a']);
    assert.deepEqual(idsOf(await silences.silences(T0, { limit: 1 })), ['c']);
    assert.deepEqual(idsOf(await silences.silences(T0, { project: 'ml' as ProjectId })), ['b']);
  });

  test(`${engine}: a silence is ended early once, and says by whom`, async () => {
    await using stores = await open();
    const { silences } = stores;
    await silences.create(aSilence('s1', { startsAt: T0, endsAt: T0 + 60 }));
    assert.equal(await silences.end('s1', T0 + 20, 'bob'), 'ended');
    assert.equal(await silences.end('s1', T0 + 30, 'eve'), 'already-over');
    assert.equal(await silences.end('none', T0, 'bob'), 'unknown');
    const ended = await silences.silence('s1');
    assert.deepEqual([ended?.startsAt, ended?.endsAt, ended?.endedBy], [T0, T0 + 20, 'bob']);
    assert.deepEqual(idsOf(await silences.silences(T0 + 19)), ['s1'], 'it stays listed');
    assert.deepEqual(idsOf(await silences.silences(T0 + 20)), []);
    await silences.create(aSilence('s2', { startsAt: T0 + 50, endsAt: T0 + 60 }));
    await silences.end('s2', T0 + 20, 'bob');
    const never = await silences.silence('s2');
    assert.deepEqual([never?.startsAt, never?.endsAt], [T0 + 20, T0 + 20], 'never begins');
  });

  test(`${engine}: silences that are over are forgotten`, async () => {
    await using stores = await open();
    const { silences } = stores;
    await silences.create(aSilence('a', { endsAt: T0 + 9 }));
    await silences.create(aSilence('b', { endsAt: T0 + 10 }));
    assert.equal(await silences.forget(T0 + 10), 1);
    assert.deepEqual(idsOf(await silences.silences(0)), ['b']);
  });
}
