import { restLevels } from '../../../shared/contracts/rest-grants.ts';
import { borrowedNow, borrowingLine, usedNow } from '../../../shared/grants/evaluate-levels.ts';
import { balanceOf } from '../../../shared/rating/evaluate-limits.ts';
import { formatInstant } from '../../../shared/values/instant.ts';
import { formatCredits } from '../../../shared/values/money.ts';
import type { ApiDeps } from '../api-deps.ts';
import { readLevels } from '../check-levels.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';
import { mustBalance } from './projects.ts';

type Deps = Pick<ApiDeps, 'ledger' | 'levels' | 'clock'>;

export function levelEndpoints(deps: Deps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/v1/projects/{project}/levels',
      scope: 'read',
      summary: 'What the team and the organisation above a project have left, and what it borrowed',
      answer: restLevels,
      async handle({ project }) {
        const now = deps.clock.now();
        const account = await mustBalance(deps, project, now);
        const states = await readLevels(deps.levels, project);
        const balance = balanceOf(account);
        return {
          project,
          borrowed: formatCredits(account.unlimited ? 0n : borrowedNow(states, balance)),
          borrowMax: formatCredits(account.unlimited ? 0n : borrowingLine(states, balance)),
          levels: states.map((state) => {
            const { key, monthlyLimit } = state.level;
            const used = usedNow(state, now);
            return {
              level: key,
              monthlyLimit: monthlyLimit === undefined ? null : formatCredits(monthlyLimit),
              used: formatCredits(used),
              left: monthlyLimit === undefined ? null : formatCredits(monthlyLimit - used),
              asOf: state.use === undefined ? null : formatInstant(state.use.asOf),
            };
          }),
        };
      },
    }),
  ];
}
