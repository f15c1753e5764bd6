import type { RestReplayLine } from '../../shared/contracts/rest-replay.ts';
import { AppError } from '../../shared/errors/app-error.ts';
import { openLedgerStores } from '../../shared/stores/open-stores.ts';
import { type ReplayRequest, startReplay } from '../metering/replay/start.ts';
import type { TollgateConfig } from './config.ts';
import type { Part, PartDeps } from './part.ts';

/** Who asked for a replay and comes for no line for this long has gone. */
const GONE_MS = 60_000;
/** Lines are told at most this often; a page of containers takes less. */
const TELL_MS = 250;

interface Running {
  readonly id: number;
  readonly lines: AsyncGenerator<RestReplayLine, void>;
  askedAt: number;
}

/**
 * Replays of tariffs, one at a time, away from the threads that charge and answer. Who began one
 * fetches its lines: nothing is computed ahead of who reads it.
 */
export async function openReplayPart(
  deps: PartDeps<Pick<TollgateConfig, 'metering'>>,
): Promise<Part> {
  const { clock, config, setup } = deps;
  await using resources = new AsyncDisposableStack();
  const ledger = resources.use(await openLedgerStores(setup, deps, { readOnly: true }));
  const stores = {
    ...{ journal: ledger.journalReader, prices: ledger.priceWriter, replay: ledger.replay },
    ...{ ledger: ledger.ledgerReader, grants: ledger.grants, quotes: ledger.quotes },
  };
  let ids = 0;
  let running: Running | undefined;
  const end = async (id: number): Promise<void> => {
    if (running?.id !== id) return;
    const { lines } = running;
    running = undefined;
    await lines.return(undefined);
  };
  const open = resources.move();
  return {
    handlers: {
      'begin-replay': async (request: never) => {
        if (running !== undefined && clock.elapsed() - running.askedAt < GONE_MS) {
          throw new AppError('OVERLOADED', 'another replay runs; try again when it is done', {
            details: { retryAfterMs: 10_000 },
          });
        }
        if (running !== undefined) await end(running.id);
        ids += 1;
        const lines = startReplay(
          { config: config.metering, stores, clock },
          request as ReplayRequest,
        );
        running = { id: ids, lines, askedAt: clock.elapsed() };
        return ids;
      },
      'next-replay-line': async (id: never) => {
        if (running?.id !== id) return undefined;
        const since = clock.elapsed();
        for (;;) {
          running.askedAt = clock.elapsed();
          const { done, value } = await running.lines.next();
          if (done || value === undefined) return undefined;
          const isDue = clock.elapsed() - since >= TELL_MS;
          if (isDue || value.type !== 'progress') return value;
        }
      },
      'end-replay': (id: never) => end(id),
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}
