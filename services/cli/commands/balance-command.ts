import { Command } from 'commander';
import type { z } from 'zod';
import { restBalance, restProjects } from '../../../shared/contracts/rest.ts';
import { restForecast } from '../../../shared/contracts/rest-grants.ts';
import type { CliIo } from '../cli-io.ts';
import {
  client,
  printJson,
  type SharedOptions,
  withExample,
  withShared,
} from '../command-options.ts';
import { table } from '../table.ts';

type Balance = z.infer<typeof restBalance>;

const HOURS_SHOWN = 10_000;

/** When the credits end at the present burn; '' when they don't. Only for people: not exact. */
function lasts({ balance, burnPerHour, unlimited, shadow }: Balance): string {
  if (shadow) return 'shadow mode';
  if (unlimited) return 'no limit';
  const hours = Number(balance) / Number(burnPerHour);
  if (Number(balance) <= 0) return 'exhausted';
  if (!Number.isFinite(hours) || hours > HOURS_SHOWN) return '';
  return hours >= 48 ? `${Math.floor(hours / 24)} days` : `${hours.toFixed(1)} hours`;
}

/** At most three decimals, for a table; `--json` has all nine. */
export function shortCredits(credits: string): string {
  const [whole = '0', fraction = ''] = credits.split('.');
  const short = fraction.slice(0, 3);
  const cut = fraction.length > short.length;
  return short === '' ? whole : `${whole}.${short}${cut ? '…' : ''}`;
}

/** Percent of what is charged and accrued; rounded for people, the last one takes the rest. */
export function shares({ exact, inferred, estimated }: Balance['coverage']): string {
  const [sure, guessed, open] = [exact, inferred, estimated].map(Number);
  const total = (sure ?? 0) + (guessed ?? 0) + (open ?? 0);
  if (!(total > 0)) return '';
  const percent = (part = 0) => Math.round((100 * part) / total);
  const [a, b] = [percent(sure), percent(guessed)];
  return `${a}/${b}/${100 - a - b} %`;
}

/** What owners of projects in shadow mode would have paid. */
function shadowLines(balances: readonly Balance[]): string {
  return balances
    .filter(({ shadow }) => shadow)
    .map(({ project, charged }) => {
      const credits = shortCredits(charged);
      return `${project} would have been charged ${credits} credits; in shadow mode nothing is refused\n`;
    })
    .join('');
}

function print(balances: readonly Balance[]): string {
  const numbers = ['BALANCE', 'GRANTED', 'CHARGED', 'ACCRUED', 'RESERVED', 'BURN/H'];
  const columns = [
    { title: 'PROJECT' },
    ...numbers.map((title) => ({ title, align: 'right' as const })),
    { title: 'EXACT/INFERRED/ESTIMATED', align: 'right' as const },
    { title: 'LASTS' },
  ];
  return table(
    columns,
    balances.map((one) => [
      one.project,
      ...[one.balance, one.granted, one.charged, one.accrued].map(shortCredits),
      ...[one.reserved, one.burnPerHour].map(shortCredits),
      shares(one.coverage),
      lasts(one),
    ]),
  );
}

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** `Tue 2026-12-01 14:00`, in UTC. */
function day(instant: string): string {
  const weekday = WEEKDAYS[new Date(Date.parse(instant)).getUTCDay()];
  return `${weekday} ${instant.slice(0, 10)} ${instant.slice(11, 16)}`;
}

/** When the credits end as the past days went, and how sure that is. */
function forecastLine(forecast: z.infer<typeof restForecast>): string {
  const { outcome, reason, ends, earliest, latest, until } = forecast;
  if (outcome === 'unknown') return `forecast: ${reason}`;
  if (outcome === 'ended') return 'forecast: the credits have ended';
  if (outcome === 'lasts' || earliest === null) return `forecast: lasts beyond ${day(until)} UTC`;
  const beyond = `later than ${day(until)}`;
  const median = ends === null ? beyond : day(ends);
  return `forecast: ends ${median}, between ${day(earliest)} and ${latest === null ? beyond : day(latest)} UTC`;
}

/** `tollgate balance [PROJECT]`: what is left, and for how long. */
export function balanceCommand(io: CliIo): Command {
  const command = new Command('balance')
    .description('Credits that a project, or every project, has left')
    .argument('[project]', 'only this project')
    .action(async (project: string | undefined, options: SharedOptions) => {
      const rest = client(io, options);
      if (project !== undefined) {
        const path = `/v1/projects/${encodeURIComponent(project)}/balance`;
        const balance = await rest.get(path, restBalance);
        if (options.json) return printJson(io, balance);
        const forecast = await rest.get(path.replace(/balance$/, 'forecast'), restForecast);
        const lines = `${forecastLine(forecast)}\n${shadowLines([balance])}`;
        return io.out(`${print([balance])}\n${lines}`);
      }
      const { projects } = await rest.get('/v1/projects', restProjects);
      const balances = projects.map(({ balance }) => balance);
      if (options.json) return printJson(io, { balances });
      return io.out(`${print(balances)}\n${shadowLines(balances)}`);
    });
  return withExample(withShared(command), 'tollgate balance etl');
}
