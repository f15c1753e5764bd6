import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { aRule, aSample } from '../../../test/support/rule-builders.ts';
import { answered, RuleRun } from '../../../test/support/rule-run.ts';
import type { Reading } from '../signals/signal.ts';
import { isOpen } from './next-alert.ts';

const START = Date.UTC(2026, 10, 21, 9);
const SECOND = 1_000;

/** What one evaluation meets; readings are made when its time is known. */
interface Step {
  readonly afterMs: number;
  readonly reading: (now: number) => Reading;
  readonly kind: 'whole' | 'part' | 'failed' | 'stale';
  readonly restart: boolean;
}

const anySample = fc
  .record({
    name: fc.constantFrom('a', 'b', 'c'),
    value: fc.constantFrom(undefined, 10, 78, 90, Number.NaN),
    wholeEvidence: fc.boolean(),
  })
  .map(({ name, value, wholeEvidence }) => {
    const sample = aSample(name, value);
    return wholeEvidence
      ? sample
      : { ...sample, evidence: sample.evidence.map((one) => ({ ...one, complete: false })) };
  });

const anyStep = (backwards: boolean): fc.Arbitrary<Step> =>
  fc
    .record({
      afterMs: fc.integer({ min: backwards ? -300 * SECOND : SECOND, max: 120 * SECOND }),
      kind: fc.constantFrom('whole', 'whole', 'whole', 'part', 'failed', 'stale'),
      restart: fc.boolean(),
      samples: fc.uniqueArray(anySample, {
        maxLength: 3,
        selector: ({ labels }) => labels['project'],
      }),
    })
    .map(({ afterMs, kind, restart, samples }) => ({
      afterMs,
      kind,
      restart,
      reading: (now: number): Reading => {
        if (kind === 'failed') return { outcome: 'failed', why: 'no answer' };
        const watermark = kind === 'stale' ? now - 3_600_000 : now;
        return answered(samples, { watermark, complete: kind !== 'part' });
      },
    }));

const anyRule = fc
  .record({
    for: fc.constantFrom('0s', '1m', '3m'),
    keep_firing_for: fc.constantFrom('0s', '2m'),
    no_data: fc.constantFrom('keep', 'alert'),
    clear: fc.constantFrom(undefined, { below: 75 }),
    limit: fc.constantFrom(1, 2, 1_000),
  })
  .map((written) => aRule(written));

const anySteps = (backwards = false) => fc.array(anyStep(backwards), { maxLength: 30 });

/** Plays the steps, and lets `look` see each of them. */
function play(
  run: RuleRun,
  steps: readonly Step[],
  look: (step: Step, now: number, before: ReadonlyMap<string, unknown>) => void = () => {},
): RuleRun {
  let now = START;
  for (const step of steps) {
    now += step.afterMs;
    const before = new Map(run.stored);
    run.evaluate(now, step.reading(now));
    look(step, now, before);
  }
  return run;
}

function asStored({ stored }: RuleRun): unknown {
  return JSON.parse(JSON.stringify([...stored].sort(([a], [b]) => (a < b ? -1 : 1))));
}

test('restarts at any point lead to the same alerts as none', () => {
  fc.assert(
    fc.property(anyRule, anySteps(true), (rule, steps) => {
      const steady = play(new RuleRun(rule), steps);
      const restarted = new RuleRun(rule);
      play(restarted, steps, ({ restart }) => {
        if (restart) restarted.restart();
      });
      assert.deepEqual(asStored(restarted), asStored(steady));
      assert.deepEqual(restarted.transitions, steady.transitions);
    }),
    { numRuns: 300 },
  );
});

const NEXT: Readonly<Record<string, readonly string[]>> = {
  inactive: ['pending', 'firing'],
  pending: ['inactive', 'firing'],
  firing: ['resolved', 'gone'],
  resolved: ['pending', 'firing'],
  gone: ['pending', 'firing'],
};

test('an alert goes only where its life leads: no end before it fired, each episode fires once', () => {
  fc.assert(
    fc.property(anyRule, anySteps(true), (rule, steps) => {
      const { transitions, stored } = play(new RuleRun(rule), steps);
      const states = new Map<string, string>();
      const fired = new Set<string>();
      for (const { alert, episode, from, to } of transitions) {
        assert.equal(from, states.get(alert) ?? 'inactive');
        assert.ok(NEXT[from]?.includes(to), `${from} to ${to}`);
        states.set(alert, to);
        const occurrence = `${alert}#${episode}`;
        if (to === 'firing') {
          assert.ok(!fired.has(occurrence), 'an episode fires once');
          fired.add(occurrence);
        }
        if (to === 'resolved' || to === 'gone') assert.ok(fired.has(occurrence));
      }
      for (const alert of stored.values()) {
        assert.equal(states.get(alert.id), alert.state);
        const { activeSince, firedAt = Number.NaN, endedAt = Number.NaN } = alert;
        assert.ok(!(firedAt < activeSince) && !(endedAt < firedAt));
      }
    }),
    { numRuns: 300 },
  );
});

test('failed and stale readings change no state, and no value that was seen', () => {
  fc.assert(
    fc.property(anyRule, anySteps(), (rule, steps) => {
      const run = new RuleRun(rule);
      play(run, steps, ({ kind }, now, before) => {
        if (kind !== 'failed' && kind !== 'stale') return;
        const unlike = { verdict: '', verdictWhy: '', breaches: 0, evaluatedAt: now };
        const bare = (alerts: ReadonlyMap<string, unknown>) =>
          [...alerts.values()].map((alert) => ({ ...(alert as object), ...unlike }));
        assert.deepEqual(bare(run.stored), bare(before));
      });
    }),
    { numRuns: 300 },
  );
});

test('a clock that goes back fires and ends nothing', () => {
  fc.assert(
    fc.property(anyRule, anySteps(true), (rule, steps) => {
      const run = new RuleRun(rule);
      let told: number | undefined;
      play(run, steps, ({ afterMs }, now) => {
        if (afterMs < 0 && told !== undefined) assert.equal(run.transitions.length, told);
        told = run.transitions.length;
        for (const alert of run.stored.values()) {
          if (isOpen(alert)) assert.ok(alert.activeSince <= now && (alert.firedAt ?? now) <= now);
        }
      });
    }),
    { numRuns: 300 },
  );
});

test('what fires was in breach for its time, as whole seconds passed', () => {
  fc.assert(
    fc.property(anyRule, anySteps(), (rule, steps) => {
      for (const alert of play(new RuleRun(rule), steps).stored.values()) {
        if (alert.firedAt === undefined) continue;
        assert.ok(alert.firedAt - alert.activeSince >= rule.forMs);
      }
    }),
  );
});

test('never more alerts fire than the limit at one time on whole readings of the same subjects', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 8 }), (limit, count) => {
      const run = new RuleRun(aRule({ limit }));
      const samples = Array.from({ length: count }, (_, i) => aSample(`p${i}`, 90));
      run.evaluate(START, answered(samples));
      assert.equal(run.stored.size, count <= limit ? count : 0);
    }),
  );
});
