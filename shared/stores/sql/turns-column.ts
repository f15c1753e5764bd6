import type { GrantTurn } from '../../grants/grant-turns.ts';

/** `at granted,at granted…`: the coming turns of a project's grants as one text. */
export function formatTurns(turns: readonly GrantTurn[]): string {
  return turns.map(({ at, granted }) => `${at} ${granted}`).join();
}

export function parseTurns(text: string): GrantTurn[] {
  if (text === '') return [];
  return text.split(',').map((turn) => {
    const [at, granted] = turn.split(' ');
    return { at: Number(at), granted: BigInt(granted ?? 0) };
  });
}
