import type { InfluxConnection } from './influx-connection.ts';
import { decodeName, encodeName } from './influx-name.ts';
import { RAW_POLICY } from './influx-target.ts';

/** Fields that a measurement has in the raw policy, decoded. */
export async function fieldsOf(
  connection: Pick<InfluxConnection, 'query' | 'from'>,
  measurement: string,
  signal: AbortSignal,
): Promise<string[]> {
  const statement = `SHOW FIELD KEYS FROM ${connection.from(RAW_POLICY, encodeName(measurement))}`;
  const fields: string[] = [];
  for await (const { rows } of connection.query(statement, signal)) {
    for (const [field, type] of rows) {
      if (typeof field === 'string' && type === 'float') fields.push(decodeName(field));
    }
  }
  return fields;
}
