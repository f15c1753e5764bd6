import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../shared/errors/app-error.ts';
import type { AlertStore } from '../../shared/stores/alert-store.ts';
import { anAlert } from '../../test/support/alert-builders.ts';
import { GroupedSaves } from './grouped-saves.ts';

const FENCE = { name: 'alerter/rules', token: 3n };

/** A store whose saves end when they are told to. */
function slowStore() {
  const groups: string[][] = [];
  const ends: ((error?: Error) => void)[] = [];
  const save: AlertStore['save'] = ({ alerts }, fence) => {
    assert.equal(fence, FENCE);
    groups.push(alerts.map(({ id }) => id));
    return new Promise((resolve, reject) => {
      ends.push((error) => (error === undefined ? resolve() : reject(error)));
    });
  };
  const end = async (error?: Error): Promise<void> => {
    ends.shift()?.(error);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { groups, end, saves: new GroupedSaves({ save }, FENCE) };
}

const change = (id: string) => ({ alerts: [anAlert(id)], transitions: [], health: [] });

test('what comes while a save is on its way goes with the next, in one', async () => {
  const { groups, end, saves } = slowStore();
  const done: string[] = [];
  for (const id of ['a', 'b', 'c']) void saves.save(change(id)).then(() => done.push(id));
  assert.deepEqual(groups, [['a']]);
  await end();
  assert.deepEqual([groups, done], [[['a'], ['b', 'c']], ['a']]);
  await end();
  assert.deepEqual(done, ['a', 'b', 'c']);
  void saves.save(change('d'));
  assert.deepEqual(groups.at(-1), ['d']);
});

test('a save that fails fails for all that went with it, and the next is tried', async () => {
  const { end, saves } = slowStore();
  const away = new AppError('STORE_UNAVAILABLE', 'it is away');
  const results = Promise.allSettled(['a', 'b', 'c'].map((id) => saves.save(change(id))));
  await end();
  const next = saves.save(change('d'));
  await end(away);
  await end();
  assert.deepEqual(
    (await results).map(({ status }) => status),
    ['fulfilled', 'rejected', 'rejected'],
  );
  await next;
});
