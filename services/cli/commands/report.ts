import { Command, InvalidArgumentError, Option } from 'commander';
import { AppError } from '../../../shared/errors/app-error.ts';
import { reportCsv } from './report-csv.ts';
import { reportJson } from './report-json.ts';
import { problemsText, reportText } from './report-text.ts';

/** Where a command writes and how it ends, so that a test can stand in for the process. */
export interface ReportOutput {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; hasColors?: () => boolean };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
  setExitCode(code: number): void;
}

interface Flags {
  readonly by: string;
  readonly unused: string;
  readonly rates?: string;
  readonly rules?: string;
  readonly yarnMemoryStep: number;
  readonly json?: boolean;
  readonly csv?: boolean;
}

const EXAMPLES = `
Examples:
  tollgate report /var/spark-events
  tollgate report --by project --rules rules.yaml eventlog_v2_application_1795247888953_0002
  tollgate report --by sql-user --unused even spark-connect-server.zstd
  tollgate report --by tag:CostCenter --rates rates.yaml --csv /var/spark-events > cost.csv

Reads Spark's event logs, plain or compressed (gzip, zstd, lz4, snappy), also rolling and unfinished
ones. Ends with exit code 1 when a file could not be read to its end; the rest is reported.`;

function wholeNumber(text: string): number {
  if (!/^\d{1,7}$/.test(text)) throw new InvalidArgumentError('It is no whole number of MiB.');
  return Number(text);
}

interface ProgressBar {
  onProgress(read: number, total: number): void;
  stop(): void;
}

async function progressBar(output: ReportOutput): Promise<ProgressBar> {
  if (output.stderr.isTTY !== true) return { onProgress: () => undefined, stop: () => undefined };
  const { Presets, SingleBar } = await import('cli-progress');
  const format = 'Reading {bar} {percentage} % | {read} of {size} MiB';
  const bar = new SingleBar(
    { format, stream: output.stderr, clearOnComplete: true, hideCursor: true, fps: 5 },
    Presets.shades_classic,
  );
  let isStarted = false;
  const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
  return {
    onProgress: (read, total) => {
      const values = { read: mib(read), size: mib(total) };
      if (isStarted) bar.update(read, values);
      else bar.start(total, read, values);
      isStarted = true;
    },
    stop: () => {
      if (isStarted) bar.stop();
    },
  };
}

/** A reader that has seen enough (`| head`) closes the pipe: no error of the report. */
async function write(stream: NodeJS.WritableStream, text: string): Promise<void> {
  if (text === '') return;
  await new Promise<void>((resolve, reject) => {
    const settle = (error?: NodeJS.ErrnoException | null): void => {
      if (error === undefined || error === null || error.code === 'EPIPE') resolve();
      else reject(error);
    };
    // The stream emits what the callback gets, too; unheard, that would end the process.
    stream.once('error', settle);
    stream.write(text, (error) => {
      if (error === undefined || error === null) stream.removeListener('error', settle);
      settle(error);
    });
  });
}

async function run(paths: readonly string[], flags: Flags, output: ReportOutput): Promise<void> {
  const { reportCost } = await import('../../reports/report-cost.ts');
  const bar = await progressBar(output);
  const stop = new AbortController();
  const onInterrupt = (): void => stop.abort();
  process.once('SIGINT', onInterrupt);
  try {
    const report = await reportCost({
      paths,
      by: flags.by,
      unused: flags.unused,
      ratesFile: flags.rates,
      rulesFile: flags.rules,
      yarnMemoryStepMib: flags.yarnMemoryStep,
      onProgress: bar.onProgress,
      signal: stop.signal,
    });
    bar.stop();
    const isStyled = output.stdout.isTTY === true && output.stdout.hasColors?.() === true;
    const text = flags.json === true ? reportJson(report) : reportText(report, isStyled);
    await write(output.stdout, flags.csv === true ? reportCsv(report) : text);
    await write(output.stderr, problemsText(report));
    if (report.problems.length > 0 || report.total.attempts.length === 0) output.setExitCode(1);
  } catch (error) {
    bar.stop();
    if (stop.signal.aborted) {
      output.setExitCode(130);
    } else if (error instanceof AppError) {
      await write(output.stderr, `${error.message}\n`);
      output.setExitCode(2);
    } else {
      throw error;
    }
  } finally {
    process.removeListener('SIGINT', onInterrupt);
  }
}

const PROCESS_OUTPUT: ReportOutput = {
  stdout: process.stdout,
  stderr: process.stderr,
  setExitCode: (code) => {
    process.exitCode = code;
  },
};

/** `tollgate report PATH…`: what did this cost? Needs no server and no configuration. */
export function reportCommand(output: ReportOutput = PROCESS_OUTPUT): Command {
  return new Command('report')
    .description('Report what Spark applications cost, from their event logs')
    .argument('<path...>', 'event logs, or folders that hold them')
    .option(
      '--by <grouping>',
      'rows for each: application, project or tag:KEY; or the sharers of each application: job-group, sql-user or session',
      'application',
    )
    .option(
      '--unused <method>',
      'who of the sharers pays for idle slots and the driver: by-use, even or owner',
      'by-use',
    )
    .option(
      '--rates <file>',
      'rate card (YAML or JSON): coreSecond, gibSecond, gpuSecond in credits',
    )
    .option('--rules <file>', 'attribution rules (YAML or JSON) that give applications a project')
    .option(
      '--yarn-memory-step <mib>',
      "YARN's minimum allocation, to which it rounds containers up; 0 takes memory as asked",
      wholeNumber,
      0,
    )
    .addOption(new Option('--json', 'exact numbers for programs').conflicts('csv'))
    .addOption(
      new Option('--csv', 'exact numbers for spreadsheets, a line for each attempt and role'),
    )
    .addHelpText('after', EXAMPLES)
    .action((paths: string[], flags: Flags) => run(paths, flags, output));
}
