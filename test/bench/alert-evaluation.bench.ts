import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Evaluator } from '../../services/alerter/evaluator.ts';
import { storesConfig } from '../../shared/stores/config.ts';
import { openAlertStores } from '../../shared/stores/open-stores.ts';
import { silentLogger } from '../../shared/telemetry/logger.ts';
import { Metrics } from '../../shared/telemetry/metrics.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { aRule, aSample } from '../support/rule-builders.ts';
import { answered } from '../support/rule-run.ts';

const RULES = Number(process.env['BENCH_ALERT_RULES'] ?? 500);
const ALERTS = Number(process.env['BENCH_ALERTS'] ?? 10_000);
const TICKS = Number(process.env['BENCH_ALERT_TICKS'] ?? 6);
const TICK_MS = 10_000;

/** Waits, without time passing on the rules' clock, until so many evaluations are saved. */
async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setImmediate(resolve));
}

/**
 * All rules at once each 10 s of the rules' clock, all their subjects in breach, saved to a SQLite
 * file. Reading the signals is not in it: what is read is given.
 */
export async function run(print: (line: string) => void): Promise<void> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'tollgate-bench-'));
  const clock = new FakeClock();
  const setup = { dataFolder, process: 'bench', stores: storesConfig.parse({}) };
  const stores = await openAlertStores(setup, { clock, random: () => 0.5 });
  const metrics = new Metrics();
  const each = ALERTS / RULES;
  const subjects = Array.from({ length: each }, (_, i) => aSample(`project-${i}`, 90));
  const rules = new Map(
    Array.from({ length: RULES }, (_, i) => `Rule${i}`).map((alert) => [
      alert,
      aRule({ alert, every: '10s', for: '15s' }),
    ]),
  );
  const set = { rules, problems: [], kept: new Set<string>() };
  const evaluator = new Evaluator({
    ...{ clock, metrics, logger: silentLogger, store: stores.alerts, lease: undefined },
    rules: () => set,
    readerOf: () => ({ read: async () => answered(subjects) }),
  });
  const stop = new AbortController();
  const running = evaluator.run(stop.signal);
  const evaluated = () =>
    metrics.values('tollgate_alert_evaluations_total').get('{outcome="ok"}') ?? 0;
  for (let tick = 1; tick <= TICKS; tick += 1) {
    const [cpu, startedMs] = [process.cpuUsage(), performance.now()];
    if (tick > 1) await clock.advance(TICK_MS);
    await until(() => evaluated() >= RULES * tick);
    const { user, system } = process.cpuUsage(cpu);
    const [cpuMs, wallMs] = [(user + system) / 1_000, performance.now() - startedMs];
    const firing = metrics.values('tollgate_alerts').get('{state="firing"}') ?? 0;
    print(
      `tick ${tick}: ${RULES} rules, ${each * RULES} alerts (${firing} were firing before): ` +
        `${cpuMs.toFixed(0)} ms of CPU, ${((cpuMs / TICK_MS) * 100).toFixed(1)} % of a core in ` +
        `${TICK_MS / 1_000} s; done after ${wallMs.toFixed(0)} ms`,
    );
  }
  stop.abort();
  await running;
  await stores[Symbol.asyncDispose]();
  await rm(dataFolder, { recursive: true, force: true });
}
