import type { EnforcementAction } from '../../shared/contracts/action.ts';
import { AppError } from '../../shared/errors/app-error.ts';
import type { EnforcementDesk, EnforcementReader } from '../../shared/stores/enforcement-store.ts';
import type { ExtendLinks } from '../../shared/tokens/extend-link.ts';
import type { Instant } from '../../shared/values/instant.ts';

export interface ExtendDeps {
  readonly links: ExtendLinks;
  readonly store: Pick<EnforcementReader, 'action'> & Pick<EnforcementDesk, 'extend'>;
  readonly policies: readonly {
    readonly id: string;
    readonly extendMs: number;
    readonly extensionsMax: number;
  }[];
}

const gone = (): AppError =>
  new AppError('NOT_FOUND', 'this link was used, or what it is about is over');

/**
 * What a link would put off, and by how much: what GET shows. It changes nothing, since scanners of
 * mail follow links.
 *
 * @throws AppError NOT_FOUND for a link that was used, is over, or was never made here
 */
export async function readExtension(
  { links, store, policies }: ExtendDeps,
  token: string,
): Promise<{ readonly action: EnforcementAction; readonly byMs: number }> {
  const said = links.read(token);
  const action = said === undefined ? undefined : await store.action(said.action);
  const policy = policies.find(({ id }) => id === action?.policy);
  const waits = action?.state === 'proposed' || action?.state === 'announced';
  if (action === undefined || !waits || action.extensions !== said?.extensions) throw gone();
  if (policy === undefined || action.extensions >= policy.extensionsMax) throw gone();
  return { action, byMs: policy.extendMs };
}

/** Puts an action off, once: what POST does. */
export async function extendAction(
  deps: ExtendDeps,
  token: string,
  { by, at }: { readonly by: string; readonly at: Instant },
): Promise<void> {
  const { action, byMs } = await readExtension(deps, token);
  const { id, extensions } = action;
  const audit = { id: `extend/${id}/${extensions}`, by, why: 'by the link of its message', at };
  await deps.store.extend(id, { extensions, byMs }, audit);
}
