import type { RestIngest } from '../../../shared/contracts/rest.ts';
import type { Checkpoint } from '../../../shared/stores/checkpoint.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';

/** Where records come from, and what holds for those that don't say it themselves. */
export interface Origin {
  /** A path, `http`, or a partition such as `kafka:progress/3`. */
  readonly name: string;
  readonly project: ProjectId | undefined;
  /** The only projects that the sender may name; undefined for all. */
  readonly onlyProjects?: readonly ProjectId[] | undefined;
  readonly cluster: string;
  readonly application: string;
}

/** One record as it came. */
export interface RawText {
  /** Identity from its origin, for the quarantine. */
  readonly id: string;
  readonly text: string;
  /** From 1. */
  readonly line: number;
  /** It was longer than allowed, and is only the beginning. */
  readonly cut: boolean;
  /** Set where its input says that it is not to be read. */
  readonly refused?: { readonly fate: 'dropped' | 'quarantined'; readonly reason: string };
}

/** Records that are stored, and answered, together. */
export interface RecordBatch {
  readonly origin: Origin;
  readonly receivedAt: Instant;
  /** Read once, when its turn has come, so that what waits is bytes. */
  readonly records: () => Iterable<RawText>;
  readonly checkpoints: readonly Checkpoint[];
  readonly bytes: number;
}

export type Outcome = { -readonly [K in keyof RestIngest]: RestIngest[K] };

/** An origin as the quarantine keeps it, so that a replay knows what held. */
export function printOrigin({ name, cluster, application }: Origin): string {
  return `${name}?${new URLSearchParams({ cluster, application })}`;
}

export function parseOrigin(source: string, project: ProjectId | undefined): Origin {
  const mark = source.lastIndexOf('?');
  const parameters = new URLSearchParams(mark < 0 ? '' : source.slice(mark + 1));
  return {
    name: mark < 0 ? source : source.slice(0, mark),
    project,
    cluster: parameters.get('cluster') ?? '',
    application: parameters.get('application') ?? '',
  };
}
