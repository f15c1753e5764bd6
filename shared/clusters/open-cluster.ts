import { AppError } from '../errors/app-error.ts';
import type { Clock } from '../runtime/clock.ts';
import { type ActSettings, abilitiesOf } from './act-config.ts';
import { createAskOnce } from './ask-once.ts';
import type { DatabricksConfig, EmrConfig } from './cloud-config.ts';
import type { Actuation, ClusterActuator, TargetReader } from './cluster-actuator.ts';
import type { ClusterReader } from './cluster-reader.ts';
import { type DatabricksDoors, openDatabricks } from './databricks/open-databricks.ts';
import { type EmrDoors, openEmr } from './emr/open-emr.ts';
import { createFetchJson } from './fetch-json.ts';
import { StandaloneActuator } from './standalone/standalone-actuator.ts';
import { StandaloneClusterReader } from './standalone/standalone-cluster-reader.ts';
import { StandaloneTargetReader } from './standalone/standalone-target-reader.ts';
import { YarnActuator } from './yarn/yarn-actuator.ts';
import { YarnClusterReader } from './yarn/yarn-cluster-reader.ts';
import { YarnTargetReader } from './yarn/yarn-target-reader.ts';

export interface ClusterSettings {
  readonly type: 'yarn' | 'standalone' | 'databricks' | 'emr';
  /** Web addresses of its manager: one, or one of each where it is highly available. */
  readonly urls: readonly string[];
  /** YARN: caller's name under "simple" security. */
  readonly user?: string | undefined;
  /** Standalone: whether workers are asked for their executors. */
  readonly readWorkers: boolean;
  readonly timeoutMs: number;
  readonly maxAnswerBytes: number;
  readonly parallelRequests: number;
  /** Of a cluster of Databricks, which has the workspace's address in `urls`. */
  readonly databricks?: DatabricksConfig | undefined;
  /** Of a cluster of EMR, which has its ResourceManager's address in `urls`, or none. */
  readonly emr?: EmrConfig | undefined;
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

type ManagerSettings = Pick<
  ClusterSettings,
  'type' | 'urls' | 'user' | 'timeoutMs' | 'maxAnswerBytes' | 'databricks' | 'emr'
>;

function databricksDoors(
  settings: ManagerSettings & { readonly parallelRequests?: number },
  clock: Clock,
): DatabricksDoors {
  const { databricks, timeoutMs, maxAnswerBytes, parallelRequests = 1 } = settings;
  const [workspace, ...others] = addresses(settings);
  if (databricks === undefined || workspace === undefined || others.length > 0) {
    const message = 'a cluster of Databricks needs one workspace in urls, and databricks.token';
    throw new AppError('CONFIG_INVALID', message);
  }
  const { token, clusterId, clusterName, readRuns } = databricks;
  const which = { workspace, token, clusterId, clusterName, readRuns };
  return openDatabricks({ ...which, timeoutMs, maxAnswerBytes, parallelRequests }, clock);
}

function emrDoors({ emr, timeoutMs }: ManagerSettings, clock: Clock): EmrDoors {
  const { region, endpoint, clusterId, clusterName } = emr ?? {};
  return openEmr({ region, endpoint, clusterId, clusterName, timeoutMs }, clock);
}

/** The ResourceManager inside a cluster of EMR, where its address is given. */
function yarnOf<T extends Pick<ClusterSettings, 'type' | 'urls'>>(settings: T): T | undefined {
  return settings.urls.length === 0 ? undefined : { ...settings, type: 'yarn' };
}

function mapDefined<T, R>(value: T | undefined, map: (value: T) => R): R | undefined {
  return value === undefined ? undefined : map(value);
}

/** How a cluster is seen; here alone it is known which managers there are. Opens no connection yet. */
export function openCluster(settings: ClusterSettings, clock: Clock): ClusterReader {
  const { type, timeoutMs, maxAnswerBytes, parallelRequests, readWorkers } = settings;
  if (type === 'databricks') return databricksDoors(settings, clock).reader;
  if (type === 'emr') {
    const yarn = mapDefined(yarnOf(settings), (inside) => openCluster(inside, clock));
    return emrDoors(settings, clock).reader(yarn);
  }
  const urls = addresses(settings);
  const fetchJson = createFetchJson({ clock, timeoutMs, maxBytes: maxAnswerBytes });
  const common = { urls, parallelRequests, fetchJson, clock };
  return type === 'yarn'
    ? new YarnClusterReader({ ...common, user: settings.user })
    : new StandaloneClusterReader({ ...common, readWorkers });
}

/** How one target is seen before and after it is acted on. Opens no connection yet. */
export function openTargetReader(settings: ManagerSettings, clock: Clock): TargetReader {
  const { type, timeoutMs, maxAnswerBytes, user } = settings;
  if (type === 'databricks') return databricksDoors(settings, clock).targets;
  if (type === 'emr') {
    const yarn = mapDefined(yarnOf(settings), (inside) => openTargetReader(inside, clock));
    return emrDoors(settings, clock).targets(yarn);
  }
  const urls = addresses(settings);
  const ask = createAskOnce({ clock, timeoutMs, maxBytes: maxAnswerBytes });
  return type === 'yarn'
    ? new YarnTargetReader({ urls, user, ask, clock })
    : new StandaloneTargetReader({ urls, ask, clock });
}

const OF_QUEUES: readonly Actuation[] = ['deny-new-work', 'cap-application', 'limit-lifetime'];

/** What a type of cluster has no means for. */
function lackingOf({ type, urls }: Pick<ClusterSettings, 'type' | 'urls'>): readonly Actuation[] {
  switch (type) {
    case 'yarn':
      return ['terminate-cluster'];
    case 'standalone':
      return [...OF_QUEUES, 'terminate-cluster'];
    case 'databricks':
      return ['cap-application', 'limit-lifetime'];
    case 'emr':
      return urls.length === 0 ? OF_QUEUES : [];
  }
}

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
  const { type } = settings;
  const lacking = act.may.filter((name) => lackingOf(settings).includes(name));
  if (lacking.length > 0) {
    const message = `a ${type} cluster has no ${lacking.join(' and no ')}; take it out of act.may`;
    throw new AppError('CONFIG_INVALID', message);
  }
  const abilities = abilitiesOf(act);
  if (type === 'databricks') {
    return databricksDoors(settings, clock).actuator(abilities, act.denyPolicies);
  }
  if (type !== 'emr') return openManager(settings, act, clock);
  const inside: ActSettings = { ...act, may: act.may.filter((one) => one !== 'terminate-cluster') };
  const yarn = mapDefined(yarnOf(settings), (manager) => openActuator(manager, inside, clock));
  return emrDoors(settings, clock).actuator(abilities, yarn);
}

function openManager(settings: ManagerSettings, act: ActSettings, clock: Clock): ClusterActuator {
  const { type, timeoutMs, maxAnswerBytes } = settings;
  const urls = addresses(settings);
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
