import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MINUTE_MS } from '../../../shared/values/instant.ts';
import { aRule, aSample } from '../../../test/support/rule-builders.ts';
import { answered, RuleRun } from '../../../test/support/rule-run.ts';
import type { Reading } from '../signals/signal.ts';
import { withoutRule } from './evaluate-rule.ts';

const START = Date.UTC(2026, 10, 21, 9);
const at = (minutes: number): number => START + minutes * MINUTE_MS;
const FAILED: Reading = { outcome: 'failed', why: 'the ledger does not answer' };
const etl = (value: number | undefined, more = {}) => answered([aSample('etl', value, more)]);

/** States of etl after each value, a minute apart. */
function states(run: RuleRun, values: readonly (number | undefined | Reading)[], from = 0) {
  return values.map((value, i) => {
    const reading = typeof value === 'object' ? value : etl(value);
    run.evaluate(at(from + i), reading);
    return run.state('etl');
  });
}

test('a breach is pending for its time, then fires, and is resolved when it is over', () => {
  const run = new RuleRun(aRule({ for: '2m' }));
  const seen = states(run, [70, 90, 90, 90, 90, 70, 70]);
  assert.deepEqual(seen, [
    'inactive',
    'pending',
    'pending',
    'firing',
    'firing',
    'resolved',
    'resolved',
  ]);
  const alert = run.alert('etl');
  assert.deepEqual(
    [alert?.activeSince, alert?.firedAt, alert?.endedAt, alert?.episode],
    [at(1), at(3), at(5), 1],
  );
  assert.deepEqual(
    run.transitions.map(({ from, to, why }) => [from, to, why]),
    [
      ['inactive', 'pending', '90 % is above 80 %'],
      ['pending', 'firing', '90 % is above 80 %'],
      ['firing', 'resolved', '70 % is no longer above 80 %'],
    ],
  );
});

test('an alert says what a person needs: labels, value, limit, cost, annotations, runbook', () => {
  const run = new RuleRun(aRule({ labels: { team: 'data' }, runbook: 'QuotaUsed.md' }));
  const annotations = { cause: 'price\u0007', summary: 'not yours', runbook: 'http://evil' };
  run.evaluate(at(0), etl(90, { annotations }));
  const alert = run.alert('etl');
  assert.deepEqual(alert?.labels, { project: 'etl', team: 'data' });
  assert.deepEqual([alert?.value, alert?.unit, alert?.limit], [90, '%', 'above 80 %']);
  assert.deepEqual(alert?.annotations, {
    cause: 'price ',
    summary: 'etl has used 90 %',
    owner: 'platform',
    runbook: 'QuotaUsed.md',
  });
  assert.deepEqual(alert?.cost, { perHour: '1.5', soFar: '12' });
  assert.deepEqual([alert?.severity, alert?.rule, alert?.project], ['warning', 'QuotaUsed', 'etl']);
});

test('a breach that is over before its time is told to nobody and uses up no episode', () => {
  const run = new RuleRun(aRule({ for: '2m' }));
  assert.deepEqual(states(run, [90, 70, 90, 90, 90]), [
    'pending',
    'inactive',
    'pending',
    'pending',
    'firing',
  ]);
  assert.equal(run.alert('etl')?.episode, 1);
});

test('an alert that fires again is its next episode, also when its last one was long ago', () => {
  const run = new RuleRun(aRule());
  states(run, [90, 70]);
  run.restart();
  states(run, [90], 10_000);
  assert.deepEqual([run.state('etl'), run.alert('etl')?.episode], ['firing', 2]);
});

test('between the thresholds what fires goes on, and what is pending was no lasting breach', () => {
  const firing = new RuleRun(aRule({ clear: { below: 75 } }));
  assert.deepEqual(states(firing, [78, 90, 78, 78, 74]), [
    'inactive',
    'firing',
    'firing',
    'firing',
    'resolved',
  ]);
  const pending = new RuleRun(aRule({ clear: { below: 75 }, for: '1m' }));
  assert.deepEqual(states(pending, [90, 78, 90]), ['pending', 'inactive', 'pending']);
});

test('it fires on after its end for as long as its rule says, and a breach starts that anew', () => {
  const run = new RuleRun(aRule({ keep_firing_for: '2m' }));
  assert.deepEqual(states(run, [90, 70, 70, 90, 70, 70, 70]), [
    'firing',
    'firing',
    'firing',
    'firing',
    'firing',
    'firing',
    'resolved',
  ]);
});

test('a reading that fails changes no state, and says why', () => {
  const run = new RuleRun(aRule({ for: '2m' }));
  states(run, [90, FAILED]);
  assert.deepEqual(
    [run.state('etl'), run.alert('etl')?.verdict, run.alert('etl')?.verdictWhy],
    ['pending', 'error', 'the ledger does not answer'],
  );
  assert.deepEqual(states(run, [90], 2), ['firing']);
  const { outcome, why } = run.evaluate(at(3), FAILED);
  assert.deepEqual(
    [run.state('etl'), outcome, why],
    ['firing', 'error', FAILED.outcome === 'failed' ? FAILED.why : ''],
  );
});

test('old data decide nothing, neither an end nor a breach', () => {
  const run = new RuleRun(aRule({ stale_after: '5m' }));
  states(run, [90]);
  const old = answered([aSample('etl', 10), aSample('ml', 99)], { watermark: at(-5) });
  const { outcome, why } = run.evaluate(at(1), old);
  assert.deepEqual([run.state('etl'), run.state('ml'), outcome], ['firing', 'inactive', 'stale']);
  assert.match(why, /the data end at 2026-11-21T08:55:00.000Z, 360 s ago; the rule takes 300 s/);
  const fresh = answered([aSample('etl', 10)], { watermark: at(-3) });
  run.evaluate(at(2), fresh);
  assert.equal(run.state('etl'), 'resolved');
});

test('what is missing from two whole answers in a row is gone, and never resolved', () => {
  const run = new RuleRun(aRule());
  assert.deepEqual(states(run, [90, answered([]), 90, answered([]), FAILED, answered([])]), [
    'firing',
    'firing',
    'firing',
    'firing',
    'firing',
    'gone',
  ]);
  const alert = run.alert('etl');
  assert.deepEqual([alert?.endedAt, alert?.verdict], [at(5), 'no_data']);
  assert.equal(run.transitions.at(-1)?.why, 'it is missing from the answer');
  assert.deepEqual(states(run, [90], 6), ['firing']);
  assert.equal(run.alert('etl')?.episode, 2);
});

test('an answer that is not whole, or too old, makes nothing gone', () => {
  const run = new RuleRun(aRule());
  const part = answered([], { complete: false });
  const old = answered([], { watermark: at(-1_000) });
  const seen = states(run, [90, part, part, old, old, answered([]), part, old]);
  assert.deepEqual([...new Set(seen)], ['firing']);
});

test('a pending alert whose subject vanishes is told to nobody', () => {
  const run = new RuleRun(aRule({ for: '10m' }));
  assert.deepEqual(states(run, [90, answered([]), answered([])]), [
    'pending',
    'pending',
    'inactive',
  ]);
});

test('a subject without a value keeps its state, its labels and what was last seen', () => {
  const run = new RuleRun(aRule());
  assert.deepEqual(states(run, [undefined, 90, undefined, undefined]), [
    'inactive',
    'firing',
    'firing',
    'firing',
  ]);
  const alert = run.alert('etl');
  assert.deepEqual(
    [alert?.verdict, alert?.verdictWhy, alert?.value, alert?.labels],
    ['no_data', 'nothing is granted', 90, { project: 'etl' }],
  );
});

test('no_data: alert makes an alert of a subject without a value, which is no evidence to act on', () => {
  const run = new RuleRun(aRule({ no_data: 'alert', for: '1m' }));
  assert.deepEqual(states(run, [undefined, undefined]), ['pending', 'firing']);
  const alert = run.alert('etl');
  assert.deepEqual(
    [alert?.verdict, alert?.breaches, alert?.labels, alert?.annotations['summary']],
    ['no_data', 0, { project: 'etl' }, 'etl has used (none) %'],
  );
  assert.equal(run.transitions[0]?.why, 'nothing is granted');
});

test('a number that is none is no data', () => {
  const run = new RuleRun(aRule());
  assert.deepEqual(states(run, [Number.NaN, Number.POSITIVE_INFINITY]), ['inactive', 'inactive']);
  run.evaluate(at(3), etl(90));
  run.evaluate(at(4), etl(Number.NaN));
  assert.equal(run.alert('etl')?.verdictWhy, 'the value is NaN');
});

test('an end on evidence that is not whole is none; a breach on it is told and not acted upon', () => {
  const evidence = aSample('etl', 1).evidence.map((one) => ({ ...one, complete: false }));
  const run = new RuleRun(aRule());
  states(run, [etl(90, { evidence })]);
  assert.deepEqual([run.state('etl'), run.alert('etl')?.breaches], ['firing', 0]);
  states(run, [etl(10, { evidence })], 1);
  assert.deepEqual([run.state('etl'), run.alert('etl')?.verdict], ['firing', 'no_data']);
  assert.deepEqual(states(run, [10], 2), ['resolved']);
});

test('breaches in a row on fresh and whole evidence are counted; anything else begins anew', () => {
  const run = new RuleRun(aRule());
  const part = answered([aSample('etl', 90)], { complete: false });
  const counts = [90, 90, FAILED, 90, 90, undefined, 90, part, 90].map((value, i) => {
    states(run, [value], i);
    return run.alert('etl')?.breaches;
  });
  assert.deepEqual(counts, [1, 2, 0, 1, 2, 0, 1, 0, 1]);
});

test('evidence that names no source is none', () => {
  const run = new RuleRun(aRule());
  states(run, [etl(90, { evidence: [] })]);
  assert.deepEqual([run.state('etl'), run.alert('etl')?.breaches], ['firing', 0]);
});

test('subjects that cannot be told apart are an error, which changes no state', () => {
  const run = new RuleRun(aRule());
  states(run, [90]);
  const twice = answered([aSample('etl', 10), aSample('etl', 20)]);
  const { outcome, why } = run.evaluate(at(1), twice);
  assert.deepEqual([run.state('etl'), outcome], ['firing', 'error']);
  assert.match(why, /two subjects have the labels \{"project":"etl"\}/);
  const collapsed = new RuleRun(aRule({ labels: { name: 'all' } }));
  const samples = ['a', 'b'].map((name) => aSample('etl', 90, { labels: { name } }));
  assert.match(collapsed.evaluate(at(0), answered(samples)).why, /two subjects have the labels/);
});

test('more alerts than its limit are an error, and none of them is raised', () => {
  const run = new RuleRun(aRule({ limit: 2 }));
  run.evaluate(at(0), answered(['a', 'b'].map((name) => aSample(name, 90))));
  const many = ['a', 'b', 'c'].map((name) => aSample(name, 90));
  const { outcome, why } = run.evaluate(at(1), answered(many));
  assert.deepEqual([outcome, run.state('a'), run.state('c')], ['error', 'firing', 'inactive']);
  assert.match(why, /3 alerts, more than its limit of 2/);
  run.evaluate(at(2), answered([...many.slice(0, 2), aSample('c', 1)]));
  assert.equal(run.alert('a')?.verdict, 'breach');
});

test('a clock that goes back decides nothing, and `for` runs on from there', () => {
  const run = new RuleRun(aRule({ for: '3m' }));
  states(run, [90, 90]);
  const { outcome, why } = run.evaluate(at(-100), etl(90));
  assert.deepEqual([run.state('etl'), outcome], ['pending', 'error']);
  assert.match(why, /the clock went back by 6060000 ms/);
  assert.deepEqual(states(run, [90, 90, 90], -99), ['pending', 'pending', 'firing']);
  run.evaluate(at(-200), etl(10));
  assert.equal(run.state('etl'), 'firing');
  run.evaluate(at(-199), etl(10));
  assert.equal(run.state('etl'), 'resolved');
  const { firedAt = 0, endedAt = 0 } = run.alert('etl') ?? {};
  assert.ok(firedAt <= endedAt);
});

test('an edit of what a rule says leaves its alerts as they are, and is in the next message', () => {
  const run = new RuleRun(aRule({ for: '2m' }));
  states(run, [90]);
  const annotations = { summary: 'Mind {{project}}' };
  run.rule = aRule({ for: '2m', annotations, severity: 'critical', owner: 'finance' });
  assert.deepEqual(states(run, [90, 90], 1), ['pending', 'firing']);
  const alert = run.alert('etl');
  assert.deepEqual(
    [alert?.activeSince, alert?.breaches, alert?.severity, alert?.annotations['summary']],
    [at(0), 3, 'critical', 'Mind etl'],
  );
});

test('an edit of what a breach is lets pending alerts begin anew, and judges firing ones by it', () => {
  const run = new RuleRun(aRule({ for: '2m' }));
  states(run, [90, 90]);
  run.rule = aRule({ for: '2m', when: { above: 85 } });
  assert.deepEqual(states(run, [90, 90, 90], 2), ['pending', 'pending', 'firing']);
  assert.deepEqual([run.alert('etl')?.activeSince, run.alert('etl')?.breaches], [at(2), 3]);
  run.rule = aRule({ for: '2m', when: { above: 88 } });
  assert.deepEqual(states(run, [90], 5), ['firing']);
  assert.deepEqual([run.alert('etl')?.breaches, run.alert('etl')?.episode], [1, 1]);
  run.rule = aRule({ for: '2m', when: { above: 95 } });
  assert.deepEqual(states(run, [90], 6), ['resolved']);
});

test('alerts of a rule that is no longer there are gone, or were never told of', () => {
  const run = new RuleRun(aRule({ for: '1m' }));
  const both = answered([aSample('etl', 90), aSample('ml', 90)]);
  run.evaluate(at(0), answered([aSample('etl', 90)]));
  run.evaluate(at(1), both);
  const ends = ['etl', 'ml'].map((project) => {
    const alert = run.alert(project);
    assert.ok(alert);
    const { alert: after, transitions } = withoutRule(alert, at(2));
    return [after.state, after.endedAt, ...transitions.map(({ to, why }) => `${to}: ${why}`)];
  });
  assert.deepEqual(ends, [
    ['gone', at(2), 'gone: its rule is no longer there'],
    ['inactive', at(2), 'inactive: its rule is no longer there'],
  ]);
});
