import type { Metrics } from '../../shared/telemetry/metrics.ts';

/** What the evaluator counts; a rule's own health is in the store. */
export function evaluatorMetrics(metrics: Metrics) {
  return {
    evaluations: metrics.counter(
      'tollgate_alert_evaluations_total',
      'Evaluations of rules, by outcome.',
    ),
    seconds: metrics.counter(
      'tollgate_alert_evaluation_seconds_total',
      'Time that evaluations took, reading and saving included.',
    ),
    missed: metrics.counter(
      'tollgate_alert_evaluations_missed_total',
      'Turns of rules that passed while they waited or were still evaluated.',
    ),
    transitions: metrics.counter(
      'tollgate_alert_transitions_total',
      'Changes of the state of alerts, by the state they came to.',
    ),
    lag: metrics.gauge(
      'tollgate_alert_evaluation_lag_seconds',
      'By how much the rule that waits longest is late.',
    ),
    active: metrics.gauge(
      'tollgate_alert_evaluator_active',
      '1 in the process that evaluates, 0 in one that stands by.',
    ),
    rules: metrics.gauge(
      'tollgate_alert_rules',
      'Rules, by what became of them: loaded, kept as they were, problems in files.',
    ),
    alerts: metrics.gauge('tollgate_alerts', 'Open alerts, by state.'),
  };
}

export type EvaluatorMetrics = ReturnType<typeof evaluatorMetrics>;
