import { startReplay } from '../../services/metering/replay/start.ts';
import { HOUR_MS } from '../../shared/values/instant.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { type AskingApi, askingApi } from './asking-api.ts';
import { applicationFact, containerFact, SMALL, T0 } from './fact-builders.ts';
import { meteringOptions } from './metering-run.ts';
import { settleFacts } from './settle-facts.ts';

export const REPLAY_START = T0 - 5 * HOUR_MS;
const CONFIG = meteringOptions();

/**
 * The API, replaying on its own ledger: projects `etl` and `ml` have run an application an hour for
 * five hours up to now.
 */
export async function replayingApi(): Promise<AskingApi> {
  const late: { api?: AskingApi } = {};
  const api = await askingApi({
    deps: {
      tariffReplays: (question) => {
        const { stores, clock } = late.api ?? api;
        const { journalReader: journal, priceWriter: prices, replay, grants, quotes } = stores;
        const { ledgerReader: ledger } = stores;
        const readers = { journal, prices, replay, grants, ledger, quotes };
        return startReplay({ config: CONFIG, stores: readers, clock }, question);
      },
    },
  });
  late.api = api;
  const facts = ['etl', 'ml'].flatMap((project) =>
    [0, 1, 2, 3, 4].flatMap((hour) => {
      const application = `${project}-${hour}`;
      const start = REPLAY_START + hour * HOUR_MS;
      const ref = { application, container: `${application}/c` };
      const resources = project === 'etl' ? SMALL : { ...SMALL, millicores: 0 };
      return [
        applicationFact('application-seen', start, {
          application,
          project: project as ProjectId,
        }),
        containerFact('container-started', start, { ...ref, resources }),
        containerFact('container-stopped', start + HOUR_MS, ref),
      ];
    }),
  );
  await settleFacts(api.stores, facts, T0, CONFIG);
  return api;
}
