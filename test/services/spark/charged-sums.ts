import type { RunningTollgate } from '../../support/running-tollgate.ts';
import type { SaidLives } from './spark-said.ts';

const WIDE = 'from=2010-01-01T00:00:00Z&until=2100-01-01T00:00:00Z';
const EXECUTOR_MIB = 512n;
const DRIVER_MIB = 700n;

interface Charges {
  readonly charges: {
    application: string;
    container: string;
    containerMs: string;
    millicoreMs: string;
    mibMs: string;
  }[];
}
interface Metrics {
  readonly series: { tags: Record<string, string>; points: [number, number][] }[];
}

/** By application and executor: its time, cores and memory over that time. */
type ContainerSums = Map<string, { ms: bigint; millicoreMs: bigint; mibMs: bigint }>;

/** Over all hours and corrections of a project; empty before its first charge. */
export async function chargedSums(
  tollgate: RunningTollgate,
  project: string,
): Promise<ContainerSums> {
  const found: ContainerSums = new Map();
  const path = `/v1/projects/${project}/charges?${WIDE}&limit=1000`;
  const { charges } = await tollgate.get<Charges>(path).catch((): Charges => ({ charges: [] }));
  for (const charge of charges) {
    const key = `${charge.application} ${charge.container.split('/').at(-1)}`;
    const sum = found.get(key) ?? { ms: 0n, millicoreMs: 0n, mibMs: 0n };
    found.set(key, {
      ms: sum.ms + BigInt(charge.containerMs),
      millicoreMs: sum.millicoreMs + BigInt(charge.millicoreMs),
      mibMs: sum.mibMs + BigInt(charge.mibMs),
    });
  }
  return found;
}

/** What event logs say of drivers and executors of one core, and of drivers in local mode with two. */
export function saidSums(lives: readonly SaidLives[]): ContainerSums {
  const expected: ContainerSums = new Map();
  for (const { application, start, end, executors } of lives) {
    const isLocal = executors.has('driver');
    const all = isLocal ? [...executors] : [...executors, ['driver', { start, end }] as const];
    for (const [id, life] of all) {
      const ms = BigInt(life.end - life.start);
      const mib = id === 'driver' ? DRIVER_MIB : EXECUTOR_MIB;
      const cores = isLocal ? 2_000n : 1_000n;
      expected.set(`${application} ${id}`, { ms, millicoreMs: ms * cores, mibMs: ms * mib });
    }
  }
  return expected;
}

/** Whether every container of `expected` is charged for its time, to the ms. */
export function isCharged(found: ContainerSums, expected: ContainerSums): boolean {
  return [...expected].every(([key, { ms }]) => found.get(key)?.ms === ms);
}

/** The series of a field with their points. */
export async function seriesOf(
  tollgate: RunningTollgate,
  where: { readonly project: string; readonly measurement: string; readonly field: string },
): Promise<Metrics['series']> {
  const { project, measurement, field } = where;
  const path = `/v1/projects/${project}/metrics?${WIDE}&limit=1000&step=0`;
  const query = `&measurement=${measurement}&field=${field}`;
  return (await tollgate.get<Metrics>(`${path}${query}`)).series;
}

/** Progress as stored: `<query> <run> <batch> <rows>`. */
export async function storedProgress(
  tollgate: RunningTollgate,
  project: string,
): Promise<string[]> {
  const points = async (field: string): Promise<Map<string, number>> => {
    const series = await seriesOf(tollgate, { project, measurement: 'streaming_query', field });
    return new Map(
      series.flatMap(({ tags, points: all }) =>
        all.map(([at, value]) => [`${tags['query']} ${tags['run']} ${at}`, value] as const),
      ),
    );
  };
  const [batches, rows] = [await points('batch_id'), await points('input_rows')];
  return [...batches].map(([key, id]) => {
    return `${key.split(' ').slice(0, 2).join(' ')} ${id} ${rows.get(key)}`;
  });
}
