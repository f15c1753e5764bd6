import type { Alert } from '../../../../shared/contracts/alert.ts';
import type { Notification } from '../../../../shared/contracts/notification.ts';
import { HOUR_MS, type Instant, MINUTE_MS } from '../../../../shared/values/instant.ts';
import type { Receiver, SendResult, Thread } from './sender.ts';

/** How one destination took the test. */
export interface TestResult {
  readonly destination: string;
  readonly result: SendResult;
}

const NO_THREAD: Thread = { value: undefined, keep: async () => undefined };

function exampleAlert(now: Instant): Alert {
  return {
    id: 'test',
    episode: 1,
    rule: 'TollgateTest',
    ruleVersion: '',
    severity: 'info',
    project: undefined,
    target: { kind: 'tollgate', cluster: '', id: 'tollgate', startedAt: undefined },
    labels: { test: 'true' },
    annotations: {
      summary: 'This is a test of Tollgate; nothing is wrong',
      advice: 'Nothing has to be done: whoever reads this is reached by this receiver.',
    },
    state: 'firing',
    verdict: 'breach',
    verdictWhy: '',
    breaches: 1,
    value: 42,
    unit: 'credits',
    limit: 'above 40 credits',
    evidence: [],
    cost: { perHour: '1.5', soFar: '42' },
    activeSince: now - 5 * MINUTE_MS,
    firedAt: now,
    endedAt: undefined,
    clearingSince: undefined,
    missingSince: undefined,
    evaluatedAt: now,
  };
}

/** What a test says: every part of a real message, an announced consequence included. */
export function testNotification(receiver: string, id: string, now: Instant): Notification {
  const consequence = {
    action: 'test',
    does: 'does nothing, this being a test,',
    at: now + HOUR_MS,
    prevention: 'nothing has to be stopped',
    extendUrl: undefined,
  };
  return {
    id,
    receiver,
    groupKey: `test/${id}`,
    groupLabels: {},
    reason: 'test',
    status: 'firing',
    project: undefined,
    firing: [{ alert: exampleAlert(now), consequences: [consequence] }],
    ended: [],
    more: { firing: 0, ended: 0 },
    text: '',
    at: now,
  };
}

/**
 * Tries every destination of a receiver once, now and without the outbox, and tells what each said.
 *
 * @param id unique to the test
 */
export function sendTest(
  receiver: Receiver,
  { id, now }: { readonly id: string; readonly now: Instant },
  signal: AbortSignal,
): Promise<TestResult[]> {
  const notification = testNotification(receiver.name, id, now);
  return Promise.all(
    receiver.senders.map(async (sender) => ({
      destination: sender.destination,
      result: await sender.send([notification], NO_THREAD, signal),
    })),
  );
}
