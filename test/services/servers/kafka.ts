import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../support/running-tollgate.ts';
import { FailingNetwork } from './failing-network.ts';
import { installOnce, runInstaller } from './install-once.ts';
import { ServerProcess } from './server-process.ts';

const VERSION = '4.3.0';
const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tollgate</groupId><artifactId>kafka-broker</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${VERSION}</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.24.3</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-core</artifactId><version>2.24.3</version></dependency>
  </dependencies>
</project>
`;
const LOG4J = `<Configuration status="ERROR"><Appenders><Console name="out"><PatternLayout pattern="%d %p %c{1} %m%n"/></Console></Appenders>
<Loggers><Root level="WARN"><AppenderRef ref="out"/></Root></Loggers></Configuration>
`;

/** Users that the broker knows over SCRAM, by mechanism. */
export const KAFKA_USERS = {
  'scram-sha-256': { username: 'bob', password: 'bob-secret' },
  'scram-sha-512': { username: 'alice', password: 'alice-secret' },
} as const;

/** PEM files of one authority, the broker and a client that it knows. */
export interface KafkaCertificates {
  readonly ca: string;
  readonly clientCertificate: string;
  readonly clientKey: string;
  /** An authority that signed nothing here. */
  readonly otherCa: string;
}

export interface RunningKafka extends AsyncDisposable {
  /** Plaintext, `127.0.0.1:port`. */
  readonly brokers: string;
  /** TLS with SCRAM. */
  readonly saslBroker: string;
  /** TLS that asks for a client's certificate. */
  readonly mutualBroker: string;
  /** Plaintext through `network`, which a test cuts. */
  readonly distantBroker: string;
  readonly network: FailingNetwork;
  readonly certificates: KafkaCertificates;
  readonly process: ServerProcess;
}

/** The broker's jars, Java's client among them, in `lib`. */
export function installKafka(): Promise<string> {
  return installOnce(`kafka-${VERSION}`, async (folder) => {
    await writeFile(join(folder, 'pom.xml'), POM);
    const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies';
    const where = ['-DincludeScope=runtime', `-DoutputDirectory=${join(folder, 'lib')}`];
    await runInstaller('mvn', ['-q', '-B', goal, ...where], { cwd: folder });
    await writeFile(join(folder, 'log4j2.xml'), LOG4J);
  });
}

async function sign(folder: string, name: string, subject: string): Promise<void> {
  const run = (...args: string[]) => runInstaller('openssl', args, { cwd: folder });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  await run('req', ...key, '-subj', subject, '-keyout', `${name}.key`, '-out', `${name}.csr`);
  await writeFile(join(folder, 'names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1');
  const by = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '365'];
  const files = ['-in', `${name}.csr`, '-out', `${name}.crt`, '-extfile', 'names'];
  await run('x509', '-req', ...by, ...files);
}

async function makeCertificates(folder: string): Promise<KafkaCertificates> {
  for (const name of ['ca', 'other']) {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    const out = ['-subj', `/CN=test-${name}`, '-keyout', `${name}.key`, '-out', `${name}.crt`];
    await runInstaller('openssl', ['req', '-x509', '-days', '365', ...key, ...out], {
      cwd: folder,
    });
  }
  await sign(folder, 'broker', '/CN=localhost');
  await sign(folder, 'client', '/CN=collector');
  const join3 = 'cat broker.key broker.crt ca.crt > broker.pem';
  await runInstaller('sh', ['-c', join3], { cwd: folder });
  return {
    ca: join(folder, 'ca.crt'),
    otherCa: join(folder, 'other.crt'),
    clientCertificate: join(folder, 'client.crt'),
    clientKey: join(folder, 'client.key'),
  };
}

interface Ports {
  readonly plain: number;
  readonly controller: number;
  readonly sasl: number;
  readonly mutual: number;
  readonly distant: number;
}

/** One node that is broker and controller, and forgets a killed self within 3 s. */
function properties(folder: string, ports: Ports, distantBroker: string): string {
  const { plain, controller, sasl, mutual, distant } = ports;
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controller}
listeners=PLAINTEXT://127.0.0.1:${plain},SASL_SSL://127.0.0.1:${sasl},SSL://127.0.0.1:${mutual},DISTANT://127.0.0.1:${distant},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=PLAINTEXT://127.0.0.1:${plain},SASL_SSL://localhost:${sasl},SSL://localhost:${mutual},DISTANT://${distantBroker}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,DISTANT:PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL
sasl.enabled.mechanisms=SCRAM-SHA-512,SCRAM-SHA-256
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=${scram}
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=${scram}
ssl.keystore.type=PEM
ssl.keystore.location=${folder}/broker.pem
ssl.truststore.type=PEM
ssl.truststore.location=${folder}/ca.crt
listener.name.ssl.ssl.client.auth=required
log.dirs=${folder}/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=5
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
auto.create.topics.enable=false
num.partitions=3
`;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

function java(): string {
  const home = process.env['JAVA_HOME'];
  return home !== undefined && existsSync(join(home, 'bin/java')) ? join(home, 'bin/java') : 'java';
}

/** A broker with an empty disk. It stays the same over `process.kill()` and `process.start()`. */
export async function startKafka(): Promise<RunningKafka> {
  const home = await installKafka();
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-kafka-'));
  const certificates = await makeCertificates(folder);
  const ports = {
    plain: await freePort(),
    controller: await freePort(),
    sasl: await freePort(),
    mutual: await freePort(),
    distant: await freePort(),
  };
  const { plain, sasl, mutual } = ports;
  const network = await FailingNetwork.to([ports.distant]);
  const distantBroker = new URL(network.through(`tcp://127.0.0.1:${ports.distant}`)).host;
  const config = join(folder, 'server.properties');
  await writeFile(config, properties(folder, ports, distantBroker));
  const classes = ['-cp', `${home}/lib/*`];
  const tool = ['kafka.tools.StorageTool', 'format', '-t', 'MkU3OEVBNTcwNTJENDM2Qg', '-c', config];
  const users = Object.entries(KAFKA_USERS).flatMap(([mechanism, { username, password }]) => [
    '--add-scram',
    `${mechanism.toUpperCase()}=[name=${username},password=${password}]`,
  ]);
  await runInstaller(java(), [...classes, ...tool, ...users], { cwd: folder });
  const server = await ServerProcess.start({
    name: `Kafka ${VERSION}`,
    command: java(),
    args: [
      '-Xmx384m',
      `-Dlog4j2.configurationFile=${home}/log4j2.xml`,
      ...classes,
      'kafka.Kafka',
      config,
    ],
    stopSignal: 'SIGTERM',
    ready: () => accepts(plain),
  });
  return {
    brokers: `127.0.0.1:${plain}`,
    saslBroker: `localhost:${sasl}`,
    mutualBroker: `localhost:${mutual}`,
    distantBroker,
    network,
    certificates,
    process: server,
    async [Symbol.asyncDispose]() {
      await network[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
