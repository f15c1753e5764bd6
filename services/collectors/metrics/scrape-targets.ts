import type { Clock } from '../../../shared/runtime/clock.ts';
import type { Logger } from '../../../shared/telemetry/logger.ts';
import type { Metrics } from '../../../shared/telemetry/metrics.ts';
import { fetchProblem, fetchText } from '../inputs/fetch-text.ts';
import { poll } from '../inputs/poll-input.ts';
import type { MetricPipeline } from './metric-pipeline.ts';
import { isWholeExposition, type PrometheusDialect } from './parse/parse-prometheus.ts';
import { type PrometheusTarget, targetIdentity } from './prometheus-target.ts';
import { type ExpositionRules, readExposition, recordScrape } from './read-exposition.ts';
import { ScrapeSlots } from './scrape-slots.ts';

export interface ScrapeDeps {
  readonly targets: readonly PrometheusTarget[];
  /** Targets asked at a time; each holds one answer in memory. */
  readonly parallelScrapes: number;
  readonly pipeline: Pick<MetricPipeline, 'batch' | 'room'>;
  readonly rulesOf: (target: PrometheusTarget) => Omit<ExpositionRules, 'batch'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

const ACCEPT =
  'text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0;q=0.8,*/*;q=0.1';

type Answer =
  | { readonly text: string; readonly dialect: PrometheusDialect }
  | { readonly problem: string; readonly message: string };

/** A page that stands where metrics were meant to be, such as a sign-in, or Spark's own at its start. */
function answerOf(text: string, contentType: string): Answer {
  const dialect = /openmetrics-text/i.test(contentType) ? 'openmetrics' : 'text';
  if (/^\s*(Spark|Master|Worker) is starting up/i.test(text)) {
    return { problem: 'starting-up', message: 'says that it is starting up' };
  }
  if (/^\s*<(!doctype|html|\?xml)/i.test(text)) {
    return { problem: 'not-metrics', message: 'answers with a page instead of metrics' };
  }
  return isWholeExposition(text, dialect)
    ? { text, dialect }
    : { problem: 'cut-short', message: 'ends before its # EOF' };
}

class Scraper {
  readonly #deps: ScrapeDeps;
  readonly #slots: ScrapeSlots;
  readonly #failed: (labels: Record<string, string>) => void;

  constructor(deps: ScrapeDeps) {
    this.#deps = deps;
    this.#slots = new ScrapeSlots(deps.parallelScrapes);
    this.#failed = deps.metrics.counter(
      'tollgate_scrape_failures_total',
      'Scrapes that gave no metrics, by reason.',
    );
  }

  async follow(target: PrometheusTarget, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#deps;
    // Targets of one configuration would otherwise all be asked in the same moment.
    await clock.sleep(random() * target.intervalMs, signal);
    let problem = '';
    for await (const _ of poll(target.intervalMs, clock, signal)) {
      await this.#slots.enter(signal);
      try {
        if (signal.aborted) return;
        problem = await this.#scrape(target, problem, signal);
      } finally {
        this.#slots.leave();
      }
    }
  }

  /** One scrape; returns the reason when it failed, else ''. Says so when that has changed. */
  async #scrape(target: PrometheusTarget, before: string, signal: AbortSignal): Promise<string> {
    const { clock, logger, pipeline, rulesOf } = this.#deps;
    const startedAt = clock.elapsed();
    const rules = rulesOf(target);
    const answer = await this.#ask(target, signal);
    if (signal.aborted) return before;
    const durationMs = clock.elapsed() - startedAt;
    await pipeline.room();
    const { batch } = pipeline;
    const problem = 'problem' in answer ? answer.problem : '';
    let samples = 0;
    if ('text' in answer) {
      samples = readExposition(answer.text, answer.dialect, { ...rules, batch });
    } else this.#failed({ reason: answer.problem });
    recordScrape({ up: problem === '' ? 1 : 0, durationMs, samples }, { ...rules, batch });
    await pipeline.room();
    const shown = { ...targetIdentity(target), cluster: target.cluster };
    if (problem !== before && 'problem' in answer) {
      logger.warn({ ...shown, reason: problem }, `no metrics: ${answer.message}`);
    } else if (problem !== before) logger.info(shown, 'metrics are scraped again');
    return problem;
  }

  async #ask(target: PrometheusTarget, signal: AbortSignal): Promise<Answer> {
    const url = new URL(target.url);
    const maxBytes = target.maxBodyBytes;
    try {
      const asked = { ...target, url, maxBytes, accept: ACCEPT };
      const { text, contentType } = await fetchText(asked, this.#deps.clock, signal);
      return answerOf(text, contentType);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return { problem: fetchProblem(error), message };
    }
  }
}

/** Asks every target once an interval until the signal aborts. A target that fails is asked again. */
export async function scrapeTargets(deps: ScrapeDeps, signal: AbortSignal): Promise<void> {
  const scraper = new Scraper(deps);
  await Promise.all(deps.targets.map((target) => scraper.follow(target, signal)));
}
