import type { z } from 'zod';
import {
  restSilence,
  restSilenceRequest,
  restSilences,
} from '../../../shared/contracts/rest-alerts.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import { silenceProblems } from '../../../shared/silences/silence-problems.ts';
import type { Silence } from '../../../shared/stores/silence-store.ts';
import { DAY_MS, type Instant, parseInstant } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import type { ApiDeps } from '../api-deps.ts';
import { type Caller, demandAllProjects, sees } from '../http/caller.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';
import { restSilenceOf } from '../rest-alert.ts';

type Deps = Pick<ApiDeps, 'silences' | 'clock'>;
type Request = z.infer<typeof restSilenceRequest>;

/** Ended ones stay listed for so long. */
const SHOWN_MS = 30 * DAY_MS;
const SHOWN_MAX = 500;

function mustInstant(text: string, name: string): Instant {
  const at = parseInstant(text);
  if (at !== undefined) return at;
  throw new AppError('BAD_REQUEST', `${name} is no instant such as 2026-11-21T09:30:00Z`);
}

/** Without sign-in, or with a token that nobody labelled, its id says as much as can be said. */
function authorOf({ label, id }: Caller): string {
  if (label.trim() !== '') return label;
  return id === '' ? 'anybody' : `token ${id}`;
}

/** @throws AppError BAD_REQUEST with all that is wrong with it */
function silenceOf(
  body: Request,
  { project, author, now }: { project: ProjectId | undefined; author: string; now: Instant },
): Silence & { startsAt: Instant } {
  const startsAt = body.startsAt === undefined ? now : mustInstant(body.startsAt, 'startsAt');
  const endsAt = mustInstant(body.endsAt, 'endsAt');
  const { id, matchers, comment, receiver } = body;
  const rest = { author, startsAt, endsAt, createdAt: now, project, receiver, endedBy: '' };
  const silence = { id, matchers, comment, ...rest };
  const problems = silenceProblems(silence, now);
  if (problems.length === 0) return silence;
  throw new AppError('BAD_REQUEST', `this silence can't be made: ${problems.join('; ')}`);
}

async function mustSilence({ silences }: Deps, id: string, caller: Caller): Promise<Silence> {
  const silence = await silences.silence(id);
  const { project } = silence ?? {};
  const visible = project === undefined ? caller.projects === undefined : sees(caller, project);
  if (silence !== undefined && visible) return silence;
  throw new AppError('NOT_FOUND', `there is no silence ${id}`);
}

function ofOne(deps: Deps): Endpoint[] {
  const { silences, clock } = deps;
  return [
    endpoint({
      method: 'get',
      path: '/v1/silences/{id}',
      scope: 'read',
      summary: 'One silence',
      answer: restSilence,
      async handle({ params, caller }) {
        const silence = await mustSilence(deps, params['id'] ?? '', caller);
        return restSilenceOf(silence, clock.now());
      },
    }),
    endpoint({
      method: 'post',
      path: '/v1/silences/{id}/end',
      scope: 'admin',
      summary: 'Ends a silence now; ending it again changes nothing',
      answer: restSilence,
      async handle({ params, caller }) {
        const { id } = await mustSilence(deps, params['id'] ?? '', caller);
        await silences.end(id, clock.now(), authorOf(caller));
        return restSilenceOf(await mustSilence(deps, id, caller), clock.now());
      },
    }),
  ];
}

/** Which alerts aren't told of, for how long, by whose word; a project's own, or the platform's. */
export function silenceEndpoints(deps: Deps): Endpoint[] {
  const { silences, clock } = deps;
  const list = async (project?: ProjectId) => {
    const now = clock.now();
    const filter = { limit: SHOWN_MAX, ...(project === undefined ? {} : { project }) };
    const found = await silences.silences(now - SHOWN_MS, filter);
    return { silences: found.map((one) => restSilenceOf(one, now)) };
  };
  const create = async (body: Request, caller: Caller, project?: ProjectId) => {
    const now = clock.now();
    const known = await silences.silence(body.id);
    // Sent again a while later it would begin later, and be another one.
    const { startsAt, createdAt, endedBy } = known ?? { createdAt: now, endedBy: '' };
    const asked = silenceOf(body, { project, author: authorOf(caller), now: createdAt });
    const silence = { ...asked, endedBy };
    if (body.startsAt === undefined && startsAt !== undefined) silence.startsAt = startsAt;
    await silences.create(silence);
    return restSilenceOf(silence, now);
  };
  return [
    endpoint({
      method: 'get',
      path: '/v1/silences',
      scope: 'read',
      summary: 'All silences, those of the last 30 days included',
      answer: restSilences,
      async handle({ caller }) {
        demandAllProjects(caller);
        return await list();
      },
    }),
    endpoint({
      method: 'post',
      path: '/v1/silences',
      scope: 'admin',
      summary: 'Mutes alerts of the whole platform until an end',
      body: restSilenceRequest,
      answer: restSilence,
      status: 201,
      async handle({ body, caller }) {
        demandAllProjects(caller);
        return await create(body, caller);
      },
    }),
    endpoint({
      method: 'get',
      path: '/v1/projects/{project}/silences',
      scope: 'read',
      summary: 'Silences of one project, those of the last 30 days included',
      answer: restSilences,
      handle: ({ project }) => list(project),
    }),
    endpoint({
      method: 'post',
      path: '/v1/projects/{project}/silences',
      scope: 'admin',
      summary: 'Mutes alerts of one project until an end',
      body: restSilenceRequest,
      answer: restSilence,
      status: 201,
      handle: ({ project, body, caller }) => create(body, caller, project),
    }),
    ...ofOne(deps),
  ];
}
