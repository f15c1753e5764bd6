import { AppError } from '../errors/app-error.ts';
import type { Clock } from '../runtime/clock.ts';
import { type ActSettings, abilitiesOf } from './act-config.ts';
import { createAskOnce } from './ask-once.ts';
import type { Actuation, ClusterActuator, TargetReader } from './cluster-actuator.ts';
import type { ClusterReader } from './cluster-reader.ts';
import { createFetchJson } from './fetch-json.ts';
import { StandaloneActuator } from './standalone/standalone-actuator.ts';
import { StandaloneClusterReader } from './standalone/standalone-cluster-reader.ts';
import { StandaloneTargetReader } from './standalone/standalone-target-reader.ts';
import { YarnActuator } from './yarn/yarn-actuator.ts';
import { YarnClusterReader } from './yarn/yarn-cluster-reader.ts';
import { YarnTargetReader } from './yarn/yarn-target-reader.ts';

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

function addresses({ type, urls }: Pick<ClusterSettings, 'type' | 'urls'>): URL[] {
  if (urls.length === 0) {
    throw new AppError('CONFIG_INVALID', `a ${type} cluster needs its manager's address`);
  }
  return urls.map(webAddress);
}

/** How a cluster is seen; here alone it is known which managers there are. Opens no connection yet. */
export function openCluster(settings: ClusterSettings, clock: Clock): ClusterReader {
  const { timeoutMs, maxAnswerBytes, parallelRequests, readWorkers } = settings;
  const urls = addresses(settings);
  const fetchJson = createFetchJson({ clock, timeoutMs, maxBytes: maxAnswerBytes });
  const common = { urls, parallelRequests, fetchJson, clock };
  return settings.type === 'yarn'
    ? new YarnClusterReader({ ...common, user: settings.user })
    : new StandaloneClusterReader({ ...common, readWorkers });
}

type ManagerSettings = Pick<
  ClusterSettings,
  'type' | 'urls' | 'user' | 'timeoutMs' | 'maxAnswerBytes'
>;

/** How one target is seen before and after it is acted on. Opens no connection yet. */
export function openTargetReader(settings: ManagerSettings, clock: Clock): TargetReader {
  const { timeoutMs, maxAnswerBytes, user } = settings;
  const urls = addresses(settings);
  const ask = createAskOnce({ clock, timeoutMs, maxBytes: maxAnswerBytes });
  return settings.type === 'yarn'
    ? new YarnTargetReader({ urls, user, ask, clock })
    : new StandaloneTargetReader({ urls, ask, clock });
}

/** What a type of cluster has no means for. */
const LACKING: Record<ClusterSettings['type'], readonly Actuation[]> = {
  yarn: [],
  standalone: ['deny-new-work', 'cap-application', 'limit-lifetime'],
};

/**
 * How a cluster is acted on, as far as `act` allows. Opens no connection yet.
 *
 * @throws AppError CONFIG_INVALID when its type lacks what is allowed
 */
export function openActuator(
  settings: ManagerSettings,
  act: ActSettings,
  clock: Clock,
): ClusterActuator {
  const { type, timeoutMs, maxAnswerBytes } = settings;
  const urls = addresses(settings);
  const lacking = act.may.filter((name) => LACKING[type].includes(name));
  if (lacking.length > 0) {
    const message = `a ${type} cluster has no ${lacking.join(' and no ')}; take it out of act.may`;
    throw new AppError('CONFIG_INVALID', message);
  }
  const submissionUrls = act.submissionUrls.map(webAddress);
  if (submissionUrls.length > 0 && submissionUrls.length !== urls.length) {
    const message = `act.submissionUrls names ${submissionUrls.length} servers for ${urls.length} masters; name one for each, in the same order`;
    throw new AppError('CONFIG_INVALID', message);
  }
  const ask = createAskOnce({ clock, timeoutMs, maxBytes: maxAnswerBytes });
  const common = { urls, ask, abilities: abilitiesOf(act) };
  if (type === 'standalone') return new StandaloneActuator({ ...common, submissionUrls });
  const { user = settings.user, stopQueues, capQueue } = act;
  return new YarnActuator({ ...common, user, stopQueues, capQueue, clock });
}
