import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Answer, AnsweringServer } from '../../../test/support/answering-server.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { sharedDataFile } from '../../../test/support/shared-data.ts';
import { actConfig } from '../act-config.ts';
import type { ActuatorOrder } from '../cluster-actuator.ts';
import { openActuator } from '../open-cluster.ts';

const NEVER = new AbortController().signal;
const NOW = 1_795_248_000_000;
const RM = '/ws/v1/cluster';
const APP = 'application_1795247888953_0001';
const STARTED = 1_795_247_919_022;
const STATE = `PUT ${RM}/apps/${APP}/state`;
const CONF = `PUT ${RM}/scheduler-conf`;
const text = (path: string) => readFileSync(sharedDataFile(path), 'utf8');
const read = (path: string) => JSON.parse(text(path));
const json = (path: string): Answer => ({ json: read(path) });
const turn = () => new Promise((resolve) => setImmediate(resolve));
const ALL = {
  may: ['deny-new-work', 'cap-application', 'limit-lifetime', 'kill-application'],
  user: 'tollgate',
  stopQueues: ['root.default'],
  capQueue: 'root.capped',
};
const KILL: ActuatorOrder = {
  id: 'action-7',
  actuation: 'kill-application',
  subject: APP,
  startedAt: STARTED,
  reason: 'quota of orders is used up',
};

async function bench(answers: Record<string, Answer | Answer[]> = {}, act: object = ALL) {
  const server = await AnsweringServer.open();
  server.set({
    [`${RM}/info`]: json('yarn/info.json'),
    [`${RM}/apps/${APP}`]: json('yarn/running_app.json'),
    [`${RM}/scheduler`]: json('yarn/scheduler.json'),
    [`GET ${RM}/scheduler-conf`]: { json: { property: [] } },
    ...answers,
  });
  const clock = new FakeClock(NOW);
  const settings = { type: 'yarn', urls: [server.url], user: 'reader' } as const;
  const limits = { timeoutMs: 1_000, maxAnswerBytes: 100_000 };
  const actuator = openActuator({ ...settings, ...limits }, actConfig.parse(act), clock);
  return {
    server,
    clock,
    act: (order: Partial<ActuatorOrder> = {}) => actuator.act({ ...KILL, ...order }, NEVER),
    /** What was asked to change. */
    puts: () => server.requests.filter(({ method }) => method !== 'GET'),
    abilities: actuator.abilities,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

test('a kill is asked once, as JSON, by the acting user, with its reason and its action', async () => {
  await using it = await bench({ [STATE]: { text: text('yarn/put_state_202.json'), status: 202 } });
  const reason = `quota is\nused up\u0000${'x'.repeat(1_000)}`;
  const { outcome, detail } = await it.act({ reason });
  assert.deepEqual([outcome, detail], ['accepted', '202']);
  const [{ path, contentType, body } = { path: '', contentType: '', body: '' }, ...more] =
    it.puts();
  assert.deepEqual(more, []);
  assert.equal(path, `${RM}/apps/${APP}/state?user.name=tollgate`);
  assert.equal(contentType, 'application/json');
  const { state, diagnostics } = JSON.parse(body);
  assert.equal(state, 'KILLED');
  assert.match(diagnostics, /^quota is used up x{400,}… \(Tollgate action-7\)$/);
  assert.ok(diagnostics.length < 540);
});

test('each answer to a kill means what it proves, and none is followed by another order', async () => {
  const elsewhere = { location: 'http://127.0.0.1:9/' };
  for (const [answer, outcome, detail] of [
    [{ text: text('yarn/put_state_202_killing.json'), status: 202 }, 'accepted', '202'],
    [json('yarn/put_state_200_already_killed.json'), 'accepted', '200'],
    [
      { text: text('yarn/put_state_403_other_user.txt'), status: 403 },
      'refused',
      '403: Unauthorized attempt to kill appid application_1795248855005_0001 by remote user bob',
    ],
    [
      { text: text('yarn/put_state_404_unknown.json'), status: 404 },
      'refused',
      '404: app with id: application_1_0001 not found',
    ],
    [
      { text: text('yarn/put_state_400_bad_target.json'), status: 400 },
      'refused',
      "400: Only 'KILLED' is allowed as a target state.",
    ],
    [
      { text: text('yarn/put_state_503_no_content_type.json'), status: 503 },
      'unknown',
      '503: HTTP 415 Unsupported Media Type',
    ],
    [
      { text: 'This is standby RM', status: 307, headers: elsewhere },
      'refused',
      '307: This is standby RM',
    ],
    [{ text: '<html>sign in</html>', status: 302, headers: elsewhere }, 'refused', '302'],
    [{ breakOff: true, status: 202 }, 'accepted', '202: {"half":'],
    [{ hangUp: true }, 'unknown', 'the answer was lost: ECONNRESET'],
  ] as const) {
    await using it = await bench({ [STATE]: answer });
    assert.deepEqual(await it.act(), { outcome, detail });
    assert.equal(it.puts().length, 1);
  }
});

test('a manager that hangs on a kill leaves it unknown', async () => {
  await using it = await bench({ [STATE]: { never: true } });
  const acting = it.act();
  while (it.puts().length === 0) await turn();
  await it.clock.advance(1_000);
  const detail = 'the answer was lost: no answer within 1000 ms';
  assert.deepEqual(await acting, { outcome: 'unknown', detail });
  assert.equal(it.puts().length, 1);
});

test('another incarnation, one that ended, one that can’t be seen, is not killed', async () => {
  const hidden = { ...read('yarn/running_app.json').app, startedTime: 0 };
  const ended = { ...read('yarn/killed_app.json').app, id: APP, startedTime: STARTED };
  const path = `${RM}/apps/${APP}`;
  for (const [answers, order, detail] of [
    [{}, { startedAt: STARTED + 1 }, /not the incarnation/],
    [{}, { startedAt: undefined }, /not the incarnation/],
    [{ [path]: { json: { app: hidden } } }, {}, /nothing was asked: no right to view/],
    [{ [path]: { json: { app: ended } } }, {}, /it has ended: KILLED/],
    [{ [path]: { text: 'busy', status: 503 } }, {}, /nothing was asked: 503: busy/],
    [{ [path]: { hangUp: true } }, {}, /nothing was asked/],
  ] as const) {
    await using it = await bench(answers);
    const said = await it.act(order);
    assert.equal(said.outcome, 'refused');
    assert.match(said.detail, detail);
    assert.deepEqual(it.puts(), []);
  }
});

test('no address is made of what is no application id, and no standby is asked', async () => {
  await using it = await bench();
  for (const subject of ['', 'application_1_1/../../x', 'application_1_1 ', 'driver-1']) {
    const said = await it.act({ subject });
    assert.deepEqual(said, { outcome: 'refused', detail: 'the subject is no YARN application id' });
  }
  assert.deepEqual(it.server.requests, []);
  const standby = { json: { clusterInfo: { state: 'STARTED', haState: 'STANDBY' } } };
  it.server.set({ [`${RM}/info`]: standby });
  const { outcome, detail } = await it.act();
  assert.equal(outcome, 'refused');
  assert.match(detail, /^nothing was asked: no ResourceManager is active: .* it is STANDBY$/);
  assert.doesNotMatch(detail, /tollgate/);
  assert.deepEqual(it.puts(), []);
});

test('what is not switched on is unsupported, and nobody is asked', async () => {
  await using nothing = await bench({}, {});
  assert.deepEqual([...nothing.abilities], []);
  await using killer = await bench({}, { may: ['kill-application'] });
  assert.deepEqual([...killer.abilities], ['kill-application']);
  for (const actuation of ['deny-new-work', 'allow-new-work', 'cap-application'] as const) {
    assert.equal((await killer.act({ actuation })).outcome, 'unsupported');
  }
  assert.equal((await nothing.act()).outcome, 'unsupported');
  await using all = await bench();
  assert.equal((await all.act({ actuation: 'terminate-cluster' })).outcome, 'unsupported');
  for (const { server } of [nothing, killer, all]) assert.deepEqual(server.requests, []);
});

test('an application is capped in the configured queue, and taken back out of that one only', async () => {
  const queue = `PUT ${RM}/apps/${APP}/queue`;
  await using it = await bench({ [queue]: { json: { queue: 'root.capped' } } });
  assert.equal((await it.act({ actuation: 'cap-application' })).outcome, 'accepted');
  const uncap = { actuation: 'uncap-application', queue: 'root.default' } as const;
  const moved = await it.act(uncap);
  assert.deepEqual(moved, {
    outcome: 'refused',
    detail: 'it is in root.default, where Tollgate did not put it',
  });
  const capped = { ...read('yarn/running_app.json').app, queue: 'root.capped' };
  it.server.set({ [`${RM}/apps/${APP}`]: { json: { app: capped } } });
  assert.equal((await it.act({ actuation: 'uncap-application' })).outcome, 'refused');
  assert.equal((await it.act(uncap)).outcome, 'accepted');
  assert.deepEqual(
    it.puts().map(({ body }) => JSON.parse(body)),
    [{ queue: 'root.capped' }, { queue: 'root.default' }],
  );
});

test('a lifetime is set in the manager’s format, to come, and never put off', async () => {
  const path = `PUT ${RM}/apps/${APP}/timeout`;
  await using it = await bench({ [path]: { json: { timeout: {} } } });
  const actuation = 'limit-lifetime';
  assert.equal((await it.act({ actuation })).outcome, 'refused');
  assert.equal((await it.act({ actuation, until: NOW })).outcome, 'refused');
  assert.equal((await it.act({ actuation, until: NOW + 1_500 })).outcome, 'accepted');
  const expiryTime = '2026-11-21T08:00:01.500+0000';
  assert.deepEqual(JSON.parse(it.puts()[0]?.body ?? ''), {
    timeout: { type: 'LIFETIME', expiryTime },
  });
  const timeouts = { timeout: [{ type: 'LIFETIME', expiryTime }] };
  const app = { ...read('yarn/running_app.json').app, timeouts };
  it.server.set({ [`${RM}/apps/${APP}`]: { json: { app } } });
  const said = await it.act({ actuation, until: NOW + 9_000 });
  assert.deepEqual(said, {
    outcome: 'refused',
    detail: 'its lifetime ends before, at 2026-11-21T08:00:01.500Z',
  });
  assert.equal((await it.act({ actuation, until: NOW + 1_000 })).outcome, 'accepted');
});

const DENY = { actuation: 'deny-new-work', subject: 'root.default', startedAt: undefined } as const;

test('a queue is stopped with a mark; where that is refused, by its limit of applications', async () => {
  const done: Answer = { text: 'Configuration change successfully applied.' };
  await using plain = await bench({ [CONF]: done });
  assert.deepEqual(await plain.act(DENY), {
    outcome: 'accepted',
    detail: '200: Configuration change successfully applied.',
  });
  assert.match(
    plain.puts()[0]?.body ?? '',
    /"state","value":"STOPPED".*"tollgate-order","value":"action-7"/,
  );
  const no: Answer = { text: 'Failed to re-init queues', status: 400 };
  await using other = await bench({ [CONF]: [no, done] });
  assert.equal((await other.act(DENY)).outcome, 'accepted');
  assert.match(other.puts()[1]?.body ?? '', /"maximum-applications","value":"0"/);
  await using never = await bench({ [CONF]: no });
  assert.deepEqual(await never.act(DENY), {
    outcome: 'refused',
    detail: '400: Failed to re-init queues; 400: Failed to re-init queues',
  });
  // Whether the first was carried out isn't known: the second is not tried.
  await using lost = await bench({ [CONF]: { hangUp: true } });
  assert.equal((await lost.act(DENY)).outcome, 'unknown');
  assert.equal(lost.puts().length, 1);
});

test('a stop is taken back in two steps, and not on after one that failed', async () => {
  const prefix = 'yarn.scheduler.capacity.root.default';
  const property = [
    { name: `${prefix}.state`, value: 'STOPPED' },
    { name: `${prefix}.tollgate-state-before`, value: 'unset' },
  ];
  const stopped = read('yarn/scheduler.json');
  stopped.scheduler.schedulerInfo.queues.queue[0].state = 'DRAINING';
  const answers = {
    [`GET ${RM}/scheduler-conf`]: { json: { property } },
    [`${RM}/scheduler`]: { json: stopped },
  };
  const allow = { ...DENY, actuation: 'allow-new-work' } as const;
  await using it = await bench({ ...answers, [CONF]: { text: 'done' } });
  assert.equal((await it.act(allow)).outcome, 'accepted');
  assert.equal(it.puts().length, 2);
  await using failing = await bench({ ...answers, [CONF]: { text: 'no', status: 400 } });
  assert.deepEqual(await failing.act(allow), { outcome: 'refused', detail: '400: no' });
  assert.equal(failing.puts().length, 1);
});

test('a queue that may not be stopped, isn’t there or can’t be, is told apart', async () => {
  const fixed: Answer = { text: 'only from a mutable-conf scheduler', status: 400 };
  const fair: Answer = { json: { scheduler: { schedulerInfo: { type: 'fairScheduler' } } } };
  const conf = `GET ${RM}/scheduler-conf`;
  for (const [answers, subject, outcome, detail] of [
    [{}, 'root.other', 'refused', /there is no such queue/],
    [
      { [conf]: fixed },
      'root.default',
      'unsupported',
      /can't be changed: 400: only from a mutable/,
    ],
    [{ [conf]: { text: 'admins', status: 403 } }, 'root.default', 'refused', /asked: 403: admins/],
    [{ [`${RM}/scheduler`]: fair }, 'root.default', 'unsupported', /CapacityScheduler/],
    [{ [`${RM}/scheduler`]: { hangUp: true } }, 'root.default', 'refused', /nothing was asked/],
  ] as const) {
    await using it = await bench(answers);
    const said = await it.act({ ...DENY, subject });
    assert.equal(said.outcome, outcome);
    assert.match(said.detail, detail);
    assert.deepEqual(it.puts(), []);
  }
  await using strict = await bench({}, { ...ALL, stopQueues: ['root.etl'] });
  const { outcome, detail } = await strict.act(DENY);
  assert.equal(outcome, 'unsupported');
  assert.match(detail, /root\.default is not among the queues that may be stopped/);
});
