/**
 * Projects asked one by one when the page shows all of them. More would be many requests at each
 * poll, on a platform of hundreds of projects.
 */
export const MOST_PROJECTS = 8;

/**
 * The projects whose applications, streams and logs are shown: the chosen one, or those that spend
 * most now.
 * @param {readonly import('./rest-client.js').Project[]} projects
 * @param {string} chosen
 * @returns {string[]}
 */
export function busiestProjects(projects, chosen) {
  if (chosen !== '') return [chosen];
  return [...projects]
    .sort(
      (a, b) =>
        Number(b.balance.burnPerHour) - Number(a.balance.burnPerHour) ||
        b.runningApplications - a.runningApplications ||
        (a.id < b.id ? -1 : 1),
    )
    .slice(0, MOST_PROJECTS)
    .map(({ id }) => id);
}
