import type { JournalFact } from '../../../shared/contracts/container-fact.ts';
import { applicationKey } from '../../../shared/stores/journal.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { type KnownApplications, knownProjects } from './known-project.ts';
import type { PushedRecord } from './parse/parse-pushed.ts';

interface Ref {
  readonly cluster: string;
  readonly application: string;
}

const YARN_CONTAINER = /^container_(?:e\d{1,9}_)?(\d{1,20}_\d{1,9})_\d{1,9}_\d{1,12}$/;

/** The application that a container's id names; undefined for an id of another form. */
function applicationOf(container: string): string | undefined {
  const yarn = YARN_CONTAINER.exec(container)?.[1];
  if (yarn !== undefined) return `application_${yarn}`;
  const slash = container.indexOf('/');
  return slash > 0 ? container.slice(0, slash) : undefined;
}

/** What a record is about, where it holds to the form that ties it to one application. */
function refOf(record: PushedRecord): Ref | undefined {
  if (record.is === 'activity') return record.activity;
  if (record.is === 'seen') {
    const { cluster, container } = record.evidence;
    const application = applicationOf(container);
    return application === undefined ? undefined : { cluster, application };
  }
  const { fact } = record;
  if (!isOfApplication(fact)) return undefined;
  const { cluster, application } = fact;
  // Ids are first come, first served: nobody takes those of another application.
  if (!fact.id.startsWith(`${cluster}/agent/${application}/`)) return undefined;
  if ('container' in fact && applicationOf(fact.container) !== application) return undefined;
  return { cluster, application };
}

function isOfApplication(fact: JournalFact): fact is JournalFact & Ref {
  return 'application' in fact;
}

function claims(record: PushedRecord): ProjectId | undefined {
  if (record.is !== 'fact' || !('project' in record.fact)) return undefined;
  return record.fact.project;
}

/**
 * Which records a sender may send whose token is bound to some projects: those of applications that
 * are its projects', because the journal says so, or because nobody has said whose they are and the
 * sender says it with them. The agent is the most trusted witness, so another project's containers
 * must be out of its reach; so are nodes and load, which concern everybody.
 */
export async function ownRecords(
  records: readonly PushedRecord[],
  onlyProjects: readonly ProjectId[],
  journal: KnownApplications,
): Promise<ReadonlySet<PushedRecord>> {
  const refs = new Map<string, Ref>();
  const keyed = records.flatMap((record) => {
    const ref = refOf(record);
    if (ref === undefined) return [];
    const key = applicationKey(ref);
    refs.set(key, ref);
    return [{ record, key }];
  });
  const owners = new Map(await knownProjects(journal, [...refs.values()]));
  for (const { record, key } of keyed) {
    const claimed = claims(record);
    if (claimed === undefined || owners.has(key)) continue;
    if (onlyProjects.includes(claimed)) owners.set(key, claimed);
  }
  const isOwn = ({ record, key }: (typeof keyed)[number]): boolean => {
    const owner = owners.get(key);
    const claimed = claims(record);
    if (owner === undefined || !onlyProjects.includes(owner)) return false;
    return claimed === undefined || onlyProjects.includes(claimed);
  };
  return new Set(keyed.filter(isOwn).map(({ record }) => record));
}
