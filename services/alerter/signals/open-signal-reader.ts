import { AppError } from '../../../shared/errors/app-error.ts';
import type { SignalConfig } from '../rules/signal-config.ts';
import { readApplication } from './read-application.ts';
import { readBalance } from './read-balance.ts';
import { readCluster } from './read-cluster.ts';
import { readLog } from './read-log.ts';
import { readMetric } from './read-metric.ts';
import { readPrice } from './read-price.ts';
import { readStream } from './read-stream.ts';
import { readTollgate } from './read-tollgate.ts';
import type { Reading, SignalReader } from './signal.ts';
import type { SignalDeps } from './signal-deps.ts';
import { SignalFailure } from './signal-failure.ts';
import type { ReadSubjects } from './subjects-read.ts';

function subjectsOf(config: SignalConfig, deps: SignalDeps): ReadSubjects {
  switch (config.kind) {
    case 'metric':
      return readMetric(config, deps);
    case 'log':
      return readLog(config, deps);
    case 'balance':
      return readBalance(config, deps);
    case 'stream':
      return readStream(config, deps);
    case 'application':
      return readApplication(config, deps);
    case 'cluster':
      return readCluster(config, deps);
    case 'price':
      return readPrice(config, deps);
    case 'tollgate':
      return readTollgate(config, deps);
  }
}

/**
 * The reader of one rule's signal; a reader remembers what makes its next look cheaper, so that a
 * rule keeps its own. A store that can't answer, and more subjects than the rule allows, are
 * `failed`; a bug throws.
 */
export function openSignalReader(config: SignalConfig, deps: SignalDeps): SignalReader {
  const read = subjectsOf(config, deps);
  return {
    async read(at, limit, signal): Promise<Reading> {
      try {
        const { samples, ...told } = await read(at, limit, signal);
        if (samples.length <= limit) return { outcome: 'answered', samples, ...told };
        const why = `${samples.length} subjects, and the rule allows ${limit}; narrow the signal or raise "limit"`;
        return { outcome: 'failed', why };
      } catch (error) {
        if (error instanceof SignalFailure || error instanceof AppError) {
          return { outcome: 'failed', why: error.message };
        }
        throw error;
      }
    },
  };
}
