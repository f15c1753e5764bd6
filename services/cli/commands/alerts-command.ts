import { Command, Option } from 'commander';
import { ALERT_STATES } from '../../../shared/contracts/alert.ts';
import {
  type RestAlert,
  restAlertHistory,
  restAlerts,
} from '../../../shared/contracts/rest-alerts.ts';
import type { CliIo } from '../cli-io.ts';
import {
  client,
  integer,
  printJson,
  type SharedOptions,
  withExample,
  withShared,
} from '../command-options.ts';
import { printable } from '../printable.ts';
import { table } from '../table.ts';

interface AlertsOptions extends SharedOptions {
  readonly project?: string;
  readonly state?: string;
  readonly rule?: string;
  readonly limit: number;
}

const COLUMNS = [
  { title: 'STATE' },
  { title: 'SEVERITY' },
  { title: 'PROJECT' },
  { title: 'RULE' },
  { title: 'WHAT' },
  { title: 'VALUE', align: 'right' as const },
  { title: 'LIMIT' },
  { title: 'PER HOUR', align: 'right' as const },
  { title: 'SINCE' },
  { title: 'ID' },
];

function shownValue({ value, unit, verdict }: RestAlert): string {
  if (value === null) return verdict;
  return [Number(value.toPrecision(6)).toString(), unit].filter((text) => text !== '').join(' ');
}

function row(alert: RestAlert): string[] {
  const { target, annotations } = alert;
  return [
    ...[alert.state, alert.severity, alert.project ?? '—', alert.rule],
    annotations['summary'] ?? target.id,
    ...[shownValue(alert), alert.limit, alert.cost?.perHour ?? ''],
    ...[alert.firedAt ?? alert.activeSince, alert.id],
  ];
}

async function list(io: CliIo, options: AlertsOptions): Promise<void> {
  const { project, state, rule, limit } = options;
  const query = new URLSearchParams({ limit: String(limit) });
  if (state !== undefined) query.set('state', state);
  if (rule !== undefined) query.set('rule', rule);
  const path = project === undefined ? '' : `/projects/${encodeURIComponent(project)}`;
  const answer = await client(io, options).get(`/v1${path}/alerts?${query}`, restAlerts);
  if (options.json) return printJson(io, answer);
  if (answer.alerts.length === 0) {
    io.out('no such alerts\n');
    return;
  }
  io.out(`${table(COLUMNS, answer.alerts.map(row))}\n`);
}

async function show(io: CliIo, id: string, options: AlertsOptions): Promise<void> {
  const path = `/v1/alerts/${encodeURIComponent(id)}`;
  const answer = await client(io, options).get(path, restAlertHistory);
  if (options.json) return printJson(io, answer);
  const { alert, transitions } = answer;
  io.out(`${table(COLUMNS, [row(alert)])}\n\n`);
  for (const [name, text] of Object.entries(alert.annotations)) {
    io.out(`${printable(name)}: ${printable(text)}\n`);
  }
  const evidence = alert.evidence.map((one) => [
    ...[one.what, one.value === null ? '—' : `${one.value} ${one.unit}`.trim(), one.source],
    ...[one.watermark ?? 'unknown', one.complete ? 'whole' : 'in part'],
  ]);
  const looked = ['EVIDENCE', 'VALUE', 'SOURCE', 'DATA UP TO', 'ANSWER'];
  io.out(
    `\n${table(
      looked.map((title) => ({ title })),
      evidence,
    )}\n`,
  );
  const history = ['AT', 'EPISODE', 'FROM', 'TO', 'WHY'].map((title) => ({ title }));
  const rows = transitions.map((one) => [one.at, `${one.episode}`, one.from, one.to, one.why]);
  io.out(`\n${table(history, rows)}\n`);
}

/** `tollgate alerts [ALERT]`: what fires, or one alert with its evidence and history. */
export function alertsCommand(io: CliIo): Command {
  const command = new Command('alerts')
    .description('Tell what fires, or one alert with its evidence and history')
    .argument('[alert]', 'id of an alert')
    .option('-p, --project <project>', 'those of one project')
    .addOption(new Option('--state <state>', 'those in one state').choices(ALERT_STATES))
    .option('--rule <name>', 'those of one rule')
    .option('--limit <alerts>', 'most that are told, newest first', integer(1, 1_000), 200)
    .action((alert: string | undefined, options: AlertsOptions) =>
      alert === undefined ? list(io, options) : show(io, alert, options),
    );
  return withExample(withShared(command), 'tollgate alerts --project etl --state firing');
}
