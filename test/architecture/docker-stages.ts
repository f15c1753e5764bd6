export interface DockerStage {
  readonly from: string;
  /** '' for one without `AS`. */
  readonly name: string;
  /** In order; `HEALTHCHECK` with its options before `CMD`. */
  readonly instructions: readonly { readonly name: string; readonly rest: string }[];
}

/**
 * The stages of a Dockerfile: comments left out, continued lines joined. No heredocs, no variables.
 * Source: https://docs.docker.com/reference/dockerfile/
 */
export function dockerStages(text: string): DockerStage[] {
  const lines = text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line) && line.trim() !== '')
    .join('\n')
    .replace(/\\\n\s*/g, '')
    .split('\n');
  const stages: {
    from: string;
    name: string;
    instructions: { name: string; rest: string }[];
  }[] = [];
  for (const line of lines) {
    const [, word = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line.trim()) ?? [];
    const name = word.toUpperCase();
    if (name === 'FROM') {
      const [, from = rest, as = ''] = /^(\S+)(?:\s+AS\s+(\S+))?$/i.exec(rest) ?? [];
      stages.push({ from, name: as, instructions: [] });
    } else stages.at(-1)?.instructions.push({ name, rest });
  }
  return stages;
}
