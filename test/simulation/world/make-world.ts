import type {
  ApplicationFact,
  ContainerFact,
  Evidence,
  JournalFact,
  Witness,
} from '../../../shared/contracts/container-fact.ts';
import { DEFAULT_TRUST } from '../../../shared/intervals/witness-trust.ts';
import { RESERVATION_TAG } from '../../../shared/stores/reservation-store.ts';
import { HOUR_MS, type Instant, MINUTE_MS } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { applicationFact, containerFact } from '../../support/fact-builders.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { TrueLife, TrueStep } from './true-amounts.ts';

export const SPAN_MS = 6 * HOUR_MS;
/** Clocks that disagree do so by more than what is believed of one clock. */
const SKEWED_MS = [-5, -3, -2, 2, 3, 5].map((minutes) => minutes * MINUTE_MS);
const LATE_MS = 3 * HOUR_MS;

/** A fact, and when it comes to Tollgate: never before it happened. */
export interface Telling {
  readonly knownAt: Instant;
  readonly fact: JournalFact;
}

export interface WorldContainer {
  readonly container: string;
  readonly application: string;
  readonly life: TrueLife;
}

export interface WorldApplication {
  readonly application: string;
  /** In the end; it may have been believed to be another's before. */
  readonly project: ProjectId;
}

/** What really happened, and what is told of it: late, twice, in part, by clocks that disagree. */
export interface World {
  readonly start: Instant;
  readonly steps: readonly TrueStep[];
  readonly applications: readonly WorldApplication[];
  readonly containers: readonly WorldContainer[];
  readonly tellings: readonly Telling[];
  readonly evidence: readonly { readonly knownAt: Instant; readonly seen: Evidence }[];
}

/** What is left of a world in which some applications never run. */
export function withoutApplications(world: World, runs: (application: string) => boolean): World {
  const containers = world.containers.filter(({ application }) => runs(application));
  const there = new Set(containers.map(({ container }) => container));
  return {
    ...world,
    containers,
    applications: world.applications.filter(({ application }) => runs(application)),
    tellings: world.tellings.filter(
      ({ fact }) => !('application' in fact) || runs(fact.application),
    ),
    evidence: world.evidence.filter(({ seen }) => there.has(seen.container)),
  };
}

const CLUSTER = 'yarn-1';
const TELLERS: readonly Witness[] = ['agent', 'event-log', 'yarn'];
const byTrust = (a: Witness, b: Witness): number =>
  DEFAULT_TRUST.indexOf(a) - DEFAULT_TRUST.indexOf(b);

interface Clocks {
  readonly of: (witness: Witness) => number;
}

/** Agent and event log are one process; the manager's clock is another machine's. */
function makeClocks(random: SeededRandom): Clocks {
  const manager = random.chance(0.5) ? 0 : random.pick(SKEWED_MS);
  return { of: (witness) => (witness === 'yarn' ? manager : 0) };
}

function knownAfter(random: SeededRandom, at: Instant): Instant {
  const slow = random.chance(0.1) ? LATE_MS : 2 * MINUTE_MS;
  // A clock that is ahead tells of what is still to come.
  return at + 5 * MINUTE_MS + Math.floor(random.next() * slow);
}

const resourcesOf = (random: SeededRandom) => ({
  millicores: random.pick([500, 1_000, 3_333, 16_000]),
  memoryMib: random.pick([1, 1_025, 4_096, 65_536]),
  gpus: random.chance(0.1) ? random.int(1, 4) : 0,
});

interface Told {
  readonly life: TrueLife;
  readonly tellings: Telling[];
  readonly evidence: World['evidence'][number][];
}

/**
 * One container: a keeper tells start, resizes and stop; those whom it is trusted before tell what
 * they happen to. A lost one is told to start and was last seen at some time; later, or never, the
 * keeper tells its stop after all.
 */
function makeContainer(
  random: SeededRandom,
  who: { readonly container: string; readonly application: string; readonly project: ProjectId },
  clocks: Clocks,
  start: Instant,
): Told {
  const told = random.shuffled(TELLERS).slice(0, random.int(1, TELLERS.length)).sort(byTrust);
  const [keeper = 'agent', ...others] = told;
  const skew = clocks.of(keeper);
  const begun = start + skew + random.int(0, SPAN_MS / 2);
  const length = random.chance(0.1) ? random.int(1, 900) : random.int(1_000, SPAN_MS / 2);
  const tellings: Telling[] = [];
  const tell = (kind: ContainerFact['kind'], at: Instant, more: Partial<ContainerFact>): void => {
    const { container, application } = who;
    const fact = containerFact(kind, at, {
      id: `${more.witness}/${container}/${kind}/${at}`,
      ...{ container, application, cluster: CLUSTER, ...more },
    });
    tellings.push({ fact, knownAt: knownAfter(random, at) });
    if (random.chance(0.1)) tellings.push({ fact, knownAt: knownAfter(random, at) + LATE_MS });
  };
  const first = resourcesOf(random);
  const sizes = [{ from: begun, resources: first }];
  tell('container-started', begun, { witness: keeper, resources: first });
  for (const from of resizes(random, begun, length)) {
    const resources = resourcesOf(random);
    sizes.push({ from, resources });
    tell('container-resized', from, { witness: keeper, resources });
  }
  const end = begun + length;
  const isLost = random.chance(0.2);
  for (const witness of others) {
    const apart = clocks.of(witness) - skew;
    if (random.chance(0.7)) {
      // Told a little later than by the keeper: it is one start all the same.
      const late = random.int(0, 40_000);
      tell('container-started', begun + apart + late, { witness, resources: first });
    }
    if (!isLost && random.chance(0.7)) tell('container-stopped', end + apart, { witness });
  }
  if (!isLost) {
    tell('container-stopped', end, { witness: keeper });
    return { life: { start: begun, end, sizes }, tellings, evidence: [] };
  }
  return lost({ random, tellings, tell, who, life: { start: begun, end, sizes }, keeper });
}

function resizes(random: SeededRandom, begun: Instant, length: number): Instant[] {
  if (!random.chance(0.3) || length < 10) return [];
  const first = begun + random.int(1, Math.floor(length / 2));
  return random.chance(0.5) ? [first] : [first, random.int(first + 1, begun + length - 1)];
}

function lost(of: {
  readonly random: SeededRandom;
  readonly tellings: Telling[];
  readonly tell: (kind: ContainerFact['kind'], at: Instant, more: Partial<ContainerFact>) => void;
  readonly who: { readonly container: string };
  readonly life: TrueLife;
  readonly keeper: Witness;
}): Told {
  const { random, tellings, life, keeper } = of;
  const lastTold = Math.max(...tellings.map(({ fact }) => fact.at));
  const until = Math.max(lastTold, random.int(life.start, life.end));
  const { container } = of.who;
  const evidence = [
    { knownAt: until + 5 * MINUTE_MS, seen: { cluster: CLUSTER, container, until } },
  ];
  if (random.chance(0.5)) {
    const before = tellings.length;
    of.tell('container-stopped', life.end, { witness: keeper });
    const late = tellings.splice(before).map((one) => ({
      ...one,
      knownAt: one.knownAt + LATE_MS,
    }));
    return { life, tellings: [...tellings, ...late], evidence };
  }
  return { life: { ...life, end: until }, tellings, evidence };
}

function attributions(random: SeededRandom, who: WorldApplication, from: Instant): Telling[] {
  const seen = (rule: number, project: ProjectId): Telling => {
    const { application } = who;
    const fact: ApplicationFact = applicationFact('application-seen', from, {
      id: `${application}/seen/${rule}`,
      ...{ application, cluster: CLUSTER, rule, project },
      tags: { [RESERVATION_TAG]: `hold-${application}` },
    });
    return { fact, knownAt: knownAfter(random, from) };
  };
  const tellings = [seen(1, who.project)];
  if (random.chance(0.3)) tellings.push(seen(2, 'someone-else' as ProjectId));
  return tellings;
}

/** Two worlds of one seed are the same to the last fact. Half of them lie on the end of a month. */
export function makeWorld(random: SeededRandom): World {
  const start = random.chance(0.5)
    ? Date.UTC(2026, 10, 30, 20) + random.int(0, 2 * HOUR_MS)
    : Date.UTC(2026, 10, 10) + random.int(0, 24 * HOUR_MS);
  const steps = Array.from({ length: random.int(0, 5) }, (_, index) => ({
    start: start + index * random.int(20, 60) * MINUTE_MS,
    step: random.int(17, 40) * 50,
  }));
  const clocks = makeClocks(random);
  const world = { start, steps: ordered(steps), applications: [], containers: [] };
  const applications: WorldApplication[] = [];
  const containers: WorldContainer[] = [];
  const tellings: Telling[] = [];
  const evidence: World['evidence'][number][] = [];
  for (let a = 0; a < random.int(1, 3); a += 1) {
    const application = `app-${a}`;
    const project = random.pick(['etl', 'ml', 'bi']) as ProjectId;
    applications.push({ application, project });
    tellings.push(...attributions(random, { application, project }, start));
    for (let c = 0; c < random.int(1, 4); c += 1) {
      const container = `container-${a}-${c}`;
      const told = makeContainer(random, { container, application, project }, clocks, start);
      containers.push({ container, application, life: told.life });
      tellings.push(...told.tellings);
      evidence.push(...told.evidence);
    }
  }
  return { ...world, applications, containers, tellings, evidence };
}

/** Epochs begin at different instants. */
function ordered(steps: readonly TrueStep[]): TrueStep[] {
  const byStart = new Map(steps.map((one) => [one.start, one]));
  return [...byStart.values()].sort((a, b) => a.start - b.start);
}
