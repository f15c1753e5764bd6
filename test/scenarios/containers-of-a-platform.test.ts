import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { FileOutput } from '../../services/simulator/outputs/file-output.ts';
import {
  startStandaloneRest,
  startYarnRest,
} from '../../services/simulator/outputs/rest-server.ts';
import { Platform } from '../../services/simulator/platform/platform.ts';
import { Random } from '../../services/simulator/platform/random.ts';
import type { SimEvent } from '../../services/simulator/platform/sim-event.ts';
import type { ContainerFact } from '../../shared/contracts/container-fact.ts';
import { ContainersBench } from '../support/containers-bench.ts';

const START = Date.UTC(2026, 10, 21, 2);
const STEP_MS = 10_000;
const STEPS = 100;

/** What really happened, by container and by application. */
class Truth {
  readonly added = new Map<string, number>();
  readonly removed = new Map<string, number>();
  readonly ended = new Map<string, number>();
  readonly applicationOf = new Map<string, string>();

  learn(events: readonly SimEvent[]): void {
    for (const event of events) {
      if (event.kind === 'application-ended') this.ended.set(event.app.id, event.at);
      if (event.kind !== 'executor-added' && event.kind !== 'executor-removed') continue;
      const { container, id } = event.executor;
      const isYarn = event.app.workload.cluster === 'yarn-main';
      const key = isYarn ? container : `${event.app.id}//${id}`;
      const times = event.kind === 'executor-added' ? this.added : this.removed;
      times.set(key, event.at);
      this.applicationOf.set(key, event.app.id);
    }
  }
}

function byContainer(facts: readonly ContainerFact[], witness: string) {
  const own = facts.filter((fact) => fact.witness === witness && fact.role === 'executor');
  return new Map(own.map((fact) => [fact.container, fact.at]));
}

async function play(seed: number) {
  const platform = new Platform(seed, START);
  const bench = await ContainersBench.open(START);
  const manager = await startYarnRest(platform);
  const master = await startStandaloneRest(platform);
  const folder = (cluster: string) => join(bench.folder, cluster);
  const files = new FileOutput({
    eventLogs: folder,
    logs: (cluster) => join(bench.folder, 'logs', cluster),
  });
  const every = { pollIntervalMs: STEP_MS, timeoutMs: 600_000, goneAfterMs: 2 * STEP_MS };
  const config = {
    scanIntervalMs: STEP_MS,
    activityIntervalMs: 0,
    clusters: [
      { id: 'yarn-main', type: 'yarn' as const, urls: [manager.url] },
      { id: 'spark-lab', type: 'standalone' as const, urls: [master.url] },
    ].map((one) => ({ ...one, ...every, eventLogs: [folder(one.id)] })),
  };
  const settled = async (looks: number): Promise<void> => {
    const seen = () => bench.value('tollgate_cluster_looks_total');
    await bench.until(() => seen() >= looks && bench.clock.sleepers === 4);
  };
  const truth = new Truth();
  const random = new Random(seed);
  await bench.start(config);
  let looks = 2;
  await settled(looks);
  for (let step = 0; step < STEPS; step += 1) {
    const events = platform.advance(bench.clock.now() + STEP_MS);
    truth.learn(events);
    await files.write(events, platform.now);
    if (random.next() < 0.05) {
      await bench.stop();
      await bench.clock.advance(STEP_MS);
      await bench.start(config);
      looks = 2;
    } else {
      await bench.clock.advance(STEP_MS);
      looks += 2;
    }
    await settled(looks);
  }
  await bench.stop();
  await master[Symbol.asyncDispose]();
  await manager[Symbol.asyncDispose]();
  return { bench, truth };
}

test('a platform is journaled as it was, by managers and event logs alike, through restarts', async () => {
  const { bench, truth } = await play(20_261_121);
  await using _ = bench;
  const started = await bench.facts('container-started');
  const stopped = await bench.facts('container-stopped');
  assert.ok(truth.added.size > 50 && truth.ended.size > 5);

  // The event logs tell every executor to the millisecond.
  const logStarts = byContainer(started, 'event-log');
  const logStops = byContainer(stopped, 'event-log');
  assert.deepEqual([...logStarts].sort(), [...truth.added].sort());
  for (const [container, at] of truth.removed) assert.equal(logStops.get(container), at);

  // The managers mean the same containers, and stop them at the same time, within what they can see.
  for (const witness of ['yarn', 'standalone']) {
    const starts = byContainer(started, witness);
    const stops = byContainer(stopped, witness);
    assert.ok(starts.size > 5, witness);
    for (const [container] of starts) {
      const application = truth.applicationOf.get(container);
      // One that was still being launched when all ended never came up.
      if (application === undefined) continue;
      const end = truth.removed.get(container) ?? truth.ended.get(application);
      const stop = stops.get(container);
      if (stop !== undefined) assert.ok(end !== undefined && Math.abs(stop - end) <= STEP_MS);
      const isLongOver = end !== undefined && end < START + (STEPS - 5) * STEP_MS;
      assert.equal(isLongOver && stop === undefined, false, `${container} was never stopped`);
    }
  }
  const again = bench.value('tollgate_records_total', 'first-stands');
  assert.equal(again, 0);
  assert.equal(bench.quarantine.records.size, 0);
});
