/**
 * Address of a worker's entry beside the caller: `.ts` in a checkout, `.js` in the built package.
 *
 * @param caller `import.meta.url`
 * @param path such as `./part-worker`, without extension
 */
export function workerUrl(caller: string, path: string): URL {
  return new URL(`${path}${caller.endsWith('.ts') ? '.ts' : '.js'}`, caller);
}
