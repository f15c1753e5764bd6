import { HOUR_MS, MINUTE_MS } from '../../shared/values/instant.ts';
import { anEpoch } from './api-samples.ts';
import { type AskingApi, askingApi } from './asking-api.ts';
import { applicationFact, containerFact, T0 } from './fact-builders.ts';
import { settleFacts } from './settle-facts.ts';

export const EXPLAINED_START = T0 - 3 * HOUR_MS;
const LARGE = { millicores: 4_000, memoryMib: 6_000, gpus: 1 };

/** Two witnesses that differ by 400 ms, a resize, and a price that rises within an hour. */
export const EXPLAINED_FACTS = [
  applicationFact('application-seen', EXPLAINED_START),
  containerFact('container-started', EXPLAINED_START + 1_234),
  containerFact('container-started', EXPLAINED_START + 1_634, { witness: 'yarn' }),
  containerFact('container-resized', EXPLAINED_START + 20 * MINUTE_MS, { resources: LARGE }),
  containerFact('container-stopped', EXPLAINED_START + 70 * MINUTE_MS + 7),
  containerFact('container-stopped', EXPLAINED_START + 70 * MINUTE_MS + 407, { witness: 'yarn' }),
];

/** The API on a ledger in which that container of project `etl` is charged. */
export async function explainedApi(): Promise<AskingApi> {
  const deps = { pools: ['default'] };
  const api = await askingApi({ deps });
  const rules = api.deps.metering as { poolOf: (cluster: string) => string };
  rules.poolOf = () => 'default';
  for (const [minutes, step] of [
    [-60, 1_000],
    [30, 1_150],
    [60, 1_100],
  ] as const) {
    const start = EXPLAINED_START + minutes * MINUTE_MS;
    const inputs = JSON.stringify({ share: 0.93, target: 1.14 });
    await api.stores.priceWriter.announce(
      anEpoch({ pool: 'default', step, start, inputs, reason: 'load' }),
      start - 2 * MINUTE_MS,
    );
  }
  await settleFacts(api.stores, EXPLAINED_FACTS, T0);
  return api;
}
