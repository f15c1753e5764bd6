import type { ProjectId } from '../../values/project-id.ts';
import { encodeName, encodeValue, quoteName, quoteText } from './influx-name.ts';
import type { Tags } from './query-answer.ts';

/** InfluxQL's condition that holds a query to its project, and to the tags asked for. */
export function tagCondition(project: ProjectId, tags: Tags = {}): string {
  const of = (name: string, value: string): string =>
    `${quoteName(encodeName(name))}::tag = ${quoteText(encodeValue(value))}`;
  const wanted = Object.entries(tags).map(([name, value]) => of(name, value));
  return [of('project', project), ...wanted].join(' AND ');
}
