import type { StoredToken, TokenStore } from '../stores/token-store.ts';
import { formatApiToken, hashSecret, newApiToken, type RandomBytes } from './api-token.ts';

type Wanted = Pick<StoredToken, 'label' | 'scopes' | 'projects' | 'createdAt' | 'expiresAt'>;

/** Makes and keeps a token. The text is all there will ever be of its secret. */
export async function issueToken(
  deps: { readonly store: TokenStore; readonly random: RandomBytes },
  wanted: Wanted,
): Promise<{ readonly id: string; readonly text: string }> {
  const token = newApiToken(deps.random);
  const { label, scopes, projects, createdAt, expiresAt } = wanted;
  await deps.store.create({
    id: token.id,
    secretHash: hashSecret(token.secret),
    ...{ label, scopes, projects, createdAt, expiresAt },
  });
  return { id: token.id, text: formatApiToken(token) };
}
