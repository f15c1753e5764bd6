/**
 * Tags from YARN's application tags (`env:test,team:payments`; Spark's `spark.yarn.tags`). A tag
 * without a value is a key with ''. The first of a repeated key stands. Fields are own ones, so
 * that a tag named `__proto__` is data.
 */
export function tagsFromText(text: string): Readonly<Record<string, string>> {
  const tags = new Map<string, string>();
  for (const part of text.split(',').slice(0, 100)) {
    const [, key = '', value = ''] = /^([^:=]*)[:=]?(.*)$/s.exec(part.trim()) ?? [];
    if (key.trim() !== '' && !tags.has(key.trim())) tags.set(key.trim(), value.trim());
  }
  return Object.fromEntries(tags);
}
