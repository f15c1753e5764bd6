import type { Witness } from '../../../shared/contracts/container-fact.ts';
import type { StoredFact } from '../../../shared/stores/journal.ts';
import { openLedger } from '../../../shared/stores/sql/open-ledger.ts';
import type { RunningTollgate } from '../../support/running-tollgate.ts';
import type { SaidContainer } from './event-log-containers.ts';

const WIDE = 'from=2010-01-01T00:00:00Z&until=2100-01-01T00:00:00Z';

/** A container as charged: its time, and memory over that time. */
export interface Charged {
  readonly project: string;
  readonly role: string;
  readonly ms: number;
  readonly mibMs: number;
  readonly coverage: string;
}

interface Charges {
  readonly charges: {
    container: string;
    role: string;
    containerMs: string;
    mibMs: string;
    coverage: string;
  }[];
}

/** By container, over all hours and corrections. */
export async function chargedContainers(
  tollgate: RunningTollgate,
  projects: readonly string[],
): Promise<Map<string, Charged>> {
  const found = new Map<string, Charged>();
  for (const project of projects) {
    const path = `/v1/projects/${project}/charges?${WIDE}&limit=5000`;
    // A project without a charge is none yet.
    const { charges } = await tollgate.get<Charges>(path).catch((): Charges => ({ charges: [] }));
    for (const { container, role, containerMs, mibMs, coverage } of charges) {
      const sum = found.get(container) ?? { ms: 0, mibMs: 0 };
      found.set(container, {
        ...{ project, role, coverage },
        ms: sum.ms + Number(containerMs),
        mibMs: sum.mibMs + Number(mibMs),
      });
    }
  }
  return found;
}

interface Life {
  readonly start: number | undefined;
  readonly end: number | undefined;
}

/** As livesIn, of a ledger in a file. */
export async function toldLives(file: string): Promise<Map<string, Map<Witness, Life>>> {
  await using ledger = await openLedger({ file, readOnly: true });
  return livesIn(await ledger.journalReader.factsAfter(0, 1_000_000));
}

/** What each witness told Tollgate of each container, by container and witness. */
export function livesIn(facts: readonly StoredFact[]): Map<string, Map<Witness, Life>> {
  const lives = new Map<string, Map<Witness, Life>>();
  for (const { fact } of facts) {
    if (!('container' in fact)) continue;
    const told = lives.get(fact.container) ?? new Map<Witness, Life>();
    const { start, end } = told.get(fact.witness) ?? { start: undefined, end: undefined };
    const isStart = fact.kind === 'container-started';
    const isStop = fact.kind === 'container-stopped';
    told.set(fact.witness, {
      start: isStart ? Math.min(start ?? fact.at, fact.at) : start,
      end: isStop ? Math.min(end ?? fact.at, fact.at) : end,
    });
    lives.set(fact.container, told);
  }
  return lives;
}

/** A container that a cluster manager granted, by its own account; times in ms. */
export interface ManagedContainer {
  readonly container: string;
  readonly application: string;
  readonly createdAt: number;
  /** Undefined while it is held. */
  readonly finishedAt: number | undefined;
  readonly memoryMib: number;
}

/** A container in every account; times in ms. */
export interface Compared<T extends ManagedContainer = ManagedContainer> {
  readonly manager: T;
  /** What Spark wrote, read without Tollgate. */
  readonly said: SaidContainer | undefined;
  readonly told: ReadonlyMap<Witness, Life>;
  readonly charged: Charged;
  /** Charged time less the manager's. */
  readonly differsMs: number;
}

const UNCHARGED: Charged = { project: '', role: '', ms: 0, mibMs: 0, coverage: 'none' };

/** Every container of an application that the manager granted, in the order of their ids. */
export function compare<T extends ManagedContainer>(
  manager: readonly T[],
  said: readonly SaidContainer[],
  told: ReadonlyMap<string, ReadonlyMap<Witness, Life>>,
  charged: ReadonlyMap<string, Charged>,
): Compared<T>[] {
  return manager
    .map((container) => {
      const charge = charged.get(container.container) ?? UNCHARGED;
      return {
        manager: container,
        said: said.find((one) => one.container === container.container),
        told: told.get(container.container) ?? new Map(),
        charged: charge,
        differsMs: charge.ms - ((container.finishedAt ?? Number.NaN) - container.createdAt),
      };
    })
    .sort((a, b) => (a.manager.container < b.manager.container ? -1 : 1));
}

const HEAD = ['container', 'role', 'project', 'manager', 'charged', 'differs', 'coverage'];
const WITNESSES: readonly Witness[] = ['yarn', 'event-log', 'agent'];

/**
 * The accounts side by side, in ms: the manager's own, what is charged, and for each witness how
 * much later than the manager it told the start and the end.
 */
export function comparisonTable(rows: readonly Compared[], witnesses = WITNESSES): string[] {
  const later = (at: number | undefined, than: number | undefined): string =>
    at === undefined || than === undefined ? '-' : `${at - than}`;
  const cells = rows.map(({ manager, told, charged, differsMs }) => {
    const { container, createdAt, finishedAt } = manager;
    const life = finishedAt === undefined ? '-' : `${finishedAt - createdAt}`;
    const witnessed = witnesses.map((witness) => {
      const { start, end } = told.get(witness) ?? { start: undefined, end: undefined };
      return `${later(start, createdAt)}/${later(end, finishedAt)}`;
    });
    const { role, project, ms, coverage } = charged;
    return [
      container.split('_').slice(-3).join('_'),
      ...[role, project, life, `${ms}`, `${differsMs}`, coverage],
      ...witnessed,
    ];
  });
  const table = [[...HEAD, ...witnesses], ...cells];
  const widths = table[0]?.map((_, column) =>
    Math.max(...table.map((row) => row[column]?.length ?? 0)),
  );
  return table.map((row) =>
    row.map((cell, column) => cell.padEnd(widths?.[column] ?? 0)).join('  '),
  );
}
