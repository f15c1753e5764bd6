/** The environment, read in this one place and handed on. */
export function environment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}
