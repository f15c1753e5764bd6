import { type Command, InvalidArgumentError } from 'commander';
import { integer } from '../command-options.ts';
import type { PlannedResources } from './plan-of-command.ts';

/** What a person says that a job will hold. */
export interface ResourceOptions {
  readonly cores?: number;
  readonly memory?: number;
  readonly gpus?: number;
  readonly executors?: number;
  readonly minutes?: number;
}

/** Text of a fixed form. */
export function formed(pattern: RegExp, example: string): (text: string) => string {
  return (text) => {
    if (pattern.test(text)) return text;
    throw new InvalidArgumentError(`It must be such as ${example}.`);
  };
}

export const multiplierOption = formed(/^\d{1,3}(\.\d{1,3})?$/, '1.2');
export const creditsOption = formed(/^\d{1,9}(\.\d{1,9})?$/, '50 or 12.5');

function decimal(max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+(\.\d+)?$/.test(text) && value <= max) return value;
    throw new InvalidArgumentError(`It must be a number from 0 to ${max}.`);
  };
}

const MIB = { m: 1, g: 1_024, t: 1_048_576 } as const;

/** `8g`, `512m`, or a bare number of MiB. */
function mebibytes(text: string): number {
  const [, number, unit = 'm'] = /^(\d{1,9})([mgt])?$/i.exec(text) ?? [];
  const each = MIB[unit.toLowerCase() as keyof typeof MIB];
  const value = Number(number) * each;
  if (number !== undefined && value <= 1_000_000_000) return value;
  throw new InvalidArgumentError('It must be such as 512m or 8g.');
}

/** ISO 8601 with a zone, or `+90m`, `+2h`, `+1d` from now. */
export function timeOption(now: () => number): (text: string) => string {
  return (text) => {
    const [, count, unit = ''] = /^\+(\d{1,5})([mhd])$/.exec(text) ?? [];
    const each = { m: 60_000, h: 3_600_000, d: 86_400_000 }[unit];
    if (count !== undefined && each !== undefined) {
      return new Date(now() + Number(count) * each).toISOString();
    }
    if (/(Z|[+-]\d{2}:\d{2})$/.test(text) && !Number.isNaN(Date.parse(text))) {
      return new Date(text).toISOString();
    }
    throw new InvalidArgumentError('It must be ISO 8601 with a zone, or such as +90m, +2h, +1d.');
  };
}

export function withResources(command: Command): Command {
  return command
    .option('--cores <n>', 'cores of all containers together', decimal(1_000_000))
    .option('--memory <size>', 'memory of all containers together, such as 64g', mebibytes)
    .option('--gpus <n>', 'GPUs of all containers together', integer(0, 1_000_000))
    .option(
      '--executors <n>',
      'executors: each container costs the minimum charge',
      integer(0, 1_000_000),
    )
    .option('--minutes <n>', 'how long it runs; else as long as before', decimal(5_256_000));
}

/** What was said, over what the command itself tells; undefined where nobody says anything. */
export function plannedResources(
  { cores, memory, gpus, executors }: ResourceOptions,
  told: PlannedResources | undefined,
): PlannedResources | undefined {
  const said = [cores, memory, gpus, executors].some((one) => one !== undefined);
  if (!said && told === undefined) return undefined;
  const besides = told === undefined ? 0 : told.containers - told.executors;
  return {
    cores: cores ?? told?.cores ?? 0,
    memoryMib: Math.ceil(memory ?? told?.memoryMib ?? 0),
    gpus: Math.ceil(gpus ?? told?.gpus ?? 0),
    executors: executors ?? told?.executors ?? 0,
    containers: (executors ?? told?.executors ?? 0) + besides,
  };
}

/** What a quote is asked for. */
export function quotedResources(
  planned: PlannedResources | undefined,
): Omit<PlannedResources, 'executors'> | undefined {
  if (planned === undefined) return undefined;
  const { executors: _, ...asked } = planned;
  return { ...asked, containers: Math.max(1, asked.containers) };
}
