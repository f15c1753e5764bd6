import type { SeenNode } from '../cluster-reader.ts';
import { field, type JsonObject, objectAt, objectsIn, text } from '../lenient-json.ts';

const TAGS_MAX = 100;
const SPOT = /^(?:spot|preemptible)$/i;
const ON_DEMAND = /^on[-_ ]?demand$/i;
const INSTANCE = /(?:^|\/)instance[-_]?id$/i;

/**
 * What a row of `/ws/v1/cluster/nodes` says beside the size: labels (since 2.6; EMR names a node's
 * market by one) and attributes (since 3.2). Source: …/webapp/dao/NodeInfo.java, NodeAttributeInfo.java.
 */
export function nodeTags(row: JsonObject): Pick<SeenNode, 'market' | 'instance' | 'tags'> {
  const labels = field(row, 'nodeLabels');
  const names = (Array.isArray(labels) ? labels : []).filter((one) => typeof one === 'string');
  const tags: [string, string][] = names.length === 0 ? [] : [['node-label', names.join(',')]];
  const attributes = field(objectAt(row, 'nodeAttributesInfo'), 'nodeAttributeInfo');
  for (const attribute of objectsIn(attributes).slice(0, TAGS_MAX)) {
    const name = [text(attribute, 'prefix'), text(attribute, 'name')].filter((part) => part !== '');
    if (name.length > 0) tags.push([name.join('/'), text(attribute, 'value')]);
  }
  const said = [...names, ...tags.map(([, value]) => value)];
  const instance = tags.find(([name]) => INSTANCE.test(name))?.[1] ?? '';
  const market = said.some((value) => SPOT.test(value))
    ? 'spot'
    : said.some((value) => ON_DEMAND.test(value))
      ? 'on-demand'
      : undefined;
  return {
    ...(market === undefined ? {} : { market }),
    ...(instance === '' ? {} : { instance }),
    ...(tags.length === 0 ? {} : { tags: Object.fromEntries(tags) }),
  };
}
