import type { Instant } from '../values/instant.ts';
import { applicationTags } from './application-tags.ts';
import { type Configuration, clusterManagerOf } from './container-size.ts';
import { type JsonObject, objectField, textField } from './json-fields.ts';

/** What an event log says of its application. Strings are the log's, cut to size, not cleaned. */
export interface ApplicationInfo {
  readonly application: string;
  /** As YARN numbers it in cluster mode (`1`), or ''. */
  readonly attempt: string;
  readonly name: string;
  readonly user: string;
  readonly queue: string;
  readonly sparkVersion: string;
  readonly start: Instant;
  readonly tags: Readonly<Record<string, string>>;
  /** Spark properties. They may hold secrets: match on them, never print them. */
  readonly configuration: Configuration;
}

/** Parts that ApplicationStart gives, or what stands in for them where it is missing. */
export type ApplicationStart = Pick<
  ApplicationInfo,
  'application' | 'attempt' | 'name' | 'user' | 'start'
> & {
  /** Container of the driver, where the log knows it. */
  readonly driverContainer: string | undefined;
  readonly driverHost: string;
};

const MAX_PROPERTIES = 10_000;
const MAX_VALUE = 65_536;

const YARN_CONTAINER = /container_(?:e\d{1,9}_)?\d{1,20}_\d{1,9}_\d{1,9}_\d{1,12}/;

/** YARN's container id from attributes or, before Spark 3.0, from the addresses of its logs. */
export function yarnContainer(attributes: JsonObject, logUrls: JsonObject): string | undefined {
  const named = YARN_CONTAINER.exec(textField(attributes, 'CONTAINER_ID'))?.[0];
  if (named !== undefined) return named;
  for (const key of Object.keys(logUrls).slice(0, 10)) {
    const found = YARN_CONTAINER.exec(textField(logUrls, key))?.[0];
    if (found !== undefined) return found;
  }
  return undefined;
}

export function readApplicationStart(
  event: JsonObject,
  start: Instant,
  fallback: string,
): ApplicationStart {
  const attributes = objectField(event, 'Driver Attributes');
  return {
    application: textField(event, 'App ID', 256) || fallback,
    attempt: textField(event, 'App Attempt ID', 64),
    name: textField(event, 'App Name', 512),
    user: textField(event, 'User', 256),
    start,
    driverContainer: yarnContainer(attributes, objectField(event, 'Driver Logs')),
    driverHost: textField(attributes, 'NM_HOST', 256),
  };
}

/** The properties of an EnvironmentUpdate over those known before it; a later one wins. */
export function mergeProperties(before: Configuration, event: JsonObject): Configuration {
  const merged = new Map(before);
  const properties = objectField(event, 'Spark Properties');
  for (const key of Object.keys(properties)) {
    if (merged.size >= MAX_PROPERTIES && !merged.has(key)) continue;
    merged.set(key, textField(properties, key, MAX_VALUE));
  }
  return merged;
}

export function applicationInfo(
  start: ApplicationStart,
  sparkVersion: string,
  configuration: Configuration,
): ApplicationInfo {
  const { application, attempt, name, user } = start;
  // YARN's own default, which Spark doesn't write down.
  const defaultQueue = clusterManagerOf(configuration, application) === 'yarn' ? 'default' : '';
  return {
    application,
    attempt,
    name,
    user,
    queue: (configuration.get('spark.yarn.queue') ?? defaultQueue).slice(0, 256),
    sparkVersion,
    start: start.start,
    tags: applicationTags(configuration),
    configuration,
  };
}
