/**
 * Text as Slack shows it literally. Only `& < >` are entities there; without `<` no mention, link or
 * date can begin, so that `<!channel>` in a name pages nobody. Marks of formatting become letters
 * that look alike; an underscore between letters formats nothing and stays, so that ids can be
 * copied. Source: docs.slack.dev, Formatting message text.
 */
export function slackText(text: string): string {
  return text
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/\*/g, '∗')
    .replace(/~/g, '∼')
    .replace(/`/g, 'ˋ')
    .replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, 'ˍ');
}

/** A link with a label of our own; a URL can hold `>` and `|` only encoded. */
export function slackLink(url: string, label: string): string {
  const safe = url.replace(/&/g, '&amp;').replace(/</g, '%3C').replace(/>/g, '%3E');
  return `<${safe.replace(/\|/g, '%7C')}|${slackText(label)}>`;
}
