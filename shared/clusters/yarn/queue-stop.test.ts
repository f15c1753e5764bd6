import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { YarnQueue } from './decode-queues.ts';
import {
  changeBody,
  letsNobodyIn,
  planStart,
  planStop,
  type QueueChange,
  settingsOf,
} from './queue-stop.ts';

const PATH = 'root.etl.nightly';

/** A queue as the real manager keeps it: its settings, and the state that follows from each change. */
class ConfiguredQueue {
  readonly settings: Map<string, string>;
  #state: string;

  constructor(settings: Record<string, string>) {
    this.settings = new Map(Object.entries(settings));
    this.#state = settings['state'] ?? 'RUNNING';
  }

  /** Taking a setting away leaves the queue's state as it was (measured). */
  put(change: QueueChange): void {
    for (const [key, value] of Object.entries(change)) {
      if (value === '') this.settings.delete(key);
      else this.settings.set(key, value);
    }
    this.#state = this.settings.get('state') ?? this.#state;
  }

  get read() {
    const conf = new Map(
      [...this.settings].map(([key, value]) => [`yarn.scheduler.capacity.${PATH}.${key}`, value]),
    );
    return settingsOf(conf, PATH);
  }

  get queue(): YarnQueue {
    const maximumApplications = Number(this.settings.get('maximum-applications') ?? 2_500);
    return { path: PATH, leaf: true, state: this.#state, maximumApplications };
  }

  /** The first way that isn't refused. */
  stop(refusals = 0): void {
    const plan = planStop(this.queue, this.read, 'action-1');
    if ('ways' in plan) this.put(plan.ways[refusals] ?? {});
  }

  start(steps = 9): void {
    const plan = planStart(this.queue, this.read);
    if ('steps' in plan) for (const step of plan.steps.slice(0, steps)) this.put(step);
  }
}

const settings = fc
  .record(
    {
      state: fc.constantFrom('RUNNING', 'STOPPED'),
      'maximum-applications': fc.constantFrom('0', '7', '10000'),
      capacity: fc.constant('40'),
    },
    { requiredKeys: [] },
  )
  .map((given) => Object.fromEntries(Object.entries(given).filter(([, value]) => value)));

test('a queue that was stopped becomes exactly what it was, however often it is interrupted', () => {
  fc.assert(
    fc.property(
      settings,
      fc.constantFrom(0, 1),
      fc.array(fc.constantFrom('stop', 'half', 'start')),
      (given, refusals, history) => {
        const it = new ConfiguredQueue(given);
        const before = it.queue;
        for (const what of history) {
          if (what === 'stop') it.stop(refusals);
          else it.start(what === 'half' ? 1 : 9);
          const isClosed = letsNobodyIn(it.queue);
          if (what === 'stop' || letsNobodyIn(before)) assert.ok(isClosed);
        }
        it.start();
        assert.deepEqual(Object.fromEntries(it.settings), given);
        assert.deepEqual(it.queue, before);
      },
    ),
  );
});

test('what others stopped isn’t opened, and what others opened or stopped since stands', () => {
  const foreign = new ConfiguredQueue({ state: 'STOPPED' });
  const plan = planStart(foreign.queue, foreign.read);
  assert.equal('answer' in plan && plan.answer.outcome, 'refused');
  const opened = new ConfiguredQueue({});
  opened.stop();
  opened.put({ state: 'RUNNING', 'maximum-applications': '5' });
  opened.start();
  const left = Object.fromEntries(opened.settings);
  assert.deepEqual(left, { 'maximum-applications': '5' });
  const limited = new ConfiguredQueue({});
  limited.stop(1);
  limited.put({ 'maximum-applications': '3' });
  limited.start();
  assert.deepEqual(Object.fromEntries(limited.settings), { 'maximum-applications': '3' });
  const open = new ConfiguredQueue({ state: 'RUNNING' });
  const nothing = planStart(open.queue, open.read);
  assert.equal('answer' in nothing && nothing.answer.outcome, 'accepted');
});

test('a queue with others below it isn’t stopped: the manager would not start those again', () => {
  const { queue, read } = new ConfiguredQueue({});
  const plan = planStop({ ...queue, leaf: false }, read, 'action-1');
  assert.equal('answer' in plan && plan.answer.outcome, 'unsupported');
});

test('a queue that is closed already keeps its settings', () => {
  for (const given of [{ state: 'STOPPED' }, { 'maximum-applications': '0' }]) {
    const { queue, read } = new ConfiguredQueue(given);
    const plan = planStop(queue, read, 'action-1');
    assert.equal('answer' in plan && plan.answer.outcome, 'accepted');
  }
});

test('a change is written as the manager reads it, with the order’s id as a mark', () => {
  const { queue, read } = new ConfiguredQueue({});
  const plan = planStop(queue, read, 'action-1');
  assert.ok('ways' in plan);
  assert.deepEqual(JSON.parse(changeBody(PATH, plan.ways[0] ?? {})), {
    'update-queue': [
      {
        'queue-name': PATH,
        params: {
          entry: [
            { key: 'state', value: 'STOPPED' },
            { key: 'tollgate-order', value: 'action-1' },
            { key: 'tollgate-state-before', value: 'unset' },
            { key: 'tollgate-maximum-applications-before', value: '' },
          ],
        },
      },
    ],
  });
});
