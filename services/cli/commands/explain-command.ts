import { Command } from 'commander';
import {
  type RestExplanation,
  restExplanation,
} from '../../../shared/contracts/rest-explanation.ts';
import { verdictText } from '../../../shared/rating/explain-row.ts';
import { formatCredits, parseCredits } from '../../../shared/values/money.ts';
import { CliError, type CliIo, EXIT } from '../cli-io.ts';
import {
  client,
  printJson,
  type SharedOptions,
  withExample,
  withShared,
} from '../command-options.ts';
import { explainText } from './explain-text.ts';

interface ExplainOptions extends SharedOptions {
  readonly project: string;
  readonly cluster?: string;
  readonly full?: true;
}

/** Two pages of one application as one. */
function joined(a: RestExplanation, b: RestExplanation): RestExplanation {
  const sum = (member: 'recomputed' | 'ledger'): bigint =>
    [a, b].reduce((total, { verdict }) => total + (parseCredits(verdict[member]) ?? 0n), 0n);
  const [recomputed, ledger] = [sum('recomputed'), sum('ledger')];
  const epochs = new Map([...a.epochs, ...b.epochs].map((epoch) => [epoch.id, epoch]));
  return {
    ...b,
    containers: [...a.containers, ...b.containers],
    epochs: [...epochs.values()].sort((x, y) => (x.start < y.start ? -1 : 1)),
    verdict: {
      recomputed: formatCredits(recomputed),
      ledger: formatCredits(ledger),
      equal: a.verdict.equal && b.verdict.equal,
      message: verdictText(recomputed, ledger),
    },
  };
}

async function explain(io: CliIo, id: string, options: ExplainOptions): Promise<void> {
  const rest = client(io, options);
  const { project, cluster, full, json } = options;
  const path = `/v1/projects/${encodeURIComponent(project)}/explanations/${encodeURIComponent(id)}`;
  let explanation = await rest.get(path, restExplanation, { cluster });
  while (explanation.cursor !== null) {
    const query = { cluster, cursor: explanation.cursor, limit: 50 };
    explanation = joined(explanation, await rest.get(path, restExplanation, query));
  }
  if (json) printJson(io, explanation);
  else io.out(explainText(explanation, full === true));
  // The answer is out; a script learns from the code that the ledger says otherwise.
  if (!explanation.verdict.equal) throw new CliError(EXIT.found, '');
}

/** `tollgate explain CHARGE|APPLICATION`: why it costs what it costs, computed again. */
export function explainCommand(io: CliIo): Command {
  const command = new Command('explain')
    .description(
      'Why a charge or an application costs what it costs, computed again from the facts',
    )
    .argument('<id>', 'id of a charge (as charges and explain print it), or of an application')
    .requiredOption('-p, --project <id>', 'the project that pays')
    .option('--cluster <id>', 'where the application runs, if that is not clear')
    .option('--full', 'of an application: facts, intervals and arithmetic of every container')
    .action((id: string, options: ExplainOptions) => explain(io, id, options));
  return withExample(
    withShared(command),
    'tollgate explain -p etl application_1795247888953_0002',
    'tollgate explain -p etl 0bpks.GIG7RyrH0ZKLy2iN.1150.000',
  );
}
