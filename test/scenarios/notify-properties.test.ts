import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Notification } from '../../shared/contracts/notification.ts';
import type { Instant } from '../../shared/values/instant.ts';
import { NotifyScenario } from '../support/notify-scenario.ts';

const ALERTS = ['a1', 'a2', 'n1'];
const STEP_MS = 5_000;
const REPEAT_MS = 300_000;
const CONFIG = {
  route: {
    ...{ receiver: 'ops', group_by: ['alertname'], group_wait: '10s', group_interval: '20s' },
    repeat_interval: '5m',
  },
  inhibit_rules: [
    { source_matchers: ['alertname=node-down'], target_matchers: ['severity=warning'] },
  ],
  flapping: { times: 100 },
  warm_up: '10s',
};

type Step =
  | { readonly does: 'fire' | 'resolve' | 'go'; readonly alert: string }
  | { readonly does: 'silence'; readonly alert: string; readonly forS: number }
  | { readonly does: 'end-silence' | 'kill' | 'restart' | 'join' }
  | { readonly does: 'fail'; readonly fault: 'before' | 'after' }
  | { readonly does: 'wait'; readonly steps: number };

const alert = fc.constantFrom(...ALERTS);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ does: fc.constant('fire' as const), alert }) },
  {
    weight: 3,
    arbitrary: fc.record({ does: fc.constantFrom('resolve' as const, 'go' as const), alert }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      ...{ does: fc.constant('silence' as const), alert },
      forS: fc.integer({ min: 30, max: 200 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constantFrom(
        'end-silence' as const,
        'kill' as const,
        'restart' as const,
        'join' as const,
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constant('fail' as const),
      fault: fc.constantFrom('before' as const, 'after' as const),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      does: fc.constant('wait' as const),
      steps: fc.integer({ min: 1, max: 12 }),
    }),
  },
);

/** What happened, told apart from what Tollgate makes of it. */
class History {
  readonly #alerts: { readonly at: Instant; readonly id: string; readonly fires: boolean }[] = [];
  readonly silences: { id: string; alert: string; from: Instant; until: Instant }[] = [];

  note(at: Instant, id: string, fires: boolean): void {
    this.#alerts.push({ at, id, fires });
  }

  fires(id: string, at: Instant): boolean {
    return this.#alerts.findLast((one) => one.id === id && one.at <= at)?.fires ?? false;
  }

  isSilenced(id: string, at: Instant): boolean {
    return this.silences.some((one) => one.alert === id && one.from <= at && at < one.until);
  }

  isInhibited(id: string, at: Instant): boolean {
    return id !== 'n1' && this.fires('n1', at);
  }
}

async function play(s: NotifyScenario, steps: readonly Step[]): Promise<History> {
  const history = new History();
  let names = ['first'];
  let count = 0;
  const start = (): void => {
    count += 1;
    names.push(`n${count}`);
    s.startNotifier(`n${count}`);
  };
  for (const one of steps) {
    const now = s.clock.now();
    if (one.does === 'fire' && !history.fires(one.alert, now)) {
      const isNode = one.alert === 'n1';
      await s.fire(one.alert, isNode ? { rule: 'node-down', severity: 'critical' } : {});
      history.note(now, one.alert, true);
    } else if ((one.does === 'resolve' || one.does === 'go') && history.fires(one.alert, now)) {
      await s.end(one.alert, one.does === 'go' ? 'gone' : 'resolved');
      history.note(now, one.alert, false);
    } else if (one.does === 'silence') {
      const id = `s${history.silences.length}`;
      const until = now + one.forS * 1_000;
      const matchers = [{ name: 'subject', value: one.alert, isRegex: false, isEqual: true }];
      const silence = { id, matchers, startsAt: now, endsAt: until, author: 'ada', comment: 'x' };
      await s.stores.silences.create({
        ...silence,
        ...{ createdAt: now, project: undefined, receiver: undefined, endedBy: '' },
      });
      history.silences.push({ id, alert: one.alert, from: now, until });
    } else if (one.does === 'end-silence') {
      const last = history.silences.findLast(({ until }) => until > now);
      if (last !== undefined) {
        await s.stores.silences.end(last.id, now, 'bob');
        last.until = now;
      }
    } else if (one.does === 'kill') {
      for (const name of names) s.kill(name);
      names = [];
      start();
    } else if (one.does === 'restart') {
      for (const name of names) await s.stop(name);
      names = [];
      start();
    } else if (one.does === 'join' && names.length < 3) start();
    else if (one.does === 'fail') for (const name of names) s.failCommit(name, one.fault);
    else if (one.does === 'wait') await wait(s, one.steps);
  }
  // Everything ends that can end, and there is time for all that is owed.
  await wait(s, 80);
  return history;
}

async function wait(s: NotifyScenario, steps: number): Promise<void> {
  for (let i = 0; i < steps; i += 1) {
    await s.round();
    await s.clock.advance(STEP_MS);
  }
}

const isAbout = ({ reason }: Notification): boolean => reason !== 'silence-ends-soon';
const idsOf = (list: Notification['firing']): string[] => list.map((one) => one.alert.id);

/** What the receiver believes after each message, and whether its reason follows from that. */
function checkReasons(said: readonly Notification[]): Set<string> {
  const believed = new Map<string, Set<string>>();
  const lastAt = new Map<string, Instant>();
  for (const one of said.filter(isAbout)) {
    const { groupKey, reason, at } = one;
    const told = believed.get(groupKey) ?? new Set<string>();
    believed.set(groupKey, told);
    const fresh = idsOf(one.firing).filter((id) => !told.has(id));
    const over = idsOf(one.ended);
    for (const id of over) assert.ok(told.has(id), `${id} ends before it was told to fire`);
    const before = told.size;
    for (const id of over) told.delete(id);
    for (const id of fresh) told.add(id);
    const because = `${reason} with new ${fresh}, over ${over}, ${before} known`;
    if (reason === 'first-notification') assert.ok(fresh.length > 0 && before === 0, because);
    else if (reason === 'new-alerts-in-group') assert.ok(fresh.length > 0 && before > 0, because);
    else if (reason === 'all-resolved') assert.ok(over.length > 0 && told.size === 0, because);
    else if (reason === 'new-resolved-alerts') assert.ok(over.length > 0 && told.size > 0, because);
    else if (reason === 'repeat-interval-elapsed') {
      assert.ok(fresh.length + over.length === 0 && one.firing.length > 0, because);
      assert.ok(at - (lastAt.get(groupKey) ?? 0) >= REPEAT_MS, because);
    } else assert.equal(reason, 'silence-ended');
    lastAt.set(groupKey, at);
  }
  return new Set([...believed.values()].flatMap((told) => [...told]));
}

test('whatever crashes: all that fires is told, nothing muted is, and receivers believe what is so', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 15, maxLength: 50, size: 'max' }),
      async (steps) => {
        await using s = new NotifyScenario({ config: CONFIG });
        const history = await play(s, steps);
        const said = await s.said();
        for (const { firing, ended, at } of said) {
          for (const id of [...idsOf(firing), ...idsOf(ended)]) {
            assert.ok(!history.isSilenced(id, at), `${id} was silenced at ${at}`);
          }
          for (const id of idsOf(firing)) {
            assert.ok(history.fires(id, at), `${id} did not fire at ${at}`);
            assert.ok(!history.isInhibited(id, at), `${id} was inhibited at ${at}`);
          }
          for (const id of idsOf(ended)) assert.ok(!history.fires(id, at), `${id} fires at ${at}`);
        }
        assert.equal(new Set(said.map(({ id }) => id)).size, said.length);
        const believed = checkReasons(said);
        const now = s.clock.now();
        for (const id of ALERTS) {
          if (history.isInhibited(id, now)) continue;
          assert.equal(believed.has(id), history.fires(id, now), `${id} at the end`);
        }
      },
    ),
    { numRuns: 40 },
  );
});
