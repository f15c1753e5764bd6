/** JSON with the keys in order, so that equal tags have equal text. */
export function canonicalTags(tags: Readonly<Record<string, string>>): string {
  const members = Object.keys(tags)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${JSON.stringify(tags[key])}`);
  return `{${members.join(',')}}`;
}
