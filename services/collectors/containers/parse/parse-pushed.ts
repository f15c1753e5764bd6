import { z } from 'zod';
import type { Attributed } from '../../../../shared/attribution/attribute-application.ts';
import {
  type ApplicationActivity,
  CONTAINER_ROLES,
  type Evidence,
  type JournalFact,
  NO_RULE,
} from '../../../../shared/contracts/container-fact.ts';
import { roundUpMemory } from '../../../../shared/event-log/container-size.ts';
import { type Instant, MINUTE_MS, parseInstant } from '../../../../shared/values/instant.ts';
import {
  type ProjectId,
  parseProjectId,
  UNATTRIBUTED,
} from '../../../../shared/values/project-id.ts';
import { isResources, NO_RESOURCES } from '../../../../shared/values/resources.ts';
import { dropped, type Fate, FOREIGN_PROJECT, kept, quarantined } from '../../core/fate.ts';

/**
 * A pushed record: a fact of the journal, the sight of a container (`seen`), or where an attempt's
 * slot time went so far (`activity`).
 */
export type PushedRecord =
  | { readonly is: 'fact'; readonly fact: JournalFact }
  | { readonly is: 'seen'; readonly evidence: Evidence }
  | { readonly is: 'activity'; readonly activity: ApplicationActivity };

export interface PushedContext {
  /** Cluster of records that name none. */
  readonly cluster: string;
  /** Project of applications that no rule and no record gives one. */
  readonly project: ProjectId | undefined;
  /** The only projects that the sender may name; undefined for all. */
  readonly onlyProjects?: readonly ProjectId[] | undefined;
  /** MiB to which a cluster's YARN rounds memory up; without it, none does. */
  readonly yarnMemoryStepMib?: (cluster: string) => number;
  readonly now: Instant;
  readonly attribute: (application: {
    readonly name: string;
    readonly user: string;
    readonly queue: string;
    readonly tags: Readonly<Record<string, string>>;
    readonly configuration: ReadonlyMap<string, string>;
  }) => Attributed;
}

const EARLIEST: Instant = Date.UTC(2000, 0, 1);
/** A clock that is further ahead is wrong; what it says waits in quarantine until its time has come. */
const AHEAD_MAX_MS = 5 * MINUTE_MS;
const TIME = 'implausible-time';
const RESOURCES = 'implausible-resources';

/** A project that its sender named ranks below every rule and above none at all. */
const NAMED_RULE = NO_RULE - 1;

const key = (max: number) => z.string().min(1).max(max);
const text = (max: number) => z.string().max(max).default('');
const instant = z.union([
  z.number().int(),
  z
    .string()
    .max(40)
    .transform((written, context) => {
      const at = parseInstant(written);
      if (at === undefined)
        context.addIssue({ code: 'custom', message: 'no ISO 8601 time in UTC' });
      return at ?? z.NEVER;
    }),
]);

const resources = z
  .object({ millicores: z.number(), memoryMib: z.number(), gpus: z.number().default(0) })
  .refine(isResources, RESOURCES);

const slotTime = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const base = { id: key(512), cluster: key(256).optional(), witness: z.literal('agent').optional() };
const container = {
  ...base,
  at: instant,
  container: key(512),
  application: key(256),
  attempt: text(64),
  role: z.enum(CONTAINER_ROLES).default('executor'),
  host: text(512),
  reason: text(1_000),
};
const application = {
  ...base,
  at: instant,
  application: key(256),
  attempt: text(64),
  name: text(1_000),
  user: text(256),
  queue: text(256),
  project: z.string().max(256).optional(),
  tags: z.record(z.string().max(256), z.string().max(1_000)).default({}),
  configuration: z.record(z.string().max(256), z.string().max(4_000)).default({}),
  url: text(2_000),
};
const node = {
  ...base,
  at: instant,
  node: key(512),
  capacity: resources.default(NO_RESOURCES),
  market: z.enum(['on-demand', 'spot', 'unknown']).default('unknown'),
  instance: z.string().max(256).exactOptional(),
  tags: z.record(z.string().max(256), z.string().max(1_000)).exactOptional(),
};

/** What `POST /v1/ingest/containers` takes, one JSON object a line. */
export const pushedRecord = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('application-seen'), ...application }),
  z.object({
    kind: z.literal('application-ended'),
    ...application,
    ending: z
      .object({
        outcome: z.enum(['succeeded', 'failed', 'killed']),
        reason: text(1_000),
        exitCode: z.number().int().exactOptional(),
      })
      .exactOptional(),
  }),
  z.object({ kind: z.literal('container-started'), ...container, resources }),
  z.object({ kind: z.literal('container-resized'), ...container, resources }),
  z.object({
    kind: z.literal('container-stopped'),
    ...container,
    resources: resources.default(NO_RESOURCES),
  }),
  z.object({ kind: z.literal('node-started'), ...node }),
  z.object({ kind: z.literal('node-stopped'), ...node }),
  z.object({
    kind: z.literal('load'),
    ...base,
    at: instant,
    allocated: resources,
    pending: resources,
    capacity: resources,
    capacityMax: resources.optional(),
  }),
  z.object({
    kind: z.literal('seen'),
    cluster: key(256).optional(),
    container: key(512),
    until: instant,
  }),
  z
    .object({
      kind: z.literal('activity'),
      cluster: key(256).optional(),
      ...{ application: key(256), attempt: text(64), at: instant },
      ...{ slotMs: slotTime, usefulMs: slotTime, wastedMs: slotTime },
      ...{ idleMs: slotTime, tailMs: slotTime, startUpMs: slotTime },
    })
    .refine((one) => {
      const { usefulMs, wastedMs, idleMs, tailMs, startUpMs } = one;
      return usefulMs + wastedMs + idleMs + tailMs + startUpMs === one.slotMs;
    }, 'the parts do not add up to slotMs'),
]);
type Pushed = z.output<typeof pushedRecord>;

/** How the id of a container begins that YARN granted. */
const YARN = 'container_';

const MAX_LINE_BYTES = 65_536;

function toFact(
  pushed: Exclude<Pushed, { kind: 'seen' | 'activity' }>,
  context: PushedContext,
): JournalFact {
  const cluster = pushed.cluster ?? context.cluster;
  // Agents choose their ids, so these can't meet those that other witnesses make.
  const common = { id: `${cluster}/agent/${pushed.id}`, cluster, witness: 'agent' as const };
  if (pushed.kind === 'container-started' || pushed.kind === 'container-resized') {
    const stepMib = pushed.container.startsWith(YARN) ? context.yarnMemoryStepMib?.(cluster) : 0;
    const granted = roundUpMemory(pushed.resources, stepMib ?? 0);
    return { ...pushed, ...common, resources: granted };
  }
  if (pushed.kind === 'load') {
    const { capacityMax, ...load } = pushed;
    return { ...load, ...common, ...(capacityMax === undefined ? {} : { capacityMax }) };
  }
  if (pushed.kind !== 'application-seen' && pushed.kind !== 'application-ended') {
    return { ...pushed, ...common };
  }
  const { configuration, project: written, ...seen } = pushed;
  const named = parseProjectId(written ?? '') ?? context.project;
  const ruled = usable(
    context.attribute({ ...seen, configuration: new Map(Object.entries(configuration)) }),
    context,
  );
  const mayBeRuled = context.onlyProjects?.includes(ruled.project) !== false;
  const isNamed =
    (ruled.rule === NO_RULE || !mayBeRuled) && named !== undefined && named !== UNATTRIBUTED;
  const attribution = isNamed ? { project: named, rule: NAMED_RULE } : ruled;
  return { ...seen, ...common, ...attribution };
}

/** A token that is bound to a project may use it, whoever the user is. */
function usable({ claimed, ...ruled }: Attributed, { onlyProjects }: PushedContext): Attributed {
  if (claimed === undefined) return ruled;
  return onlyProjects?.includes(claimed) === true
    ? { ...ruled, project: claimed }
    : { ...ruled, claimed };
}

function isForeign(written: string | undefined, { onlyProjects }: PushedContext): boolean {
  const named = parseProjectId(written ?? '');
  return named !== undefined && onlyProjects?.includes(named) === false;
}

/** Reads one line; the fate says why it can't be kept. */
export function parsePushed(line: string, context: PushedContext): Fate<PushedRecord> {
  if (line.length > MAX_LINE_BYTES) return quarantined('too-long', line.slice(0, MAX_LINE_BYTES));
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return quarantined('not-json', line);
  }
  const parsed = pushedRecord.safeParse(value);
  if (!parsed.success) {
    const isSize = parsed.error.issues.some(({ message }) => message === RESOURCES);
    return quarantined(isSize ? RESOURCES : 'not-a-fact', line);
  }
  const pushed = parsed.data;
  const at = pushed.kind === 'seen' ? pushed.until : pushed.at;
  if (at < EARLIEST || at > context.now + AHEAD_MAX_MS) return quarantined(TIME, line);
  if ((pushed.cluster ?? context.cluster) === '') return quarantined('no-cluster', line);
  if ('project' in pushed && isForeign(pushed.project, context)) return dropped(FOREIGN_PROJECT);
  if (pushed.kind === 'activity') {
    const { kind: _, ...activity } = pushed;
    const cluster = pushed.cluster ?? context.cluster;
    return kept({ is: 'activity', activity: { ...activity, cluster } });
  }
  if (pushed.kind !== 'seen') return kept({ is: 'fact', fact: toFact(pushed, context) });
  const { container: of, until } = pushed;
  const cluster = pushed.cluster ?? context.cluster;
  return kept({ is: 'seen', evidence: { cluster, container: of, until } });
}
