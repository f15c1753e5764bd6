import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import type { Charge } from '../../../shared/contracts/charge.ts';
import {
  restClosedPeriod,
  restClosedPeriods,
  restPeriodReport,
} from '../../../shared/contracts/rest-periods.ts';
import { canonicalJson } from '../../../shared/values/canonical-json.ts';
import { DAY_MS, formatInstant, HOUR_MS } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { aCharge, anApplication, aSettlement, credits } from '../../support/api-samples.ts';
import { type AskingApi, askingApi } from '../../support/asking-api.ts';
import { runningApi } from '../../support/running-api.ts';

const OCTOBER = Date.UTC(2026, 9);
const NOVEMBER = Date.UTC(2026, 10);
const PATH = '/v1/projects/team-a/periods/2026-10';
const october = (container: string, more: Partial<Charge> = {}) =>
  aCharge({ hour: OCTOBER, container, storedAt: OCTOBER + HOUR_MS, ...more });

async function settle(api: AskingApi, asOf: number, charges: readonly Charge[]): Promise<void> {
  const applications = [anApplication()];
  await api.stores.ledgerWriter.settle(aSettlement({ asOf, applications, charges }));
}

const text = async (api: AskingApi, path: string): Promise<string> => {
  const response = await api.ask(path);
  assert.equal(response.status, 200);
  return response.text();
};

test('a report made again with the old cut-off is the same to the byte, late facts or not', async () => {
  await using api = await askingApi();
  await settle(api, OCTOBER + DAY_MS, [october('c1'), october('c2', { step: 1_250 })]);
  const cutOff = formatInstant(OCTOBER + DAY_MS - 1);
  const then = await text(api, `${PATH}?asOf=${cutOff}`);
  assert.equal(await text(api, PATH), then, 'by default, all that is known');
  const late = { storedAt: OCTOBER + 2 * DAY_MS, amount: credits(1) };
  await settle(api, OCTOBER + 3 * DAY_MS, [october('c3', late)]);
  assert.equal(await text(api, `${PATH}?asOf=${cutOff}`), then);
  const now = await api.get(PATH, restPeriodReport);
  assert.equal(now.report.total.amount, '11');
  await settle(api, api.clock.now(), []);
  await api.postOk('/v1/periods/2026-10/close', {}, restClosedPeriod);
  assert.equal(await text(api, `${PATH}?asOf=${cutOff}`), then, 'and after the close');
  const { report, hash } = restPeriodReport.parse(JSON.parse(then));
  const digest = createHash('sha256').update(canonicalJson(report)).digest('hex');
  assert.equal(hash, `sha256:${digest}`);
  assert.deepEqual([report.total.base, report.total.surge, report.state], ['9', '1', 'open']);
});

test('a closed month keeps its hash; what comes later is a correction of the next', async () => {
  await using api = await askingApi();
  await settle(api, api.clock.now(), [october('c1')]);
  const closed = await api.postOk('/v1/periods/2026-10/close', {}, restClosedPeriod);
  assert.deepEqual(closed, {
    month: '2026-10',
    closedAt: formatInstant(api.clock.now()),
    closedBy: '',
  });
  const before = await text(api, PATH);
  await api.clock.advance(HOUR_MS);
  const correction = { type: 'RESTATEMENT', booked: '2026-11', amount: credits(2) } as const;
  await settle(api, api.clock.now() + 1, [october('c2', correction)]);
  assert.equal(await text(api, PATH), before);
  assert.equal(await text(api, `${PATH}?asOf=${formatInstant(Date.UTC(2030, 1))}`), before);
  const next = await api.get('/v1/projects/team-a/periods/2026-11', restPeriodReport);
  assert.deepEqual(
    next.report.corrections.months.map(({ month, amount }) => [month, amount]),
    [['2026-10', '2']],
  );
  assert.deepEqual(await api.postOk('/v1/periods/2026-10/close', {}, restClosedPeriod), closed);
  assert.deepEqual(await api.get('/v1/periods', restClosedPeriods), { periods: [closed] });
});

test('a month is not closed before its end and grace, nor while the meter is behind', async () => {
  await using api = await askingApi({ deps: { closeGraceMs: 3 * DAY_MS } });
  const refused = async (month: string) =>
    (await api.problem(api.post(`/v1/periods/${month}/close`, {}))).detail;
  assert.match(await refused('2026-11'), /from 2026-12-04T00:00:00.000Z on/);
  assert.match(await refused('2026-10'), /settled up to 1970-01-01T00:00:00.000Z only/);
  await settle(api, NOVEMBER - 1, []);
  assert.match(await refused('2026-10'), /settled up to 2026-10-31T23:59:59.999Z only/);
  const { periods } = await api.get('/v1/periods', restClosedPeriods);
  assert.deepEqual(periods, []);
});

test('what is no month, cut-off or project is refused by name', async () => {
  await using api = await askingApi();
  await settle(api, NOVEMBER, [october('c1')]);
  const paths = async (path: string) =>
    (await api.problem(api.ask(path))).errors?.map((error) => error.path);
  assert.deepEqual(await paths('/v1/projects/team-a/periods/2026-13'), ['month']);
  assert.deepEqual(await paths(`${PATH}?asOf=yesterday`), ['query.asOf']);
  assert.deepEqual(await paths(`${PATH}?asOf=2026-11-01T00:00:00Z`), ['query.asOf'], 'not known');
  const foreign = await api.problem(api.ask('/v1/projects/nobody/periods/2026-10'));
  assert.equal(foreign.status, 404);
  await api.stores.grants.register('empty' as ProjectId);
  const empty = await api.get('/v1/projects/empty/periods/2026-10', restPeriodReport);
  assert.equal(empty.report.total.rows, 0);
});

test('closing needs an administrator of all projects, who is remembered', async () => {
  await using api = await runningApi({ requireToken: true });
  await api.stores.ledgerWriter.settle(aSettlement({ asOf: api.clock.now() }));
  const post = async (token: string) => {
    const response = await fetch(`${api.url}/v1/periods/2026-10/close`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}` },
    });
    return response.json() as Promise<{ code?: string; closedBy?: string }>;
  };
  assert.equal((await post(await api.token(['read']))).code, 'FORBIDDEN');
  const bound = await api.token(['admin'], { projects: ['team-a'] });
  assert.equal((await post(bound)).code, 'FORBIDDEN');
  assert.equal((await post(await api.token(['admin']))).closedBy, 'test');
});
