/**
 * The address when it is one of the web, else undefined: `javascript:` and the like come from
 * tenants' own tracking addresses and must never become a link.
 * @param {string | null | undefined} address
 * @param {string} base
 * @returns {string | undefined}
 */
export function safeLink(address, base) {
  if (address === null || address === undefined || address === '') return undefined;
  const url = URL.parse(address, base);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return undefined;
  return url.href;
}
