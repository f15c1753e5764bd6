import { catchUpClock } from '../../shared/runtime/catch-up-clock.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import { createLogger } from '../../shared/telemetry/logger.ts';
import type { Metrics } from '../../shared/telemetry/metrics.ts';
import type { TollgateConfig } from './config.ts';
import type { Part, PartData, PartName } from './part.ts';

// Loaded where they run: each thread would load all of them.
const OPENERS = {
  ledger: async () => (await import('./ledger-part.ts')).openLedgerPart,
  logs: async () => (await import('./logs-part.ts')).openLogsPart,
  metrics: async () => (await import('./metrics-part.ts')).openMetricsPart,
  alerts: async () => (await import('./alerts-part.ts')).openAlertsPart,
  search: async () => (await import('./search-part.ts')).openSearchPart,
  replay: async () => (await import('./replay-part.ts')).openReplayPart,
};

/** Opens a part in this thread. Errors are those of its stores and inputs. */
export async function openPart(
  name: PartName,
  data: PartData<TollgateConfig>,
  metrics: Metrics,
): Promise<Part> {
  const { config, setup, roles, catchUp, logLevel, enforcementWord } = data;
  const open = await OPENERS[name]();
  return await open({
    ...{ config, setup, roles, metrics, enforcementWord },
    clock: catchUp === undefined ? systemClock : catchUpClock(systemClock, catchUp),
    random: Math.random,
    logger: createLogger(name, logLevel),
  });
}
