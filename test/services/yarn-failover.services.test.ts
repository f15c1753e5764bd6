import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { actConfig } from '../../shared/clusters/act-config.ts';
import type { ActuatorOrder } from '../../shared/clusters/cluster-actuator.ts';
import { openActuator, openTargetReader } from '../../shared/clusters/open-cluster.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import { type RunningYarnPair, startYarnPair } from './servers/yarn-pair.ts';

const NEVER = new AbortController().signal;
const JSON_TYPE = { 'content-type': 'application/json' };

describe('YARN acted on while it fails over: two real ResourceManagers', {
  timeout: 300_000,
}, () => {
  const resources = new AsyncDisposableStack();
  let pair: RunningYarnPair;

  before(async () => {
    pair = resources.use(await startYarnPair());
  });
  after(() => resources.disposeAsync());

  const manager = (urls: string[]) =>
    ({ type: 'yarn', urls, timeoutMs: 10_000, maxAnswerBytes: 10_000_000 }) as const;
  const look = async (id: string) => {
    const { rm1, rm2 } = pair.urls;
    return openTargetReader(manager([rm1, rm2]), systemClock).application(id, NEVER);
  };
  const kill = (id: string, startedAt: number | undefined, urls: string[]) => {
    const act = actConfig.parse({ may: ['kill-application'], user: 'alice' });
    const actuator = openActuator(manager(urls), act, systemClock);
    const what = { id: 'action-7', actuation: 'kill-application', reason: 'no credits' } as const;
    const order: ActuatorOrder = { ...what, subject: id, startedAt };
    return actuator.act(order, NEVER);
  };

  /** It waits for a node for ever. */
  const submit = async (url: string): Promise<string> => {
    const apps = `${url}/ws/v1/cluster/apps`;
    const made = await fetch(`${apps}/new-application?user.name=alice`, { method: 'POST' });
    const { 'application-id': id } = (await made.json()) as { 'application-id': string };
    const body = JSON.stringify({
      'application-id': id,
      'application-name': 'waiting',
      'application-type': 'SPARK',
      queue: 'default',
      'am-container-spec': { commands: { command: 'sleep 60' } },
      resource: { memory: 256, vCores: 1 },
    });
    const options = { method: 'POST', headers: JSON_TYPE, body };
    const said = await fetch(`${apps}?user.name=alice`, options);
    assert.equal(said.status, 202, await said.text());
    return id;
  };

  test('a standby decides nothing, and is asked for nothing', async (t) => {
    const { rm1, rm2 } = pair.urls;
    const nobody = await look('application_1795247888953_0001');
    assert.ok(nobody.outcome === 'unknown', 'both stand by');
    assert.match(nobody.why, /it is STANDBY; .* it is STANDBY/);

    await pair.transition('Active', 'rm2');
    const id = await submit(rm2);
    const sight = await look(id);
    assert.ok(sight.outcome === 'seen', JSON.stringify(sight));
    assert.equal(sight.state, 'waiting');
    const { startedAt } = sight;

    const body = JSON.stringify({ state: 'KILLED' });
    const options = { method: 'PUT', headers: JSON_TYPE, body, redirect: 'manual' } as const;
    const raw = await fetch(`${rm1}/ws/v1/cluster/apps/${id}/state?user.name=alice`, options);
    const location = new URL(raw.headers.get('location') ?? 'none:');
    t.diagnostic(`a standby answers an order with ${raw.status}`);
    // By a name that isn't configured: nothing is sent there.
    assert.deepEqual([raw.status, location.port], [307, new URL(rm2).port]);

    const refused = await kill(id, startedAt, [rm1]);
    assert.equal(refused.outcome, 'refused');
    assert.match(refused.detail, /nothing was asked: .* it is STANDBY/);
    const untouched = await look(id);
    assert.equal(untouched.outcome === 'seen' && untouched.state, 'waiting');

    const killed = await kill(id, startedAt, [rm1, rm2]);
    assert.equal(killed.outcome, 'accepted', killed.detail);
    let last = await look(id);
    while (last.outcome === 'seen' && last.state !== 'ended') last = await look(id);
    assert.equal(last.outcome === 'seen' && last.finalState, 'KILLED');
  });

  test('after a failover the new one’s word stands; between two there is none', async () => {
    const id = await submit(pair.urls.rm2);
    const sight = await look(id);
    assert.ok(sight.outcome === 'seen');
    await pair.transition('Standby', 'rm2');
    assert.equal((await look(id)).outcome, 'unknown');
    const between = await kill(id, sight.startedAt, [pair.urls.rm1, pair.urls.rm2]);
    assert.equal(between.outcome, 'refused');
    await pair.transition('Active', 'rm1');
    // It keeps no applications over a failover, as a manager without a store does.
    assert.equal((await look(id)).outcome, 'absent');
    const after = await kill(id, sight.startedAt, [pair.urls.rm1, pair.urls.rm2]);
    assert.equal(after.outcome, 'refused');
    assert.match(after.detail, /404: app with id: application_\d+_\d+ not found/);
  });
});
