import type { MetricWriter } from '../../shared/stores/metric-store.ts';

/** Values of some fields of one measurement at one time. */
export interface Point {
  readonly at: number;
  readonly measurement: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, number>>;
}

/** All in one write: a second one would wait for the writer's clock, which a test holds still. */
export async function writePoints(writer: MetricWriter, points: readonly Point[]): Promise<void> {
  const values = points.flatMap(({ at, measurement, tags, fields }) =>
    Object.entries(fields).map(([field, value]) => {
      return { series: writer.declare({ measurement, field, tags }), at, value };
    }),
  );
  const block = {
    series: Uint32Array.from(values, ({ series }) => series),
    at: Float64Array.from(values, ({ at }) => at),
    value: Float64Array.from(values, ({ value }) => value),
    length: values.length,
  };
  await writer.write(block, []);
}
