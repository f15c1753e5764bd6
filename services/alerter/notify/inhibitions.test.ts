import assert from 'node:assert/strict';
import { test } from 'node:test';
import { notifyConfig } from './config.ts';
import { Inhibitions } from './inhibitions.ts';

const inhibitions = (rule: object) =>
  new Inhibitions(notifyConfig.parse({ inhibit_rules: [rule] }));
const named = (id: string, labels: Record<string, string>) => ({ id, labels });

test('a target is muted by sources whose equal labels are its own; both missing is equal', () => {
  const rule = { source_matchers: ['s=1'], target_matchers: ['t=1'], equal: ['cluster'] };
  const muted = inhibitions(rule).among([
    named('s1', { s: '1', cluster: 'x' }),
    named('s2', { s: '1' }),
    named('t1', { t: '1', cluster: 'x' }),
    named('t2', { t: '1', cluster: 'y' }),
    named('t3', { t: '1' }),
  ]);
  assert.deepEqual(
    [...muted],
    [
      ['t1', ['s1']],
      ['t3', ['s2']],
    ],
  );
});

test('alerts that are source and target don’t mute each other, nor themselves', () => {
  const rule = { source_matchers: ['s=1'], target_matchers: ['t=1'] };
  const both = [named('a', { s: '1', t: '1' }), named('b', { s: '1', t: '1' })];
  assert.deepEqual([...inhibitions(rule).among(both)], []);
  const muted = inhibitions(rule).among([...both, named('s', { s: '1' }), named('t', { t: '1' })]);
  assert.deepEqual(
    [...muted],
    [
      ['a', ['s']],
      ['b', ['s']],
      ['t', ['a', 'b', 's']],
    ],
  );
});

test('of many sources a few are named', () => {
  const rule = { source_matchers: ['s=1'], target_matchers: ['t=1'] };
  const many = Array.from({ length: 1_000 }, (_one, i) => named(`s${i}`, { s: '1' }));
  const muted = inhibitions(rule).among([...many, named('t', { t: '1' })]);
  assert.equal(muted.get('t')?.length, 5);
});

test('what may be muted is known without any source', () => {
  const rule = { source_matchers: ['s=1'], target_matchers: ['t=1'] };
  assert.ok(inhibitions(rule).mayMute({ t: '1' }));
  assert.ok(!inhibitions(rule).mayMute({ s: '1' }));
});
