import type { IndexPlaces } from '../../shared/stores/elastic/indices/places.ts';
import { DAY_MS, formatInstant, type Instant, utcDay } from '../../shared/values/instant.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';

const MAX_NAMED = 40;

/** Each project has an index a day. */
export function dailyPlaces(prefix: string): IndexPlaces {
  const place = (project: ProjectId, at: Instant): string =>
    `${prefix}-${project}~${formatInstant(at).slice(0, 10)}`;
  return {
    place,
    places(project, from, until) {
      if (!(from < until)) return [];
      if ((until - from) / DAY_MS > MAX_NAMED) return [`${prefix}-${project}~*`];
      const names: string[] = [];
      for (let at = utcDay(from); at < until; at += DAY_MS) names.push(place(project, at));
      return names;
    },
  };
}
