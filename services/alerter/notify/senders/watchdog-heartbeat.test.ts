import assert from 'node:assert/strict';
import test from 'node:test';
import { systemClock } from '../../../../shared/runtime/clock.ts';
import { silentLogger } from '../../../../shared/telemetry/logger.ts';
import { Metrics } from '../../../../shared/telemetry/metrics.ts';
import { FakeClock } from '../../../../test/support/fake-clock.ts';
import { HookServer } from '../../../../test/support/hook-server.ts';
import { DialGuard } from './dial-guard.ts';
import { OutboundHttp } from './outbound-http.ts';
import { WatchdogHeartbeat } from './watchdog-heartbeat.ts';

async function aWatchdog(method: 'GET' | 'POST') {
  const server = await HookServer.open();
  const clock = new FakeClock();
  const metrics = new Metrics();
  const http = new OutboundHttp({
    guard: new DialGuard(['127.0.0.0/8']),
    clock: systemClock,
    timeoutMs: 1_000,
  });
  const state: { trouble: string | undefined | Error } = { trouble: undefined };
  const watchdog = new WatchdogHeartbeat({
    url: server.url,
    method,
    intervalMs: 60_000,
    http,
    clock,
    trouble: async () => {
      if (state.trouble instanceof Error) throw state.trouble;
      return state.trouble;
    },
    metrics,
    logger: silentLogger,
  });
  const counts = () => Object.fromEntries(metrics.values('tollgate_watchdog_beats_total'));
  return { server, clock, watchdog, state, counts };
}

test('the Watchdog beats at its interval, and is silent while alerts would not arrive', async () => {
  const { server, clock, watchdog, state, counts } = await aWatchdog('POST');
  await using _server = server;
  const stop = new AbortController();
  const running = watchdog.run(stop.signal);
  const beats = async (count: number): Promise<void> => {
    for (let i = 0; i < 500 && (server.requests.length < count || clock.sleepers === 0); i += 1) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.equal(server.requests.length, count);
  };
  await beats(1);
  await clock.advance(60_000);
  await beats(2);
  for (const trouble of ['nothing is evaluated since 10:00', new Error('store down')]) {
    state.trouble = trouble;
    await clock.advance(60_000);
  }
  assert.equal(server.requests.length, 2);
  state.trouble = undefined;
  await clock.advance(60_000);
  await beats(3);
  stop.abort();
  await running;
  assert.deepEqual(counts(), { '{outcome="delivered"}': 3, '{outcome="withheld"}': 2 });
  assert.deepEqual(server.bodies[0], { alertname: 'Watchdog', at: '2026-11-21T09:00:00.000Z' });
});

test('a beat that is not heard is counted, and GET has no body', async () => {
  const { server, watchdog, counts } = await aWatchdog('GET');
  await using _server = server;
  server.answer = () => ({ status: 502 });
  await watchdog.beat(new AbortController().signal);
  assert.deepEqual(counts(), { '{outcome="later"}': 1 });
  assert.deepEqual([server.requests[0]?.method, server.requests[0]?.body], ['GET', '']);
});
