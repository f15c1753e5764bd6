import type { InfluxConnection } from './influx-connection.ts';
import { quoteName } from './influx-name.ts';

/** About how many series the database holds; undefined where the server can't tell (2.x). */
export async function seriesCount(
  connection: Pick<InfluxConnection, 'query' | 'target'>,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { isV2, database } = connection.target;
  if (isV2) return undefined;
  const statement = `SHOW SERIES CARDINALITY ON ${quoteName(database)}`;
  for await (const { rows } of connection.query(statement, signal)) {
    const counted = rows[0]?.[0];
    if (typeof counted === 'number') return counted;
  }
  return 0;
}
