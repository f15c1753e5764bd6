import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { must } from '../../shared/errors/assert.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import { elasticConfig } from '../../shared/stores/elastic/config.ts';
import {
  type Forgotten,
  forgetProject,
} from '../../shared/stores/elastic/indices/forget-project.ts';
import { appendToPlan } from '../../shared/stores/elastic/indices/plan.ts';
import { IndexPlanCache } from '../../shared/stores/elastic/indices/plan-cache.ts';
import { indexPlanConfig } from '../../shared/stores/elastic/indices/plan-config.ts';
import { statusOf } from '../../shared/stores/elastic/indices/plan-fault.ts';
import { IndexPlanHome } from '../../shared/stores/elastic/indices/plan-home.ts';
import { planIndex } from '../../shared/stores/elastic/indices/plan-names.ts';
import { readerRole } from '../../shared/stores/elastic/indices/plan-role.ts';
import {
  initIndexPlan,
  type PlannerRun,
  planOnce,
  runIndexPlanner,
} from '../../shared/stores/elastic/indices/planner-loop.ts';
import { dropOverdue } from '../../shared/stores/elastic/indices/retention.ts';
import { openElasticClient } from '../../shared/stores/elastic/open-elastic-client.ts';
import { openSqliteLeaseStore } from '../../shared/stores/sql/lease-store.ts';
import { DAY_MS, HOUR_MS } from '../../shared/values/instant.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { aLine, IndexPlanBench } from '../support/plan-bench.ts';
import {
  ELASTIC_USERS,
  type ElasticsearchServer,
  startElasticsearch,
} from './servers/elasticsearch.ts';

const START = Date.UTC(2026, 10, 16);
const DAYS = 30;
const LARGE = ['l-1', 'l-2', 'l-3'] as ProjectId[];
const SMALL = Array.from({ length: 1_000 }, (_, id) => `team-${id}` as ProjectId);
const TEAM_7 = 'team-7' as ProjectId;
const PREFIX = 'tollgate-logs';
const LARGE_CONFIG = {
  'l-1': { expectedGbPerDay: 200 },
  'l-2': { expectedGbPerDay: 20 },
  'l-3': { expectedGbPerDay: 20, keptDays: 7 },
};

let server: ElasticsearchServer | undefined;
let thirtyDays: IndexPlanBench | undefined;
const bench = (): IndexPlanBench => must(thirtyDays, 'the thirty days were opened');
const goOn = async (): Promise<boolean> => true;

before(async () => {
  server = await startElasticsearch();
  thirtyDays = await IndexPlanBench.open(server.url, PREFIX, {
    now: START,
    config: { keptDays: 30, expectedPooledGbPerDay: 10, projects: LARGE_CONFIG },
  });
});
after(async () => {
  await thirtyDays?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});

/** What comes in on one day: of each large project, and of a tenth of the small ones. */
function linesOf(day: number) {
  const at = START + day * DAY_MS + HOUR_MS;
  const writing = SMALL.filter((_, id) => (id + day) % 10 === 0);
  return [...LARGE, TEAM_7, ...writing].map((project) => aLine(project, at, `${project}/${day}`));
}

test('1,000 small projects and 3 large ones lie in fewer than 100 indices after 30 days', async () => {
  const started = performance.now();
  await initIndexPlan(bench().planner);
  let written = 0;
  for (let day = 0; day < DAYS; day += 1) {
    // Team 7 gets Kibana on the tenth day.
    if (day === 10) {
      const projects = { ...LARGE_CONFIG, 'team-7': { direct: true } };
      bench().config = indexPlanConfig.parse({ ...bench().config, projects });
    }
    // As seldom as the plan allows: making indices is what takes the time here.
    if (day % 5 === 0) await planOnce(bench().planner);
    // On each tenth day team 7 is named twice.
    const lines = linesOf(day);
    const { stored, duplicates } = await bench().write(lines);
    assert.equal(stored + duplicates, lines.length);
    written += stored;
    await bench().clock.advance(DAY_MS);
  }
  const indices = await bench().indices();
  console.log(
    `${indices.length} indices for ${written} lines, in ${Math.round(performance.now() - started)} ms`,
  );
  assert.ok(indices.length < 100, `${indices.length} indices: ${indices.join(' ')}`);
  assert.equal(await bench().count(`${PREFIX}-*`), written);
  assert.equal(await bench().found(LARGE[0] as ProjectId, START), DAYS);
  assert.equal(await bench().found('team-8' as ProjectId, START), 3);
  assert.equal(await bench().found(TEAM_7, START), DAYS);
});

test('a project of 200 GB a day has at least 5 primaries, a pool those that were planned', async () => {
  const primaries = async (name: string): Promise<number> => {
    const settings = await bench().client.indices.getSettings({ index: name });
    return Number(settings[name]?.settings?.index?.number_of_shards);
  };
  assert.ok((await primaries(`${PREFIX}-l-1~daily-2026.11.30`)) >= 5);
  assert.equal(await primaries(`${PREFIX}-l-2~daily-2026.11.30`), 1);
  const pool = (await bench().indices()).find((name) => name.includes('~pool-0-'));
  assert.equal(await primaries(pool ?? ''), 6);
});

test('late and repeated lines find their old places, whatever was appended to the plan', async () => {
  const { plan } = await bench().home.read();
  assert.ok(
    plan.entries.some(({ project }) => project === TEAM_7),
    'the plan has grown',
  );
  const before = await bench().indices();
  const again = Array.from({ length: DAYS }, (_, day) => linesOf(day)).flat();
  const { stored, duplicates } = await bench().write(again);
  assert.deepEqual({ stored, duplicates }, { stored: 0, duplicates: again.length });
  const late = await bench().write([aLine(TEAM_7, START + 2 * HOUR_MS, 'late')]);
  assert.equal(late.stored, 1);
  const places = await bench().places();
  const old = places.place(TEAM_7, START);
  assert.match(old, /~pool-/);
  assert.match(places.place(TEAM_7, START + 20 * DAY_MS), /team-7~monthly-2026\.12$/);
  const { hits } = await bench().client.search({
    index: old,
    query: {
      bool: { filter: [{ term: { project: TEAM_7 } }, { term: { at: START + 2 * HOUR_MS } }] },
    },
  });
  assert.equal(hits.hits.length, 1);
  assert.deepEqual(await bench().indices(), before, 'no index was made for it');
});

test('an alias shows one project, in pools and alone', async () => {
  const through = async (project: string): Promise<Set<unknown>> => {
    const { hits } = await bench().client.search<{ project: string }>({
      index: `${PREFIX}-${project}`,
      size: 100,
    });
    return new Set(hits.hits.map(({ _source }) => _source?.project));
  };
  assert.deepEqual(await through('team-8'), new Set(['team-8']));
  assert.deepEqual(await through('l-1'), new Set(['l-1']));
});

test('what is planned already is planned once more by nobody', async () => {
  await planOnce(bench().planner);
  assert.deepEqual(await planOnce(bench().planner), { appended: 0, templates: 0, aliases: 0 });
});

test('of two planners one appends, and a cache follows it', async () => {
  const { client, home, clock } = bench();
  const cache = await IndexPlanCache.open({
    read: async () => (await home.read()).plan,
    prefix: PREFIX,
    clock: systemClock,
    refreshMs: 50,
    maxAgeMs: 10_000,
    onFailure: () => undefined,
  });
  await using _closed = cache;
  const held = await home.read();
  const pools = [{ count: 2, primaries: 1, validFrom: Date.UTC(2027, 0) }];
  const grown = appendToPlan(held.plan, { entries: [], pools }, clock.now());
  const other = new IndexPlanHome(client, 'tollgate-plan');
  const [one, two] = await Promise.all([home.replace(held, grown), other.replace(held, grown)]);
  assert.deepEqual([one, two].sort(), [false, true]);
  assert.equal((await home.read()).plan.pools.length, held.plan.pools.length + 1);
  await home.create(held.plan);
  assert.deepEqual((await other.read()).plan, grown, 'a second init changes nothing');
  const over = performance.now() + 10_000;
  while (
    !cache
      .place('team-8' as ProjectId, Date.UTC(2027, 1))
      .includes(`~pool-${held.plan.pools.length}-`)
  ) {
    assert.ok(performance.now() < over, 'the cache did not follow');
    await wait(20);
  }
});

test('forgetting a project takes all of it and nothing else, and goes on where it was stopped', async () => {
  const many = Array.from({ length: 2_500 }, (_, line) =>
    aLine(TEAM_7, START + line * 1_000, `many/${line}`),
  );
  assert.equal((await bench().write(many)).stored, 2_500);
  const all = await bench().count(`${PREFIX}-*`);
  const own = await bench().found(TEAM_7, START);
  assert.equal(own, DAYS + 1 + 2_500);
  const { client, prefix } = bench();
  const parts = { client, prefix, clock: systemClock, random: Math.random };
  const stop = new AbortController();
  let first: Forgotten = { indicesDropped: 0, records: 0 };
  const stopped = forgetProject(
    {
      ...parts,
      signal: stop.signal,
      onProgress: (forgotten) => {
        first = forgotten;
        if (forgotten.records >= 1_000) stop.abort();
      },
    },
    TEAM_7,
  );
  await assert.rejects(stopped, { name: 'AbortError' });
  assert.ok(first.records >= 1_000 && first.records < own, `${first.records} of ${own}`);
  const rest = await forgetProject({ ...parts, signal: AbortSignal.timeout(60_000) }, TEAM_7);
  assert.equal(first.records + rest.records, own);
  assert.ok(first.indicesDropped + rest.indicesDropped >= 1);
  await client.indices.refresh({ index: `${prefix}-*` });
  assert.equal(await bench().found(TEAM_7, START), 0);
  assert.equal(await bench().count(`${prefix}-*`), all - own);
  assert.equal(await client.indices.existsAlias({ name: `${prefix}-team-7` }), false);
  const again = await forgetProject({ ...parts, signal: AbortSignal.timeout(60_000) }, TEAM_7);
  assert.deepEqual(again, { indicesDropped: 0, records: 0 });
});

test('retention drops whole periods that are over, and no index of others', async () => {
  const { client, prefix, config } = bench();
  const others = ['tollgate-logs-2000.01', 'tollgate-logs2-etl~daily-2000.01.01', 'other-2000.01'];
  for (const index of others) await client.indices.create({ index });
  const now = START + DAYS * DAY_MS;
  const before = await bench().indices();
  const dropped = await dropOverdue(client, prefix, config, { now, goOn });
  // What is kept for 7 days of 30, and the day that is just 30 days old, is over: 23 days of l-3.
  assert.deepEqual(dropped, { indices: 23, records: 23 });
  assert.equal((await bench().indices()).length, before.length - 23);
  const later = await dropOverdue(client, prefix, config, { now: now + 30 * DAY_MS, goOn });
  assert.equal((await bench().indices()).filter((name) => name.includes('2026.11')).length, 0);
  assert.ok(later.indices > 0);
  await dropOverdue(client, prefix, config, { now: now + 3_000 * DAY_MS, goOn });
  for (const index of others) {
    assert.ok(await client.indices.exists({ index }), `${index} is still there`);
    await client.indices.delete({ index });
  }
  assert.deepEqual(await bench().indices(), ['tollgate-plan']);
});

test('the planner runs under a lease, again and again, and measures what is stored', async () => {
  const { url } = must(server, 'the server was started');
  const now = START;
  await using loop = await IndexPlanBench.open(url, 'loop-logs', { now, config: {} });
  const stop = new AbortController();
  await using leases = await openSqliteLeaseStore({ file: ':memory:', clock: systemClock });
  const runs: PlannerRun[] = [];
  const failures: unknown[] = [];
  const parts = {
    ...loop.planner,
    clock: { ...systemClock, now: () => now },
    config: { ...loop.config, planEveryMs: 50 },
    leases,
    holder: 'one',
    onRun: (run: PlannerRun) => runs.push(run),
    onFailure: (error: unknown) => failures.push(error),
  };
  const running = runIndexPlanner(parts, stop.signal);
  const over = performance.now() + 30_000;
  const until = async (done: () => boolean): Promise<void> => {
    while (!done()) {
      assert.ok(performance.now() < over, `${runs.length} runs, failures: ${failures.join()}`);
      await wait(20);
    }
  };
  await until(() => failures.length > 0);
  assert.match(String(failures[0]), /no index plan in loop-plan; run "tollgate stores init"/);
  await initIndexPlan(loop.planner);
  const small = 'small' as ProjectId;
  await loop.write([aLine(small, now - 40 * DAY_MS, 'old'), aLine(small, now - HOUR_MS, 'new')]);
  await until(() => runs.some(({ aliases }) => aliases > 0));
  const name = `logs/${planIndex(loop.planner.prefix)}`;
  while ((await leases.acquire(name, 'two', HOUR_MS)) === undefined) {
    for (const lease of await leases.held('logs')) await leases.release(lease);
  }
  const before = runs.length;
  await wait(300);
  assert.ok(runs.length <= before + 1, 'another holds the lease');
  stop.abort();
  await running;
  assert.ok(runs.every(({ appended }) => appended === 0));
});

test('members of a direct project read its own indices and nothing else', async () => {
  await using secured = await startElasticsearch({ secured: true });
  const open = (username: string, password: string) =>
    openElasticClient(
      elasticConfig.parse({ url: secured.url, caFile: secured.caFile, username, password }),
    );
  const admin = open('admin', ELASTIC_USERS.admin);
  const member = open('member', 'member-secret');
  try {
    const own = `${PREFIX}-etl~daily-2026.11.21`;
    const foreign = [`${PREFIX}-etl-2~daily-2026.11.21`, `${PREFIX}-~pool-0-00-2026.11`];
    for (const index of [own, ...foreign]) await admin.indices.create({ index });
    await admin.security.putRole({ name: 'etl', ...readerRole(PREFIX, 'etl' as ProjectId) });
    await admin.security.putUser({ username: 'member', password: 'member-secret', roles: ['etl'] });
    assert.equal((await member.search({ index: own })).hits.hits.length, 0);
    const refused = (error: unknown): boolean => statusOf(error) === 403;
    for (const index of foreign) await assert.rejects(member.search({ index }), refused);
    await assert.rejects(member.index({ index: own, document: {} }), refused);
    await assert.rejects(member.indices.delete({ index: own }), refused);
  } finally {
    await admin.close();
    await member.close();
  }
});
