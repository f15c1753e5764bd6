import type { Series } from '../../../shared/contracts/metric-point.ts';
import { UNATTRIBUTED } from '../../../shared/values/project-id.ts';
import type { PrometheusSample } from './parse/parse-prometheus.ts';
import { parseSparkPrometheusName } from './parse/spark-prometheus-name.ts';
import { type PrometheusTarget, targetIdentity } from './prometheus-target.ts';
import { type ProjectOf, seriesOfName } from './resolve-name.ts';

/** The series of a sample; `scale` brings its value to the unit that Graphite has. */
export interface ResolvedSample {
  readonly series: Series;
  readonly provisional: boolean;
  readonly scale: number;
}

export interface SampleRules {
  readonly target: PrometheusTarget;
  readonly projectOf: ProjectOf;
}

const EXECUTORS = 'metrics_executor_';
/** Labels of Spark's executors and of the JMX exporter that Spark's operator sets up. */
const APPLICATION_LABELS = ['application_id', 'app_id'];
/** Tags that the target doesn't decide: its own labels of that name go on as `exported_…`. */
const OWN_TAGS = new Set(['project', 'cluster', 'application', 'executor', 'instance']);

function tagsOf(labels: ReadonlyMap<string, string>): Map<string, string> {
  const tags = new Map<string, string>();
  for (const [name, value] of labels) {
    if (APPLICATION_LABELS.includes(name) && !tags.has('application')) {
      tags.set('application', value);
    } else if (name === 'executor_id') tags.set('executor', value);
    // An application's name is any text, and its id says more.
    else if (name === 'application_name') continue;
    else tags.set(OWN_TAGS.has(name) || name === '__proto__' ? `exported_${name}` : name, value);
  }
  return tags;
}

/** Any sample that is none of Spark's servlet: labels are tags, its name is the field. */
function seriesOfLabels(
  { name, labels }: PrometheusSample,
  { target, projectOf }: SampleRules,
): Omit<ResolvedSample, 'scale'> {
  const { cluster } = target;
  const tags = tagsOf(labels);
  const application = tags.get('application') ?? '';
  const known = application === '' ? undefined : projectOf(cluster, application);
  const isExecutor = name.startsWith(EXECUTORS) && application !== '';
  if (!isExecutor) tags.set('instance', targetIdentity(target).instance);
  const project = target.project ?? known ?? UNATTRIBUTED;
  return {
    series: {
      measurement: isExecutor ? 'executor' : 'prometheus',
      field: isExecutor ? name.slice(EXECUTORS.length) : name,
      tags: { ...Object.fromEntries(tags), project, cluster },
    },
    provisional: application !== '' && target.project === undefined && known === undefined,
  };
}

/**
 * The series of a scraped sample: the same one that Graphite's name of the metric leads to, where
 * Spark's servlet gave it. Undefined for the second line of one gauge.
 */
export function resolveSample(
  sample: PrometheusSample,
  rules: SampleRules,
): ResolvedSample | undefined {
  const { target, projectOf } = rules;
  const name = parseSparkPrometheusName(sample.name, sample.labels.get('type'));
  if (name === 'twice') return undefined;
  if (name === undefined) return { ...seriesOfLabels(sample, rules), scale: 1 };
  const source = { ...target, projectFromPrefix: false, prefixSegments: 0 };
  const { series, provisional } = seriesOfName(name, { source, projectOf });
  if (name.namespace !== '') return { series, provisional, scale: name.scale };
  // Names of a master or worker hold no host; the target does.
  const { instance } = targetIdentity(target);
  return {
    series: { ...series, tags: { ...series.tags, instance } },
    provisional,
    scale: name.scale,
  };
}
