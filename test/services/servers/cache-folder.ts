import { chmodSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Folder of what was downloaded or built for the real servers, kept from run to run. Anybody may
 * enter it, since Elasticsearch and PostgreSQL run as an unprivileged user.
 * TOLLGATE_SERVICES_CACHE names another one.
 */
export function cacheFolder(...parts: readonly string[]): string {
  const root = process.env['TOLLGATE_SERVICES_CACHE'] ?? join(tmpdir(), 'tollgate-services');
  mkdirSync(root, { recursive: true });
  chmodSync(root, 0o755);
  const folder = join(root, ...parts);
  mkdirSync(folder, { recursive: true });
  return folder;
}
