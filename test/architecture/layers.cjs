// The dependency rule of services/README.md, for dependency-cruiser. Patterns are lists of short
// ones, since nested quantifiers are refused as unsafe. gates.test.ts plants a violation of each.
const deny = (name, from, to) => ({ name, severity: 'error', from, to });

const pure = [
  '^shared/values/',
  '^shared/contracts/',
  '^shared/rating/',
  '^shared/grants/',
  '^shared/attribution/',
  '^shared/intervals/',
  '^shared/price/',
  '^shared/silences/',
  '^services/metering/quotas/',
  '^services/collectors/[^/]+/parse/',
  '^services/alerter/rules/',
  '^services/alerter/enforce/plan/',
];
const test = '\\.test\\.ts$';
const adapter = ['^shared/stores/sql/', '^shared/stores/elastic/', '^shared/stores/influx/'];
const clusterAdapter = [
  '^shared/clusters/yarn/',
  '^shared/clusters/standalone/',
  '^shared/clusters/kubernetes/',
  '^shared/clusters/databricks/',
  '^shared/clusters/emr/',
];
const composer = ['^services/all-in-one/', '^services/cli/'];
// report-cost and import-event-logs run once and end; http-input is mounted into the API's server
// in one process;
// kafka-input looks for "stores check" whether its topics can be read; what "rules" needs of the
// alerter opens no store.
const door = [
  '/start\\.ts$',
  '/config\\.ts$',
  '^services/reports/report-cost\\.ts$',
  '^services/reports/import-event-logs\\.ts$',
  '^services/collectors/inputs/http-input\\.ts$',
  '^services/collectors/inputs/kafka-input\\.ts$',
  '^services/alerter/check-rules\\.ts$',
  '^services/alerter/rule-file-schema\\.ts$',
  '^services/alerter/test-rules\\.ts$',
  '^services/alerter/enforce/explain-action\\.ts$',
];

module.exports = {
  forbidden: [
    deny(
      'services-are-strangers',
      { path: '^services/([^/]+)/', pathNot: composer },
      { path: '^services/', pathNot: '^services/$1/' },
    ),
    deny(
      'one-door-per-service',
      { path: composer, pathNot: test },
      { path: '^services/', pathNot: [...composer, ...door] },
    ),
    deny('shared-is-below', { path: '^shared/' }, { path: '^services/' }),
    deny(
      'production-never-imports-test',
      { path: ['^services/', '^shared/'], pathNot: test },
      { path: '^test/' },
    ),
    deny(
      'pure-code-does-no-io',
      { path: pure, pathNot: test },
      {
        path: ['^shared/stores/sql/', '^shared/config/', '^shared/runtime/', '^shared/telemetry/'],
      },
    ),
    deny(
      'pure-code-uses-no-platform',
      { path: pure, pathNot: test },
      { dependencyTypes: ['core'] },
    ),
    deny(
      'values-import-nothing',
      { path: '^shared/values/', pathNot: test },
      { pathNot: '^shared/values/' },
    ),
    deny(
      'adapters-are-chosen-once',
      {
        path: ['^services/', '^shared/'],
        pathNot: [
          ...adapter,
          '^shared/stores/open-stores\\.ts$',
          '^shared/stores/config\\.ts$',
          test,
        ],
      },
      { path: adapter },
    ),
    deny(
      'clusters-are-chosen-once',
      {
        path: ['^services/', '^shared/'],
        pathNot: [...clusterAdapter, '^shared/clusters/open-cluster\\.ts$', test],
      },
      { path: clusterAdapter },
    ),
    deny(
      'drivers-live-in-adapters',
      { pathNot: [...adapter, '^test/'] },
      {
        path: [
          'node_modules/kysely/',
          'node_modules/pg/',
          'node_modules/@elastic/',
          'node_modules/@influxdata/',
          '^node:sqlite$',
          '^sqlite$',
        ],
      },
    ),
    deny(
      'kafka-lives-in-one-file',
      { pathNot: ['^services/collectors/inputs/kafka-input\\.ts$', '^test/'] },
      { path: ['node_modules/kafkajs/', '^kafkajs'] },
    ),
    deny(
      'aws-lives-in-its-adapter',
      { pathNot: ['^shared/clusters/emr/', '^test/'] },
      { path: 'node_modules/@aws-sdk/' },
    ),
    deny(
      'one-writer-of-the-ledger',
      {
        path: ['^services/', '^shared/'],
        pathNot: ['^services/metering/', '^shared/stores/', test],
      },
      { path: '^shared/stores/ledger-writer\\.ts$', dependencyTypesNot: ['type-only'] },
    ),
    deny('no-cycles', {}, { circular: true }),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
    builtInModules: { add: ['sqlite', 'node:sqlite'] },
  },
};
