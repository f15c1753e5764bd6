import { Command, Option } from 'commander';
import type { z } from 'zod';
import { restProjects } from '../../../shared/contracts/rest.ts';
import { restQuotaSuggestion } from '../../../shared/contracts/rest-suggestion.ts';
import type { CliIo } from '../cli-io.ts';
import {
  client,
  integer,
  printJson,
  type SharedOptions,
  withExample,
  withShared,
} from '../command-options.ts';
import { table } from '../table.ts';
import { shortCredits } from './balance-command.ts';

type Suggestion = z.infer<typeof restQuotaSuggestion>;

interface SuggestOptions extends SharedOptions {
  readonly days: number;
  readonly headroom: number;
  readonly yaml?: true;
}

const WEEKS_ENOUGH = 4;

function basis({ hours, weeks }: Suggestion): string {
  if (hours === 0) return 'no use';
  if (weeks === 0) return `${hours} hours, scaled up`;
  return weeks < WEEKS_ENOUGH ? `${weeks} weeks only` : `${weeks} weeks`;
}

function printTable(suggestions: readonly Suggestion[]): string {
  const titles = ['CHARGED', 'GROWTH', 'BUDGET/MONTH', 'CORES', 'RESERVE/H'];
  const columns = [
    { title: 'PROJECT' },
    ...titles.map((title) => ({ title, align: 'right' as const })),
    { title: 'FROM' },
  ];
  return table(
    columns,
    suggestions.map((one) => [
      one.project,
      shortCredits(one.charged),
      one.growth,
      shortCredits(one.monthlyBudget),
      String(one.cores),
      shortCredits(one.reservationPerHour),
      basis(one),
    ]),
  );
}

/** The month after the one of `until`, such as 2026-12. */
function nextMonth(until: string): string {
  const [year = 0, month = 0] = until.split('-').map(Number);
  return new Date(Date.UTC(year, month, 1)).toISOString().slice(0, 7);
}

/** To paste into tollgate.yaml; project ids hold nothing that YAML would read otherwise. */
export function suggestionYaml(suggestions: readonly Suggestion[]): string {
  const lines = ['metering:', '  projects:'];
  for (const one of suggestions) {
    if (one.hours === 0) continue;
    lines.push(
      `    - id: "${one.project}"`,
      `      # ${basis(one)}, growth ${one.growth}, headroom ${one.headroomPercent} %; reserve ${one.reservationPerHour} for each hour of an unbounded job`,
      '      limits:',
      `        cores: ${one.cores}`,
      '      grants:',
      `        - id: "${one.project}/${nextMonth(one.until)}"`,
      `          credits: "${one.monthlyBudget}"`,
      '          reason: suggested monthly budget',
    );
  }
  return lines.length === 2 ? '# no project used anything\n' : `${lines.join('\n')}\n`;
}

function suggestCommand(io: CliIo): Command {
  const command = new Command('suggest')
    .description('Propose monthly budgets, cores and reservations from what projects used')
    .argument('[project]', 'only this project')
    .option('--days <n>', 'how far to look back', integer(1, 730), 90)
    .option('--headroom <percent>', 'what to add', integer(0, 1_000), 20)
    .addOption(new Option('--yaml', 'print it to paste into tollgate.yaml').conflicts('json'))
    .action(async (project: string | undefined, options: SuggestOptions) => {
      const rest = client(io, options);
      const { days, headroom } = options;
      const named =
        project === undefined
          ? (await rest.get('/v1/projects', restProjects)).projects.map(({ id }) => id)
          : [project];
      const suggestions: Suggestion[] = [];
      for (const id of named) {
        const path = `/v1/projects/${encodeURIComponent(id)}/quota-suggestion`;
        suggestions.push(await rest.get(path, restQuotaSuggestion, { days, headroom }));
      }
      if (options.json) return printJson(io, { suggestions });
      return io.out(options.yaml ? suggestionYaml(suggestions) : `${printTable(suggestions)}\n`);
    });
  return withExample(
    withShared(command),
    'tollgate quotas suggest --days 90 --headroom 20',
    'tollgate quotas suggest etl --yaml',
  );
}

/** `tollgate quotas suggest`. */
export function quotasCommand(io: CliIo): Command {
  const command = new Command('quotas').description('Quotas of projects');
  command.addCommand(suggestCommand(io));
  return withExample(command, 'tollgate quotas suggest --days 90');
}
