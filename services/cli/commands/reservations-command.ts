import { Command, Option } from 'commander';
import type { z } from 'zod';
import {
  restReservationStep,
  restReservations,
} from '../../../shared/contracts/rest-reservations.ts';
import { RESERVATION_STATES } from '../../../shared/stores/reservation-store.ts';
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

interface ListOptions extends SharedOptions {
  readonly project: string;
  readonly state?: string;
  readonly limit: number;
}

interface EndOptions extends SharedOptions {
  readonly project: string;
}

type Reservation = z.infer<typeof restReservations>['reservations'][number];

const pathOf = (...parts: readonly string[]): string =>
  `/v1/projects/${parts.map(encodeURIComponent).join('/')}`;

function print(reservations: readonly Reservation[]): string {
  const right = (title: string) => ({ title, align: 'right' as const });
  const columns = [
    ...['ID', 'STATE', 'APPLICATION'].map((title) => ({ title })),
    ...['HELD', 'SPENT', 'PENDING', 'CORES'].map(right),
    { title: 'UNTIL (UTC)' },
  ];
  return table(
    columns,
    reservations.map((one) => [
      ...[one.id, one.state, one.application],
      ...[one.held, one.spent, one.pending].map(shortCredits),
      String(one.resources.cores),
      one.resolvedAt ?? one.expiresAt,
    ]),
  );
}

function listCommand(io: CliIo): Command {
  const command = new Command('list')
    .description('What is held before the work, newest first')
    .requiredOption('-p, --project <id>', 'project whose reservations they are')
    .addOption(
      new Option('--state <name>', 'only reservations in this state').choices(RESERVATION_STATES),
    )
    .option('-n, --limit <reservations>', 'reservations at most', integer(1, 1_000), 100)
    .action(async ({ project, state, limit, ...options }: ListOptions) => {
      const answer = await client(io, options).get(
        pathOf(project, 'reservations'),
        restReservations,
        { state, limit },
      );
      if (options.json) return printJson(io, answer);
      const { reservations } = answer;
      if (reservations.length === 0) return io.out('There are no such reservations.\n');
      return io.out(`${print(reservations)}\n`);
    });
  return withExample(withShared(command), 'tollgate reservations list -p etl --state held');
}

function endCommand(io: CliIo, name: 'post' | 'void', description: string): Command {
  const command = new Command(name)
    .description(description)
    .argument('<id>', 'id of the reservation')
    .requiredOption('-p, --project <id>', 'project whose reservation it is')
    .action(async (id: string, { project, ...options }: EndOptions) => {
      const path = pathOf(project, 'reservations', id, name);
      const step = await client(io, options).post(path, restReservationStep, {});
      if (options.json) return printJson(io, step);
      const before = step.repeated ? ', as it was before' : '';
      const left = `project ${project} has ${shortCredits(step.balance.balance)} credits left`;
      return io.out(`${id} is ${step.state}${before}; ${left}.\n`);
    });
  return withExample(
    withShared(command),
    `tollgate reservations ${name} run-2026-11-21-7f3a -p etl`,
  );
}

/** `tollgate reservations list|post|void`: what is held before the work, and its end by hand. */
export function reservationsCommand(io: CliIo): Command {
  const command = new Command('reservations')
    .description('Credits and cores that are held before the work')
    .addCommand(listCommand(io))
    .addCommand(endCommand(io, 'post', 'End one after its work, releasing what was not spent'))
    .addCommand(endCommand(io, 'void', 'End one that was not used'));
  return withExample(command, 'tollgate reservations list -p etl');
}
