import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aSilence } from '../../test/support/alert-builders.ts';
import { T0 } from '../../test/support/fact-builders.ts';
import type { LabelMatcher } from '../stores/silence-store.ts';
import { DAY_MS } from '../values/instant.ts';
import { silenceProblems } from './silence-problems.ts';

const regex = (value: string, isEqual = true): LabelMatcher => ({
  ...{ name: 'alertname', value, isRegex: true, isEqual },
});

test('a silence that says what, who, why and until when may be made', () => {
  assert.deepEqual(silenceProblems(aSilence('s'), T0), []);
  assert.deepEqual(silenceProblems(aSilence('s', { matchers: [regex('cluster-.*')] }), T0), []);
});

test('all that is wrong with a silence is told at once', () => {
  const silence = aSilence('s', { author: ' ', comment: '', startsAt: T0 - 1, endsAt: T0 - 1 });
  assert.deepEqual(silenceProblems({ ...silence, matchers: [] }, T0).length, 5);
});

test('a silence that leaves nothing out is refused, however it is written', () => {
  for (const matchers of [
    [regex('.*')],
    [regex('.+')],
    [regex('(?s).*')],
    [regex('|.+')],
    [regex('[^a]*|.*')],
    [regex('x', false)],
    [{ name: 'team', value: '', isRegex: false, isEqual: true }],
    [{ name: 'team', value: 'x', isRegex: false, isEqual: false }],
    [regex('(a|)')],
  ]) {
    const [problem] = silenceProblems(aSilence('s', { matchers }), T0);
    assert.match(problem ?? '', /leave nothing out/, JSON.stringify(matchers));
  }
  const both = [regex('.*'), { name: 'team', value: 'x', isRegex: false, isEqual: true }];
  assert.deepEqual(silenceProblems(aSilence('s', { matchers: both }), T0), []);
});

test('a bad pattern, too many matchers and an end without end are refused', () => {
  const bad = silenceProblems(aSilence('s', { matchers: [regex('('), regex('[')] }), T0);
  assert.equal(bad.length, 2);
  assert.match(bad[0] ?? '', /^matcher alertname=~"\(" .*RE2/);
  const many = Array.from({ length: 51 }, () => regex('a'));
  assert.match(silenceProblems(aSilence('s', { matchers: many }), T0)[0] ?? '', /more than 50/);
  const endless = aSilence('s', { endsAt: T0 + 91 * DAY_MS });
  assert.match(silenceProblems(endless, T0)[0] ?? '', /longer than 90 days/);
  const long = aSilence('s', { comment: 'x'.repeat(2_001), author: 'y'.repeat(201) });
  assert.equal(silenceProblems(long, T0).length, 2);
});
