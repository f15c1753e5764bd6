import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type restBalance, restCharges } from '../../shared/contracts/rest.ts';
import { restQuote } from '../../shared/contracts/rest-quote.ts';
import { restReservations } from '../../shared/contracts/rest-reservations.ts';
import { HOUR_MS, MINUTE_MS } from '../../shared/values/instant.ts';
import { runTollgate } from '../support/cli-run.ts';
import { startRun } from '../support/run-scenario.ts';
import { RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';

const CONFIG = {
  metering: { projects: [{ id: 'etl', grants: [{ id: 'g1', credits: '100' }] }] },
};

/** A core and a GiB for a span: 3.6 credits an hour. */
function lifeOf(
  application: string,
  span: { readonly start: number; readonly end: number },
  tags: Record<string, string> = {},
): string {
  const container = { application, container: `${application}-1` };
  const resources = { millicores: 1_000, memoryMib: 1_024 };
  const named = { application, name: 'nightly', project: 'etl', tags };
  const facts = [
    { kind: 'application-seen', id: `${application}-a`, at: span.start, ...named },
    { kind: 'container-started', id: `${application}-b`, at: span.start, ...container, resources },
    { kind: 'container-stopped', id: `${application}-c`, at: span.end, ...container },
    { kind: 'application-ended', id: `${application}-d`, at: span.end, ...named },
  ];
  return facts.map((fact) => `${JSON.stringify(fact)}\n`).join('');
}

async function push(tollgate: RunningTollgate, lines: string): Promise<void> {
  const answer = await tollgate.post('/v1/ingest/containers', lines, { 'tollgate-cluster': 'c' });
  assert.equal(answer.status, 200, await answer.text());
}

type Balance = Record<keyof typeof restBalance.shape, string>;
const balance = (tollgate: RunningTollgate) => tollgate.get<Balance>('/v1/projects/etl/balance');

test('quote, lock, hold, run, charge and release meet in one Tollgate', async () => {
  await using folder = await temporaryFolder();
  await using tollgate = await RunningTollgate.start(folder.path, CONFIG);
  const now = Date.now();
  const before = [2, 3].map((hours) => ({ start: now - hours * HOUR_MS, end: now - HOUR_MS }));
  for (const [index, span] of before.entries()) await push(tollgate, lifeOf(`old-${index}`, span));
  await tollgate.until(
    () => balance(tollgate),
    ({ charged }) => Number(charged) >= 10.8,
  );

  const said = await runTollgate('quote', 'nightly', '-p', 'etl', '--url', tollgate.url, '--json');
  const quote = restQuote.parse(JSON.parse(said.out));
  assert.deepEqual(quote.cost, {
    ...{ expected: '3.6', low: '3.6', high: '7.2' },
    ...{ range: 'extremes', basis: 'history', runs: 2 },
  });

  const go = join(folder.path, 'go');
  const script =
    'echo "$TOLLGATE_RESERVATION $TOLLGATE_QUOTE"; echo ready; ' +
    `until [ -e ${go} ]; do sleep 0.05; done; exit 3`;
  const options = ['--name', 'nightly', '--max-price', '1.5'];
  const place = { url: tollgate.url, folder: folder.path };
  const run = startRun(place, [...options, '--', 'sh', '-c', script]);
  await run.says('ready');
  const [reservation = '', promise = ''] = (run.out().split('\n')[0] ?? '').split(' ');
  const held = restReservations.parse(await tollgate.get('/v1/projects/etl/reservations'));
  assert.deepEqual(
    held.reservations.map(({ id, state, held: credits, quote: id2 }) => [id, state, credits, id2]),
    [[reservation, 'held', '7.2', promise]],
  );
  assert.equal((await balance(tollgate))['reserved'], '7.2');

  // The application that ran meanwhile, as its event log tells it.
  const tags = { 'tollgate.reservation': reservation, 'tollgate.quote': promise };
  const span = { start: now - MINUTE_MS, end: now };
  await push(tollgate, lifeOf('app-new', span, tags));
  const { reservations } = await tollgate.until(
    async () => restReservations.parse(await tollgate.get('/v1/projects/etl/reservations')),
    ({ reservations: [one] }) => one?.spent === '0.06',
  );
  assert.equal(reservations[0]?.pending, '7.14');

  await writeFile(go, '');
  assert.equal(await run.ended, 3, run.err());
  const after = restReservations.parse(await tollgate.get('/v1/projects/etl/reservations'));
  assert.equal(after.reservations[0]?.state, 'posted');
  assert.equal((await balance(tollgate))['reserved'], '0');
  const path = '/v1/projects/etl/charges?from=-6h';
  const { charges } = restCharges.parse(await tollgate.get(path));
  const own = charges.filter(({ application }) => application === 'app-new');
  assert.ok(own.length > 0 && own.every(({ multiplier }) => multiplier === '1.00'));
});

test('of many that start at once, no more than the balance has room for', async () => {
  await using folder = await temporaryFolder();
  await using tollgate = await RunningTollgate.start(folder.path, CONFIG);
  const place = { url: tollgate.url, folder: folder.path };
  const go = join(folder.path, 'go');
  const script = `echo ready; until [ -e ${go} ]; do sleep 0.05; done`;
  const runs = Array.from({ length: 5 }, () =>
    startRun(place, ['--max-cost', '40', '--', 'sh', '-c', script]),
  );
  const outcomes = await Promise.all(
    runs.map((run) => Promise.race([run.says('ready').then(() => 'runs'), run.ended])),
  );
  assert.deepEqual(outcomes.toSorted(), [125, 125, 125, 'runs', 'runs']);
  await writeFile(go, '');
  await Promise.all(runs.map(({ ended }) => ended));
  assert.equal((await balance(tollgate))['reserved'], '0');
  const refused = runs.find((_, index) => outcomes[index] === 125);
  assert.match(refused?.err() ?? '', /not started: project etl: /);
});
