import { setFlagsFromString } from 'node:v8';

/**
 * From now on V8 collects sooner than it lets its heap grow, and the young generation, which may
 * have 64 MiB, stays as it is: call it before what is large is loaded. These flags are read at each
 * decision to grow; `--max-semi-space-size` counts only at the start of a process, when nobody has
 * read the configuration.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--optimize-for-size');
  setFlagsFromString('--semi-space-growth-factor=1');
}
