import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import kafkajs from 'kafkajs';
import { runInstaller } from '../services/servers/install-once.ts';
import { installKafka } from '../services/servers/kafka.ts';

/** Makes topics on a broker and writes to them. */
export class KafkaTopics implements AsyncDisposable {
  readonly brokers: string;
  readonly client;
  readonly #admin;
  readonly #producer;

  private constructor(brokers: string) {
    this.brokers = brokers;
    this.client = new kafkajs.Kafka({
      clientId: 'test',
      brokers: [brokers],
      logLevel: kafkajs.logLevel.NOTHING,
      retry: { retries: 20, maxRetryTime: 2_000 },
    });
    this.#admin = this.client.admin();
    this.#producer = this.client.producer({
      allowAutoTopicCreation: false,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    });
  }

  static async open(brokers: string): Promise<KafkaTopics> {
    const topics = new KafkaTopics(brokers);
    await topics.#admin.connect();
    await topics.#producer.connect();
    return topics;
  }

  /** A topic of a name that no other test has. */
  async create(partitions = 1): Promise<string> {
    const topic = `t-${randomUUID()}`;
    await this.#admin.createTopics({ topics: [{ topic, numPartitions: partitions }] });
    return topic;
  }

  async send(
    topic: string,
    values: readonly (string | Buffer | null)[],
    options: { readonly partition?: number; readonly compression?: number } = {},
  ): Promise<void> {
    const { partition, compression = 0 } = options;
    const at = partition === undefined ? {} : { partition };
    const messages = values.map((value) => ({ value, ...at }));
    for (let attempt = 0; ; attempt += 1) {
      try {
        await this.#producer.send({ topic, acks: -1, compression, messages });
        return;
      } catch (error) {
        // A new topic isn't everywhere at once.
        if (attempt > 20) throw error;
        await wait(250);
      }
    }
  }

  /** What the group has committed, over all partitions. */
  async committed(groupId: string, topic: string): Promise<number> {
    const [found] = await this.#admin.fetchOffsets({ groupId, topics: [topic] });
    const offsets = (found?.partitions ?? []).map(({ offset }) => Math.max(0, Number(offset)));
    return offsets.reduce((sum, offset) => sum + offset, 0);
  }

  /** Members of a group that has shared its partitions out; 0 while it does. */
  async members(groupId: string): Promise<number> {
    const { groups } = await this.#admin.describeGroups([groupId]);
    const [group] = groups;
    return group?.state === 'Stable' ? group.members.length : 0;
  }

  /** True once the group's coordinator answers. */
  async answers(groupId: string, topic: string): Promise<boolean> {
    try {
      await this.committed(groupId, topic);
      return true;
    } catch {
      return false;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#producer.disconnect();
    await this.#admin.disconnect();
  }
}

const JAVA_PRODUCER = `import java.util.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.serialization.StringSerializer;
public class Produce {
  public static void main(String[] args) throws Exception {
    Properties p = new Properties();
    p.put("bootstrap.servers", args[0]);
    p.put("linger.ms", "200");
    for (String codec : args[2].split(",")) {
      p.put("compression.type", codec);
      try (var producer = new KafkaProducer<>(p, new StringSerializer(), new StringSerializer())) {
        for (int i = 0; i < Integer.parseInt(args[3]); i++)
          producer.send(new ProducerRecord<>(args[1], "{\\"msg\\":\\"java " + codec + " " + i + "\\"}"));
      }
    }
  }
}`;

/** Writes `{"msg":"java <codec> <n>"}` with Java's own client, whose framing clusters are full of. */
export async function sendWithJava(
  brokers: string,
  options: { readonly topic: string; readonly codecs: string; readonly each: number },
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'produce-'));
  try {
    const file = join(folder, 'Produce.java');
    await writeFile(file, JAVA_PRODUCER);
    const { topic, codecs, each } = options;
    const classes = join(await installKafka(), 'lib/*');
    const args = ['-cp', classes, file, brokers, topic, codecs, String(each)];
    await runInstaller('java', args, { cwd: folder });
  } finally {
    await rm(folder, { recursive: true });
  }
}
