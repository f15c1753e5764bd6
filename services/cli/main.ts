import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isatty } from 'node:tty';
import { systemClock } from '../../shared/runtime/clock.ts';
import type { CliIo } from './cli-io.ts';
import { alertsCommand } from './commands/alerts-command.ts';
import { balanceCommand } from './commands/balance-command.ts';
import { closeCommand } from './commands/close-command.ts';
import { clustersCommand } from './commands/clusters-command.ts';
import { configCommand } from './commands/config-command.ts';
import { demoCommand } from './commands/demo-command.ts';
import { enforceCommand } from './commands/enforce-command.ts';
import { explainCommand } from './commands/explain-command.ts';
import { grantCommand } from './commands/grant-command.ts';
import { grantsCommand } from './commands/grants-command.ts';
import { importCommand } from './commands/import-command.ts';
import { limitsCommand } from './commands/limits-command.ts';
import { logsCommand } from './commands/logs-command.ts';
import { periodCommand } from './commands/period-command.ts';
import { priceCommand } from './commands/price-command.ts';
import { quarantineCommand } from './commands/quarantine-command.ts';
import { quotasCommand } from './commands/quotas-command.ts';
import { quoteCommand } from './commands/quote-command.ts';
import { replayCommand } from './commands/replay-command.ts';
import { reportCommand } from './commands/report.ts';
import { reservationsCommand } from './commands/reservations-command.ts';
import { rulesCommand } from './commands/rules-command.ts';
import { type RunWorld, runCommand } from './commands/run-command.ts';
import { silenceCommand } from './commands/silence-command.ts';
import { roleCommands, startCommand } from './commands/start-command.ts';
import { stopCommand } from './commands/stop-command.ts';
import { storesCommand } from './commands/stores-command.ts';
import { tokenCommand } from './commands/token-command.ts';
import { whereCommand } from './commands/where-command.ts';
import { environment } from './config.ts';
import { packageVersion } from './package-version.ts';
import { runCli } from './run-cli.ts';

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => stop.abort(new Error(name)));
}

const io: CliIo = {
  out: (text) => {
    process.stdout.write(text);
  },
  err: (text) => {
    process.stderr.write(text);
  },
  columns: process.stdout.isTTY ? process.stdout.columns : undefined,
  env: environment(),
  readFile: (path) => readFileSync(path, 'utf8'),
  clock: systemClock,
  signal: stop.signal,
};

const PASSED_ON: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'];

const world: RunWorld = {
  random: randomBytes,
  onSignal: (heard) => {
    for (const name of PASSED_ON) process.on(name, heard);
    const forget = (): void => {
      for (const name of PASSED_ON) process.off(name, heard);
    };
    return { [Symbol.dispose]: forget };
  },
  isTerminal: [0, 1, 2].some((descriptor) => isatty(descriptor)),
  setExitCode: (code) => {
    process.exitCode = code;
  },
};

// A reader that has seen enough, such as head, closes the pipe.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

const report = reportCommand();
const exitCode = await runCli(process.argv.slice(2), {
  version: packageVersion(import.meta.url),
  io,
  commands: [
    demoCommand(io),
    startCommand(io),
    ...roleCommands(io),
    storesCommand(io),
    report,
    importCommand(io),
    priceCommand(io, randomBytes),
    balanceCommand(io),
    whereCommand(io),
    quotasCommand(io),
    limitsCommand(io),
    reservationsCommand(io),
    clustersCommand(io),
    explainCommand(io),
    replayCommand(io, process.stderr),
    grantsCommand(io),
    grantCommand(io),
    logsCommand(io),
    rulesCommand(io),
    configCommand(io, async () => (await import('../all-in-one/config.ts')).tollgateConfig),
    periodCommand(io),
    closeCommand(io),
    quarantineCommand(io),
    alertsCommand(io),
    silenceCommand(io, randomBytes, systemClock.now),
    enforceCommand(io, randomBytes, systemClock.now),
    stopCommand(io, randomBytes),
    quoteCommand(io),
    runCommand(io, world),
    tokenCommand(io, randomBytes),
  ],
});
// The report sets its own when a file could not be read.
process.exitCode = exitCode === 0 ? (process.exitCode ?? 0) : exitCode;
