import type { Command } from 'commander';
import type { CliIo } from '../../services/cli/cli-io.ts';
import { runCli } from '../../services/cli/run-cli.ts';
import { systemClock } from '../../shared/runtime/clock.ts';

export interface CommandResult {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

/** Runs one command line in this process, on a world that a test makes. */
export async function runCommand(
  command: (io: CliIo) => Command,
  args: readonly string[],
  world: Partial<CliIo> = {},
): Promise<CommandResult> {
  let [out, err] = ['', ''];
  const io: CliIo = {
    out: (text) => {
      out += text;
      world.out?.(text);
    },
    err: (text) => {
      err += text;
      world.err?.(text);
    },
    columns: undefined,
    env: {},
    readFile: () => {
      throw new Error('there is no such file');
    },
    clock: systemClock,
    signal: new AbortController().signal,
    ...Object.fromEntries(Object.entries(world).filter(([name]) => !/^(out|err)$/.test(name))),
  };
  const exitCode = await runCli(args, { version: '1.2.3', io, commands: [command(io)] });
  return { exitCode, out, err };
}
