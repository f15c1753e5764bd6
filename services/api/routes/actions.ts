import type { EnforcementAction } from '../../../shared/contracts/action.ts';
import {
  restAction,
  restActionFilter,
  restActionHistory,
  restActions,
  restResolutionRequest,
} from '../../../shared/contracts/rest-enforcement.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import { verifyHistory } from '../../../shared/stores/enforcement-history.ts';
import type {
  ActionFilter,
  EnforcementReader,
  HistoryEntry,
} from '../../../shared/stores/enforcement-store.ts';
import { formatInstant } from '../../../shared/values/instant.ts';
import type { ApiDeps } from '../api-deps.ts';
import { type Caller, demandAllProjects, sees } from '../http/caller.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';
import { restActionOf } from '../rest-action.ts';

type Deps = Pick<ApiDeps, 'enforcement' | 'clock'>;
type Query = Pick<ActionFilter, 'limit'> & { state?: ActionFilter['state'] | undefined };

/** Entries of the chain that are read at a time. */
const CHAIN_PAGE = 1_000;

/** @throws AppError NOT_FOUND, in the same words whether it is another's or nobody's */
async function mustAction(deps: Deps, id: string, caller: Caller): Promise<EnforcementAction> {
  const action = await deps.enforcement.store.action(id);
  const { project } = action ?? {};
  const visible = project === undefined ? caller.projects === undefined : sees(caller, project);
  if (action !== undefined && visible) return action;
  throw new AppError('NOT_FOUND', `there is no action ${id}`);
}

/** The whole chain, looked over from its beginning. */
async function verdictOf(store: Pick<EnforcementReader, 'history'>) {
  let from = verifyHistory([]);
  for (;;) {
    const page = await store.history(from.seq, CHAIN_PAGE);
    const verdict = verifyHistory(page, from.whole ? from : undefined);
    if (!verdict.whole || page.length < CHAIN_PAGE) return verdict;
    from = verdict;
  }
}

/** What the decision was made from, as its first entry keeps it. */
function frozenOf(history: readonly HistoryEntry[]): string {
  const proposed = history.find(({ kind }) => kind === 'proposed');
  const body = JSON.parse(proposed?.body ?? '{}') as { readonly frozen?: string };
  return body.frozen ?? '';
}

function filterOf({ state, limit }: Query): ActionFilter {
  return { limit, ...(state && { state }) };
}

function ofOne(deps: Deps): Endpoint[] {
  const { clock } = deps;
  const { store } = deps.enforcement;
  return [
    endpoint({
      method: 'get',
      path: '/v1/enforcement/actions/{id}',
      scope: 'read',
      summary: 'One action: its frozen evidence, what became of it, and whether the chain is whole',
      answer: restActionHistory,
      async handle({ params, caller }) {
        const action = await mustAction(deps, params['id'] ?? '', caller);
        const [history, chain] = await Promise.all([store.historyOf(action.id), verdictOf(store)]);
        return {
          action: restActionOf(action),
          frozen: frozenOf(history),
          chain: {
            whole: chain.whole,
            why: chain.whole ? '' : `entry ${chain.seq} ${chain.why}`,
            entries: chain.seq,
            hash: chain.whole ? chain.hash : '',
          },
          history: history.map(({ seq, at, kind, body, hash }) => ({
            ...{ seq, at: formatInstant(at), kind, body, hash },
          })),
        };
      },
    }),
    endpoint({
      method: 'post',
      path: '/v1/enforcement/actions/{id}/resolution',
      scope: 'admin',
      summary: 'Says how an action ended whose answer was lost, after somebody has looked',
      body: restResolutionRequest,
      answer: restAction,
      async handle({ params, body, caller }) {
        demandAllProjects(caller);
        const { id } = await mustAction(deps, params['id'] ?? '', caller);
        const audit = { id: body.id, by: caller.label || 'local', why: body.why, at: clock.now() };
        await store.resolve(id, body.outcome, audit);
        return restActionOf(await mustAction(deps, id, caller));
      },
    }),
  ];
}

/** What enforcement decided and did. */
export function actionEndpoints(deps: Deps): Endpoint[] {
  const { store } = deps.enforcement;
  return [
    endpoint({
      method: 'get',
      path: '/v1/enforcement/actions',
      scope: 'read',
      summary: 'Actions of enforcement on everything, newest first',
      query: restActionFilter,
      answer: restActions,
      async handle({ query, caller }) {
        demandAllProjects(caller);
        return { actions: (await store.actions(filterOf(query))).map(restActionOf) };
      },
    }),
    endpoint({
      method: 'get',
      path: '/v1/projects/{project}/actions',
      scope: 'read',
      summary: 'Actions of enforcement on one project, newest first',
      query: restActionFilter,
      answer: restActions,
      async handle({ project, query }) {
        const found = await store.actions({ ...filterOf(query), project });
        return { actions: found.map(restActionOf) };
      },
    }),
    ...ofOne(deps),
  ];
}
