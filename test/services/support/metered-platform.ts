import { setTimeout as wait } from 'node:timers/promises';
import { startMetering } from '../../../services/metering/start.ts';
import type { ContainerFact, JournalFact } from '../../../shared/contracts/container-fact.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import { must } from '../../../shared/errors/assert.ts';
import type { Balance } from '../../../shared/stores/ledger-reader.ts';
import { type Ledger, openLedger } from '../../../shared/stores/sql/open-ledger.ts';
import { silentLogger } from '../../../shared/telemetry/logger.ts';
import { Metrics } from '../../../shared/telemetry/metrics.ts';
import { HOUR_MS, MINUTE_MS } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { applicationFact, containerFact, T0 } from '../../support/fact-builders.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { journalBatch } from '../../support/journal-batch.ts';
import {
  allCharges,
  meteringOptions,
  meteringStores,
  netCharges,
} from '../../support/metering-run.ts';

/** When everything is metered. */
export const NOW = T0 + 9 * HOUR_MS;
/** The stated limit is 30 s. */
const RECOVERY_MS = 90_000;

export const projectOf = (n: number): ProjectId => `p${n % 4}` as ProjectId;

/** Whole hours that a container runs, and a little more. */
export function hoursOf(container: string): number {
  return 1 + (Number(container.split('/')[1]) % 7);
}

/** Applications of four projects, with containers that run for hours: some 3,300 charges. */
export function platform(): JournalFact[] {
  return Array.from({ length: 60 }, (_, a) => {
    const application = `app-${a}`;
    const start = T0 + a * MINUTE_MS;
    const project = projectOf(a);
    const containers = Array.from({ length: 12 }, (_member, c) => {
      const ref = { container: `${application}/${c}`, application };
      const life: ContainerFact[] = [
        containerFact('container-started', start + c * 1_000, ref),
        containerFact('container-stopped', start + hoursOf(ref.container) * HOUR_MS + c * 777, ref),
      ];
      return life;
    });
    return [applicationFact('application-seen', start, { application, project }), ...containers];
  }).flat(2);
}

/** Tries until the store answers, as a service does; counts the failures of the world. */
export async function persist<T>(work: () => Promise<T>): Promise<{ result: T; failures: number }> {
  const over = performance.now() + RECOVERY_MS;
  for (let failures = 0; ; failures += 1) {
    try {
      return { result: await work(), failures };
    } catch (error) {
      if (!(error instanceof AppError) || performance.now() > over) throw error;
      await wait(20);
    }
  }
}

/** Settles again and again until `over`, once at least. */
export async function settleAll(ledger: Ledger, over = (): boolean => true): Promise<number> {
  const start = () =>
    startMetering({
      config: meteringOptions(),
      stores: meteringStores(ledger),
      clock: new FakeClock(NOW),
      logger: silentLogger,
      metrics: new Metrics(),
      random: () => 0,
    });
  const started = await persist(start);
  await using metering = started.result;
  let failed = started.failures;
  for (let last = false; !last; ) {
    last = over();
    failed += (await persist(() => metering.settleNow())).failures;
  }
  return failed;
}

export async function record(ledger: Ledger, facts: readonly JournalFact[]): Promise<number> {
  let failed = 0;
  for (let from = 0; from < facts.length; from += 100) {
    const batch = journalBatch({ facts: facts.slice(from, from + 100) });
    failed += (await persist(() => ledger.journalWriter.record(batch, NOW - 1))).failures;
  }
  return failed;
}

export const text = (rows: unknown): string =>
  JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? `${value}` : value), 1);

/** What the embedded engine, undisturbed, makes of the same facts. */
export async function undisturbed(): Promise<{ charges: string; balances: string; net: string[] }> {
  await using ledger = await openLedger({ file: ':memory:' });
  await record(ledger, platform());
  await settleAll(ledger);
  const charges = await allCharges(ledger);
  return { charges: text(charges), balances: await balances(ledger), net: netCharges(charges) };
}

export async function balancesOf(ledger: Ledger): Promise<Balance[]> {
  const projects = await ledger.ledgerReader.projects();
  const read = await Promise.all(projects.map((id) => ledger.ledgerReader.balance(id)));
  return read.map((balance) => must(balance, 'a known project has a balance'));
}

export const balances = async (ledger: Ledger): Promise<string> => text(await balancesOf(ledger));
