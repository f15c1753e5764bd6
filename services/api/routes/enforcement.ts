import type { z } from 'zod';
import {
  restEnforcement,
  restExemption,
  restExemptionRequest,
  restExemptions,
  restLevelRequest,
  restLevelSwitch,
  restReleased,
  restReleaseRequest,
  restSwitchRequest,
} from '../../../shared/contracts/rest-enforcement.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { Audit, Exemption, LevelSwitch } from '../../../shared/stores/enforcement-store.ts';
import { formatInstant, type Instant, parseInstant } from '../../../shared/values/instant.ts';
import { parseProjectId } from '../../../shared/values/project-id.ts';
import type { ApiDeps } from '../api-deps.ts';
import { type Caller, demandAllProjects } from '../http/caller.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';

type Deps = Pick<ApiDeps, 'enforcement' | 'clock'>;
type ExemptionRequest = z.infer<typeof restExemptionRequest>;

interface Asked {
  readonly id: string;
  readonly why: string;
}

const auditOf = ({ id, why }: Asked, caller: Caller, at: Instant): Audit => ({
  // Nobody signs in on loopback.
  ...{ id, why, by: caller.label || 'local', at },
});

function restLevel({ at, ...level }: LevelSwitch): z.infer<typeof restLevelSwitch> {
  return { ...level, at: formatInstant(at) };
}

function restExempt({ at, expiresAt, project, ...rest }: Exemption): z.infer<typeof restExemption> {
  const times = { at: formatInstant(at), expiresAt: formatInstant(expiresAt) };
  return { ...rest, ...times, project: project ?? null };
}

function exemptionOf(body: ExemptionRequest, caller: Caller, now: Instant): Exemption {
  const expiresAt = parseInstant(body.expiresAt);
  if (expiresAt === undefined || expiresAt <= now) {
    throw new AppError(
      'BAD_REQUEST',
      'expiresAt must be an instant ahead, such as 2026-11-28T00:00:00Z',
    );
  }
  const project = body.project === undefined ? undefined : parseProjectId(body.project);
  if (body.project !== undefined && project === undefined) {
    throw new AppError('BAD_REQUEST', 'project is no project id');
  }
  const { owner, cluster, application, workload } = body;
  return {
    ...auditOf(body, caller, now),
    owner,
    project,
    cluster,
    application,
    workload,
    expiresAt,
  };
}

function switches(deps: Deps): Endpoint[] {
  const { clock } = deps;
  const { store, policies } = deps.enforcement;
  return [
    endpoint({
      method: 'post',
      path: '/v1/enforcement/switch',
      scope: 'admin',
      summary: 'Turns all enforcement off, or on again; what is off in a file stays off',
      body: restSwitchRequest,
      answer: restReleased,
      status: 202,
      async handle({ body, caller }) {
        demandAllProjects(caller);
        await store.switchAll({ ...auditOf(body, caller, clock.now()), on: body.on });
        return { released: body.on };
      },
    }),
    endpoint({
      method: 'post',
      path: '/v1/enforcement/levels',
      scope: 'admin',
      summary: 'Lets a level of a policy, as the policy is now, act, or takes that back',
      body: restLevelRequest,
      answer: restLevelSwitch,
      status: 202,
      async handle({ body, caller }) {
        demandAllProjects(caller);
        const policy = policies.find(({ id }) => id === body.policy);
        if (policy === undefined) {
          const known = policies.map(({ id }) => id).join(', ') || 'none';
          throw new AppError('NOT_FOUND', `there is no policy ${body.policy}; there are: ${known}`);
        }
        if (!policy.levels.includes(body.level)) {
          const message = `policy ${policy.id} has no level ${body.level}; it has ${policy.levels.join(', ')}`;
          throw new AppError('BAD_REQUEST', message);
        }
        const audit = auditOf(body, caller, clock.now());
        const chosen = { policy: policy.id, policyVersion: policy.version, level: body.level };
        const level = { ...audit, ...chosen, on: body.on };
        await store.switchLevel(level);
        return restLevel(level);
      },
    }),
    endpoint({
      method: 'post',
      path: '/v1/enforcement/brake-releases',
      scope: 'admin',
      summary: 'Releases the brake that enforcement pulled itself, after somebody has looked',
      body: restReleaseRequest,
      answer: restReleased,
      async handle({ body, caller }) {
        demandAllProjects(caller);
        return { released: await store.releaseBrake(auditOf(body, caller, clock.now())) };
      },
    }),
  ];
}

function exemptions(deps: Deps): Endpoint[] {
  const { clock } = deps;
  const { store } = deps.enforcement;
  const list = async () => ({
    exemptions: (await store.exemptions(clock.now())).map(restExempt),
  });
  return [
    endpoint({
      method: 'post',
      path: '/v1/enforcement/exemptions',
      scope: 'admin',
      summary: 'Spares a project, cluster, application or workload until an end',
      body: restExemptionRequest,
      answer: restExemption,
      status: 201,
      async handle({ body, caller }) {
        demandAllProjects(caller);
        const exemption = exemptionOf(body, caller, clock.now());
        await store.exempt(exemption);
        return restExempt(exemption);
      },
    }),
    endpoint({
      method: 'post',
      path: '/v1/enforcement/exemptions/{id}/revocation',
      scope: 'admin',
      summary: 'Takes an exemption back',
      body: restReleaseRequest,
      answer: restExemptions,
      async handle({ params, body, caller }) {
        demandAllProjects(caller);
        await store.revokeExemption(params['id'] ?? '', auditOf(body, caller, clock.now()));
        return await list();
      },
    }),
  ];
}

/** What enforcement may do, and the switches that stop it. Observing is the default. */
export function enforcementEndpoints(deps: Deps): Endpoint[] {
  const { clock } = deps;
  const { store, policies } = deps.enforcement;
  return [
    endpoint({
      method: 'get',
      path: '/v1/enforcement',
      scope: 'read',
      summary: 'What enforcement may do now: switch, brake, levels, exemptions',
      answer: restEnforcement,
      async handle({ caller }) {
        demandAllProjects(caller);
        const [turned, brake, levels, exempt] = await Promise.all([
          ...([store.globalSwitch(), store.brakeOn(), store.levels()] as const),
          store.exemptions(clock.now()),
        ]);
        const isOn = (policy: string, version: string, level: string): boolean =>
          levels.some(
            (one) =>
              one.on &&
              one.policy === policy &&
              one.policyVersion === version &&
              one.level === level,
          );
        return {
          switch: turned === undefined ? null : { ...turned, at: formatInstant(turned.at) },
          brake: brake === undefined ? null : { ...brake, at: formatInstant(brake.at) },
          policies: policies.map(({ id, version, levels: ladder }) => ({
            policy: id,
            version,
            levels: ladder.map((level) => ({ level, on: isOn(id, version, level) })),
          })),
          exemptions: exempt.map(restExempt),
        };
      },
    }),
    ...switches(deps),
    ...exemptions(deps),
  ];
}
