export interface SaidPoint {
  readonly measurement: string;
  readonly field: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly at: number;
}

/** Identity of a point, as text. */
export function pointKey({ measurement, field, tags, at }: SaidPoint): string {
  const { application = '', executor = '', query = '', plugin = '' } = tags;
  return [measurement, field, application, executor, query, plugin, at].join(' ');
}

/** `<prefix>.<application>.<executor>.<source>.<metric …>`: none of these ids holds a dot here. */
function readName(name: string): Omit<SaidPoint, 'at'> {
  const [, application = '', executor = '', source = '', ...metric] = name.split('.');
  const tags = { application, executor };
  if (source === 'spark' && metric[0] === 'streaming') {
    const [, query = '', ...field] = metric;
    return { measurement: 'streaming', field: field.join('.'), tags: { ...tags, query } };
  }
  return { measurement: source, field: metric.join('.'), tags };
}

/** The points that these lines say; of two for one second the later line. */
export function expectedPoints(lines: readonly string[]): {
  readonly points: ReadonlyMap<string, number>;
  readonly fields: readonly (readonly [measurement: string, field: string])[];
} {
  const points = new Map<string, number>();
  const fields = new Map<string, readonly [string, string]>();
  for (const line of lines) {
    const [name = '', value = '', seconds = ''] = line.split(' ');
    const said = readName(name);
    points.set(pointKey({ ...said, at: Number(seconds) * 1_000 }), Number(value));
    fields.set(`${said.measurement} ${said.field}`, [said.measurement, said.field]);
  }
  return { points, fields: [...fields.values()] };
}

/**
 * What the JVM says of a limit that it doesn't have: -1, and shares computed with it. The collector
 * drops these, as its README says.
 */
export function isUndefinedValue(key: string, value: number): boolean {
  const [measurement = '', field = ''] = key.split(' ');
  if (!Number.isFinite(value)) return true;
  if (measurement !== 'jvm') return false;
  if (/\.(max|init)$/.test(field)) return value === -1;
  return /\.usage$/.test(field) && (value < 0 || value > 1);
}
