import type { IndexPlaces } from '../../shared/stores/elastic/indices/places.ts';
import { DAY_MS, formatInstant, type Instant, utcDay } from '../../shared/values/instant.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';

const MAX_NAMED = 40;

/** Each project has an index a day. */
export function dailyPlaces(prefix: string): IndexPlaces {
  let last = { day: Number.NaN, project: '', name: '' };
  const place = (project: ProjectId, at: Instant): string => {
    const day = utcDay(at);
    if (day !== last.day || project !== last.project) {
      const name = `${prefix}-${project}~${formatInstant(day).slice(0, 10)}`;
      last = { day, project, name };
    }
    return last.name;
  };
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
