import { AppError } from '../errors/app-error.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ClusterReader } from './cluster-reader.ts';
import { createFetchJson } from './fetch-json.ts';
import { StandaloneClusterReader } from './standalone/standalone-cluster-reader.ts';
import { YarnClusterReader } from './yarn/yarn-cluster-reader.ts';

export interface ClusterSettings {
  readonly type: 'yarn' | 'standalone';
  /** Web addresses of its manager: one, or one of each where it is highly available. */
  readonly urls: readonly string[];
  /** YARN: caller's name under "simple" security. */
  readonly user?: string | undefined;
  /** Standalone: whether workers are asked for their executors. */
  readonly readWorkers: boolean;
  readonly timeoutMs: number;
  readonly maxAnswerBytes: number;
  readonly parallelRequests: number;
}

function webAddress(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    const message = `“${text}” is no http address of a cluster manager, such as http://rm:8088`;
    throw new AppError('CONFIG_INVALID', message);
  }
  return url;
}

/** The only place that knows which cluster managers there are. Opens no connection yet. */
export function openCluster(settings: ClusterSettings, clock: Clock): ClusterReader {
  const { timeoutMs, maxAnswerBytes, parallelRequests, readWorkers } = settings;
  const urls = settings.urls.map(webAddress);
  if (urls.length === 0) {
    throw new AppError('CONFIG_INVALID', `a ${settings.type} cluster needs its manager's address`);
  }
  const fetchJson = createFetchJson({ clock, timeoutMs, maxBytes: maxAnswerBytes });
  const common = { urls, parallelRequests, fetchJson, clock };
  return settings.type === 'yarn'
    ? new YarnClusterReader({ ...common, user: settings.user })
    : new StandaloneClusterReader({ ...common, readWorkers });
}
