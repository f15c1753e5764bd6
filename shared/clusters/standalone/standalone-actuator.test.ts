import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Answer, AnsweringServer } from '../../../test/support/answering-server.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { sharedDataFile } from '../../../test/support/shared-data.ts';
import { AppError } from '../../errors/app-error.ts';
import { actConfig } from '../act-config.ts';
import type { ActuatorOrder } from '../cluster-actuator.ts';
import { openActuator } from '../open-cluster.ts';

const NEVER = new AbortController().signal;
const APP = 'app-20261121074952-0003';
const DRIVER = 'driver-20261121074949-0000';
const DRIVER_STARTED = 1_795_247_389_920;
const KILL: ActuatorOrder = {
  id: 'action-7',
  actuation: 'kill-application',
  subject: APP,
  startedAt: 1_795_247_392_896,
  reason: 'quota of orders is used up',
};
const master = () =>
  JSON.parse(
    readFileSync(sharedDataFile('spark4/rest/master_json_with_cluster_driver.json'), 'utf8'),
  );
const BACK: Answer = { text: '', status: 302, headers: { location: '/' } };
const SUBMISSIONS = `POST /rest/v1/submissions/kill/${DRIVER}`;

async function bench(answers: Record<string, Answer> = {}, hasRest = false, act: object = {}) {
  const server = await AnsweringServer.open();
  server.set({ '/json/': { json: master() }, ...answers });
  const submissionUrls = hasRest ? [`${server.url}/rest`] : [];
  const config = actConfig.parse({ may: ['kill-application'], submissionUrls, ...act });
  const limits = { timeoutMs: 1_000, maxAnswerBytes: 100_000 };
  const settings = { type: 'standalone', urls: [server.url], ...limits } as const;
  const actuator = openActuator(settings, config, new FakeClock());
  return {
    server,
    act: (order: Partial<ActuatorOrder> = {}) => actuator.act({ ...KILL, ...order }, NEVER),
    posts: () => server.requests.filter(({ method }) => method !== 'GET'),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

test('an application is killed by the form of the master’s page, once; drivers are warned of', async () => {
  await using it = await bench({ 'POST /app/kill/': BACK });
  const { outcome, detail } = await it.act();
  assert.equal(outcome, 'accepted');
  assert.equal(
    detail,
    '302; the cluster runs drivers (1), and a supervised one starts its application anew',
  );
  assert.deepEqual(it.posts(), [
    {
      method: 'POST',
      path: '/app/kill/',
      contentType: 'application/x-www-form-urlencoded',
      body: `id=${APP}&terminate=true`,
    },
  ]);
});

test('each answer to a kill means what it proves, and none is followed by another order', async () => {
  const elsewhere = { location: 'http://sign-in.example/' };
  for (const [answer, outcome, detail] of [
    [{ text: '', status: 200 }, 'accepted', /^200;/],
    [{ text: '', status: 405 }, 'refused', /^405$/],
    [{ text: 'no', status: 403 }, 'refused', /^403: no$/],
    [{ text: '', status: 302, headers: elsewhere }, 'unknown', /^302$/],
    [{ text: '', status: 500 }, 'unknown', /^500$/],
    [{ hangUp: true }, 'unknown', /the answer was lost/],
  ] as const) {
    await using it = await bench({ 'POST /app/kill/': answer });
    const said = await it.act();
    assert.equal(said.outcome, outcome);
    assert.match(said.detail, detail);
    assert.equal(it.posts().length, 1);
  }
});

test('a driver is killed by the page, or by the submission server, which says what it did', async () => {
  const order = { subject: DRIVER, startedAt: DRIVER_STARTED };
  await using page = await bench({ 'POST /driver/kill/': BACK });
  assert.deepEqual(await page.act(order), { outcome: 'accepted', detail: '302' });
  assert.equal(page.posts()[0]?.body, `id=${DRIVER}&terminate=true`);
  for (const [answer, outcome, detail] of [
    [
      { json: { success: true, message: 'Kill request submitted' } },
      'accepted',
      '200: Kill request submitted',
    ],
    [{ json: { success: false, message: 'already finished' } }, 'refused', '200: already finished'],
    [{ text: '<html>' }, 'unknown', '200'],
    [{ text: '', status: 302, headers: { location: '/' } }, 'unknown', '302'],
    [{ text: '', status: 468 }, 'refused', '468'],
  ] as const) {
    await using rest = await bench({ [SUBMISSIONS]: answer }, true);
    assert.deepEqual(await rest.act(order), { outcome, detail });
    assert.equal(rest.posts().length, 1);
  }
});

test('another incarnation, one that ended, and what the master doesn’t list is not killed', async () => {
  const standby = { json: { workers: [], activeapps: [], status: 'STANDBY' } };
  for (const [answers, order, detail] of [
    [{}, { startedAt: 1 }, /not the incarnation/],
    [{}, { startedAt: undefined }, /not the incarnation/],
    [{}, { subject: 'app-20261121072351-0001', startedAt: 1_795_245_831_361 }, /has ended: KILLED/],
    [{}, { subject: 'app-20261121072351-0009' }, /knows no such/],
    [{}, { subject: '../kill' }, /it is no id/],
    [{ '/json/': standby }, {}, /nothing was asked: no master is ALIVE: .* it is STANDBY/],
    [{ '/json/': { hangUp: true } }, {}, /nothing was asked: no master is ALIVE/],
  ] as const) {
    await using it = await bench(answers);
    const said = await it.act(order);
    assert.equal(said.outcome, 'refused');
    assert.match(said.detail, detail);
    assert.deepEqual(it.posts(), []);
  }
});

test('what a standalone cluster can’t do, and what is not switched on, is unsupported', async () => {
  await using it = await bench();
  for (const actuation of ['deny-new-work', 'cap-application', 'terminate-cluster'] as const) {
    assert.equal((await it.act({ actuation })).outcome, 'unsupported');
  }
  await using nothing = await bench({}, false, { may: [] });
  assert.equal((await nothing.act()).outcome, 'unsupported');
  assert.deepEqual([...it.server.requests, ...nothing.server.requests], []);
});

test('a configuration that asks for what can’t be is refused, with what to do', async () => {
  const urls = ['http://a:8080', 'http://b:8080'];
  const settings = { type: 'standalone', urls, timeoutMs: 1, maxAnswerBytes: 1 } as const;
  const open = (act: object) => openActuator(settings, actConfig.parse(act), new FakeClock());
  const is = (words: RegExp) => (error: unknown) =>
    error instanceof AppError && error.code === 'CONFIG_INVALID' && words.test(error.message);
  const may = ['deny-new-work', 'cap-application', 'limit-lifetime'];
  const more = { stopQueues: ['root.a'], capQueue: 'root.b' };
  assert.throws(() => open({ may, ...more }), is(/no deny-new-work and no cap-application and no/));
  assert.throws(
    () => open({ submissionUrls: ['http://a:6066'] }),
    is(/names 1 servers for 2 masters/),
  );
});
