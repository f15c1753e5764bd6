import type { Configuration } from './container-size.ts';

const MAX_TAGS = 64;
const MAX_KEY = 128;
const MAX_VALUE = 256;

/** Every application may tag itself with `--conf spark.tollgate.tag.CostCenter=4711`. */
const OWN_PREFIX = 'spark.tollgate.tag.';
const LABEL_PREFIX = 'spark.kubernetes.driver.label.';
const DATABRICKS_TAGS = 'spark.databricks.clusterUsageTags.clusterAllTags';

/** Databricks writes its cluster's tags as JSON text: `[{"key":"Vendor","value":"Databricks"},…]`. */
function databricksTags(text: string | undefined): [string, string][] {
  if (text === undefined) return [];
  try {
    const list: unknown = JSON.parse(text);
    if (!Array.isArray(list)) return [];
    return list.flatMap((item: { key?: unknown; value?: unknown } | null): [string, string][] =>
      typeof item?.key === 'string' && typeof item.value === 'string'
        ? [[item.key, item.value]]
        : [],
    );
  } catch {
    // Cut short or redacted by its platform: an application without these tags.
    return [];
  }
}

/** YARN's tags are words; teams write `key:value` or `key=value` into them. */
function yarnTags(text: string | undefined): [string, string][] {
  return (text ?? '').split(',').flatMap((word): [string, string][] => {
    const at = word.search(/[:=]/);
    return at > 0 ? [[word.slice(0, at), word.slice(at + 1)]] : [];
  });
}

function prefixed(configuration: Configuration, prefix: string): [string, string][] {
  return [...configuration].flatMap(([key, value]): [string, string][] =>
    key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [],
  );
}

/**
 * Tags of an application: YARN's, Kubernetes' driver labels, Databricks' cluster tags, and its own
 * `spark.tollgate.tag.*`, which win over the others. At most 64, keys and values cut to size.
 */
export function applicationTags(configuration: Configuration): Record<string, string> {
  const tags = new Map<string, string>();
  for (const [key, value] of [
    ...yarnTags(configuration.get('spark.yarn.tags')),
    ...prefixed(configuration, LABEL_PREFIX),
    ...databricksTags(configuration.get(DATABRICKS_TAGS)),
    ...prefixed(configuration, OWN_PREFIX),
  ]) {
    const name = key.trim().slice(0, MAX_KEY);
    if (name === '' || name === '__proto__') continue;
    if (tags.size < MAX_TAGS || tags.has(name)) tags.set(name, value.trim().slice(0, MAX_VALUE));
  }
  return Object.fromEntries(tags);
}
