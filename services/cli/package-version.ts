import { existsSync, readFileSync } from 'node:fs';

/**
 * Version of the package that a file belongs to: the nearest package.json above it.
 *
 * @param caller `import.meta.url`
 */
export function packageVersion(caller: string): string {
  for (let folder = new URL('.', caller); ; folder = new URL('..', folder)) {
    const file = new URL('package.json', folder);
    if (existsSync(file)) {
      const manifest: { readonly version?: string } = JSON.parse(readFileSync(file, 'utf8'));
      return manifest.version ?? '0.0.0';
    }
    if (folder.pathname === '/' || folder.href === new URL('..', folder).href) return '0.0.0';
  }
}
