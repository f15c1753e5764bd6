import { Command } from 'commander';
import type { CliIo } from '../cli-io.ts';
import { integer, withExample } from '../command-options.ts';
import type { DemoRun } from '../run-demo.ts';

async function demo(io: CliIo, options: DemoRun): Promise<void> {
  // Imported when it is needed, so that other commands start fast.
  const { runDemo } = await import('../run-demo.ts');
  await runDemo(io, options);
}

/** `tollgate demo`: a simulated platform, its records going through the real inputs. */
export function demoCommand(io: CliIo): Command {
  const command = new Command('demo')
    .description('A page with live data: a simulated platform through the real inputs')
    .option('--port <port>', 'port of the API and the page', integer(0, 65_535), 8_470)
    .option('--data <folder>', 'folder to keep the data in; without it they go with the demo')
    .option('--seed <n>', 'the same seed plays the same platform', integer(0, 2 ** 31), 7)
    .option('--history <minutes>', 'minutes of the past to play first', integer(0, 1_440), 120)
    .option('--speed <times>', 'how fast the past is played', integer(1, 10_000), 120)
    .action((options: DemoRun) => demo(io, options));
  return withExample(command, 'tollgate demo --port 9000 --seed 3');
}
