const BLOCKS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/** A value that holds from `start` until the next one begins. */
export interface StepPoint {
  readonly start: number;
  readonly value: number;
}

/** The value in force at a time; undefined before the first one. */
function valueAt(points: readonly StepPoint[], at: number): number | undefined {
  return points.findLast(({ start }) => start <= at)?.value;
}

/**
 * A stepped line in one row of blocks, each column the value at its end; a blank where there is
 * none yet. The lowest block is `floor` or less, the highest `ceiling` or more.
 *
 * @param points in order of start
 */
export function stepLine(
  points: readonly StepPoint[],
  window: { readonly from: number; readonly until: number },
  scale: { readonly floor: number; readonly ceiling: number },
  columns: number,
): string {
  const width = (window.until - window.from) / columns;
  const span = scale.ceiling - scale.floor;
  let line = '';
  for (let column = 1; column <= columns; column += 1) {
    const value = valueAt(points, window.from + column * width);
    if (value === undefined) {
      line += ' ';
      continue;
    }
    const share = span <= 0 ? 0 : (value - scale.floor) / span;
    const level = Math.round(Math.min(1, Math.max(0, share)) * (BLOCKS.length - 1));
    line += BLOCKS[level] ?? BLOCKS[0];
  }
  return line;
}
