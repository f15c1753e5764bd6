import { readdirSync, readFileSync } from 'node:fs';

/**
 * The one JVM of this machine whose command line has all of these.
 *
 * @param wanted each of them arguments that follow one another
 */
export function javaProcess(...wanted: readonly (readonly string[])[]): number {
  const parts = wanted.map((args) => `\0${args.join('\0')}\0`);
  const found = readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8');
      return /^[^\0]*java\0/.test(command) && parts.every((part) => command.includes(part));
    } catch {
      // It has ended since.
      return false;
    }
  });
  if (found.length !== 1) throw new Error(`${found.length} JVMs with ${wanted.join(' and ')}`);
  return Number(found[0]);
}
