import type { Instant } from '../values/instant.ts';
import type { ProjectId } from '../values/project-id.ts';

/** What a token may do; `admin` includes the others. */
export const TOKEN_SCOPES = ['ingest', 'read', 'quota-check', 'admin'] as const;
export type TokenScope = (typeof TOKEN_SCOPES)[number];

/** A token as it is kept: without its secret. */
export interface StoredToken {
  readonly id: string;
  /** SHA-256 of the secret, hexadecimal. */
  readonly secretHash: string;
  /** For people: whose it is, or what for. */
  readonly label: string;
  readonly scopes: readonly TokenScope[];
  /** The only projects that it sees; undefined for all, never empty. */
  readonly projects: readonly ProjectId[] | undefined;
  readonly createdAt: Instant;
  /** From then on it is refused; undefined for never. */
  readonly expiresAt: Instant | undefined;
  /** Coarse: written about once a minute. */
  readonly lastUsedAt: Instant | undefined;
  readonly revokedAt: Instant | undefined;
}

/** API tokens. Nothing is deleted, so that a list tells who could once do what. */
export interface TokenStore extends AsyncDisposable {
  /** @throws AppError CONFLICT when the id is taken */
  create(token: Omit<StoredToken, 'lastUsedAt' | 'revokedAt'>): Promise<void>;
  /** All there ever were, oldest first. */
  list(): Promise<StoredToken[]>;
  /** Those that are neither revoked nor expired. */
  usable(now: Instant): Promise<StoredToken[]>;
  /** Whether no token was ever made. */
  isEmpty(): Promise<boolean>;
  /** The first revocation stands. */
  revoke(id: string, at: Instant): Promise<'revoked' | 'already-revoked' | 'unknown'>;
  /** Moves `lastUsedAt` ahead, never back; ids that aren't there are passed over. */
  used(uses: ReadonlyMap<string, Instant>): Promise<void>;
}
