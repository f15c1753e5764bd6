package tollgate.spark;

import static tollgate.spark.AgentTest.conf;
import static tollgate.spark.AgentTest.isTrue;
import static tollgate.spark.AgentTest.same;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;

/** The way to Kafka before a producer of this file; the real one is in the tests of services. */
final class KafkaDoorTest {
  private static final String SERVERS = "kafka-1:9092";
  private static final String QUERY = "5b33b0ac-0a86-4ae6-8b5a-1d7e1a1c2d3e";

  /** Named like Kafka's, since the door knows its classes by name only. */
  private static final class TimeoutException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    TimeoutException(String message) {
      super(message);
    }
  }

  private static final class RecordTooLargeException extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  private static final class SaslAuthenticationException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    SaslAuthenticationException(String message) {
      super(message);
    }
  }

  /** Takes all, but what it is told to fail with. */
  private static final class Broker implements KafkaDoor.Opening {
    final List<String> taken = new ArrayList<>();
    final List<Map<String, Object>> opened = new ArrayList<>();
    int closed;
    Throwable failure;
    boolean isSilent;
    int maxValue = Integer.MAX_VALUE;

    @Override
    public KafkaDoor.Producer open(Map<String, Object> properties) {
      opened.add(properties);
      return new KafkaDoor.Producer() {
        @Override
        public Future<?> send(String topic, byte[] key, byte[] value) {
          return answer(topic, key, value);
        }

        @Override
        public void close() {
          closed++;
        }
      };
    }

    private Future<?> answer(String topic, byte[] key, byte[] value) {
      CompletableFuture<Object> future = new CompletableFuture<>();
      Throwable wrong = value.length > maxValue ? new RecordTooLargeException() : failure;
      if (isSilent) return future;
      if (wrong != null) {
        future.completeExceptionally(wrong);
        return future;
      }
      String name = key == null ? "-" : new String(key, StandardCharsets.UTF_8);
      taken.add(topic + " " + name + " " + new String(value, StandardCharsets.UTF_8));
      future.complete(topic);
      return future;
    }
  }

  private static AgentConfig config(String... more) {
    Map<String, String> all = new LinkedHashMap<>(conf(more));
    all.put("spark.tollgate.kafka.bootstrapServers", SERVERS);
    all.put("spark.tollgate.cluster", "lab");
    all.put("spark.tollgate.project", "etl");
    return new AgentConfig(all);
  }

  private static Answer send(KafkaDoor door, String collector, String... lines) {
    return door.send(collector, Arrays.asList(lines), 1_000);
  }

  void testALineSaysItselfWhatARequestWouldSay() {
    Broker broker = new Broker();
    KafkaDoor door = new KafkaDoor(config("spark.tollgate.kafka.topic.metrics", "m.1"), broker);
    String progress = "{\"application\":\"app-1\",\"progress\":{\"id\":\"" + QUERY + "\"}}";
    String point = "{\"measurement\":\"m\",\"tags\":{\"application\":\"app-1\"}}";
    same(send(door, "containers", "{\"kind\":\"seen\",\"application\":\"app-1\"}", "{\"n\":1}").isGood(), true);
    same(send(door, "progress", progress).isGood(), true);
    same(send(door, "metrics", point).isGood(), true);
    same(
        broker.taken,
        Arrays.asList(
            "tollgate-containers app-1 {\"cluster\":\"lab\",\"kind\":\"seen\",\"application\":\"app-1\"}",
            "tollgate-containers - {\"cluster\":\"lab\",\"n\":1}",
            "tollgate-progress " + QUERY + " {\"project\":\"etl\"," + progress.substring(1),
            "m.1 app-1 {\"project\":\"etl\"," + point.substring(1)));
    same(broker.opened.size(), 1);
    door.close();
    door.close();
    same(broker.closed, 1);
  }

  void testLinesAreTakenWhenTheyAreAcknowledgedOnly() {
    Broker broker = new Broker();
    KafkaDoor door = new KafkaDoor(config(), broker);
    broker.isSilent = true;
    Answer silent = door.send("containers", Collections.singletonList("{}"), 50);
    same(silent.isGood(), false);
    isTrue(silent.problem.startsWith("can't send to Kafka at kafka-1:9092: "), silent.problem);
    // What it still holds must not pile up: the next try is another producer's.
    same(broker.closed, 1);
    broker.isSilent = false;
    same(send(door, "containers", "{}").isGood(), true);
    same(broker.opened.size(), 2);
  }

  void testATooLargeLineIsLostAloneAndCounted() {
    Broker broker = new Broker();
    broker.maxValue = 100;
    KafkaDoor door = new KafkaDoor(config(), broker);
    String large = String.join("", Collections.nCopies(200, "x"));
    Answer answer = send(door, "containers", "{\"n\":1}", "{\"n\":\"" + large + "\"}", "{\"n\":2}");
    same(answer.isGood(), true);
    same(answer.refused, 1);
    same(broker.taken.size(), 2);
    same(broker.closed, 0);
  }

  void testWhatIsWrongIsOneSentenceForAllTopics() {
    Broker broker = new Broker();
    KafkaDoor door = new KafkaDoor(config(), broker);
    broker.failure = new TimeoutException("Topic tollgate-containers not present in metadata after 5000 ms.");
    String first = send(door, "containers", "{}").problem;
    broker.failure = new TimeoutException("Topic tollgate-progress not present in metadata after 5000 ms.");
    same(send(door, "progress", "{}").problem, first);
    isTrue(first.contains("tollgate-containers, tollgate-progress, tollgate-metrics"), first);
    broker.failure = new SaslAuthenticationException("Authentication failed:\n invalid credentials");
    String refused = send(door, "containers", "{}").problem;
    isTrue(refused.contains("Authentication failed: invalid credentials"), refused);
  }

  void testNoSecretIsPrintedOrTold() throws IOException {
    Path file = Files.createTempFile("tollgate-kafka", ".properties");
    file.toFile().deleteOnExit();
    Files.write(file, "ssl.key.password=from-a-file\nsecurity.protocol=SASL_SSL\n".getBytes(StandardCharsets.UTF_8));
    String jaas = "org.example.LoginModule required username=\"alice\" password=\"wonder land\";";
    AgentConfig config =
        config(
            "spark.tollgate.kafka.conf.sasl.jaas.config", jaas,
            "spark.tollgate.kafka.confFile", file.toString(),
            "spark.tollgate.kafka.conf.acks", "0",
            "spark.tollgate.kafka.conf.transactional.id", "t");
    same(config.told().keySet().stream().filter(key -> key.contains("kafka")).count(), 0L);
    Broker broker = new Broker();
    KafkaDoor door = new KafkaDoor(config, broker);
    same(send(door, "containers", "{}").isGood(), true);
    Map<String, Object> properties = broker.opened.get(0);
    same(properties.get("sasl.jaas.config"), jaas);
    same(properties.get("ssl.key.password"), "from-a-file");
    same(properties.get("bootstrap.servers"), SERVERS);
    same(properties.get("acks"), "all");
    same(properties.containsKey("transactional.id"), false);
    broker.failure = new RuntimeException("Invalid value " + jaas + " and from-a-file");
    String problem = send(door, "containers", "{}").problem;
    isTrue(problem.contains("Invalid value …"), problem);
    broker.failure = new RuntimeException("no user with wonder land");
    isTrue(!send(door, "containers", "{}").problem.contains("land"), "a part of it");
    isTrue(!problem.contains("wonder") && !problem.contains("from-a-file"), problem);
  }

  void testAFileThatCannotBeReadIsSaid() {
    KafkaDoor door = new KafkaDoor(config("spark.tollgate.kafka.confFile", "/nonexistent"), new Broker());
    String problem = send(door, "containers", "{}").problem;
    isTrue(problem.contains("the file /nonexistent") && problem.contains("confFile"), problem);
  }

  void testTheClientIsMissedWhereItIsMissing() {
    // The tests' class path has no Kafka.
    same(ReflectedProducer.loader(), null);
  }

  private static final class Quiet implements Sender.Heart {
    @Override
    public List<String> sights() {
      return Collections.emptyList();
    }

    @Override
    public Map<String, Object> heartbeat() {
      return Json.object("n", 1);
    }

    @Override
    public void obey(Map<?, ?> answer) {
      throw new AssertionError("nobody can have answered");
    }
  }

  /** Sends so many lines from one application to its end. */
  private static Sender ran(AgentConfig config, Broker broker, List<String> said, int lines) {
    Notices notices = new Notices(said::add, said::add);
    Sender sender = new Sender(config, new KafkaDoor(config, broker), null, notices, new Quiet());
    for (int i = 0; i < lines; i++) sender.offer(Sender.CONTAINERS, "{\"n\":" + i + "}");
    sender.offer(Sender.CONTAINERS, "{\"n\":\"" + String.join("", Collections.nCopies(90, "x")) + "\"}");
    sender.start();
    sender.close(10_000);
    return sender;
  }

  void testWithoutHttpLinesGoOutAllTheSameAndWaitOnDiskWhileKafkaIsAway() throws IOException {
    Path spool = Files.createTempDirectory("tollgate-agent-test").resolve("spool");
    AgentConfig config = config("spark.tollgate.spool.dir", spool.toString());
    Broker away = new Broker();
    away.failure = new TimeoutException("Topic t not present in metadata after 5000 ms.");
    List<String> said = Collections.synchronizedList(new ArrayList<>());
    same(ran(config, away, said, 100).dropped().get(Sender.CONTAINERS), 0L);
    same(said.size(), 1);
    same(spool.toFile().list().length, 1);
    Broker back = new Broker();
    back.maxValue = 90;
    Sender.Heart heart = new Quiet();
    Notices notices = new Notices(said::add, said::add);
    Sender next = new Sender(config, new KafkaDoor(config, back), null, notices, heart);
    next.start();
    long over = System.currentTimeMillis() + 30_000;
    while (spool.toFile().list().length > 0) {
      isTrue(System.currentTimeMillis() < over, "the lines that were left");
      Thread.yield();
    }
    next.close(5_000);
    same(back.taken.size(), 100);
    same(next.dropped().get(Sender.CONTAINERS), 1L);
    isTrue(said.toString().contains("takes no lines of containers that are so large"), said.toString());
  }

  void testTopicsThatAreNoneAreToldAndReplaced() {
    AgentConfig config = config("spark.tollgate.kafka.topic.progress", "a topic");
    same(config.kafka.topic("progress"), "tollgate-progress");
    same(config.problems.size(), 1);
    same(config.isOn(), true);
    same(config.url, "");
  }

  void testStorageIsToldWhenItComesAndZeroWhenItGoes() {
    StorageMemory storage = new StorageMemory();
    storage.added("1", 400, 100, 5);
    storage.removed("1", 7);
    Map<String, Object> tags = Json.object("application", "app-1");
    List<String> lines = storage.lines(tags);
    List<String> found = new ArrayList<>();
    for (String line : lines) {
      Map<?, ?> point = (Map<?, ?>) Json.parse(line);
      same(point.get("measurement"), "spark_storage");
      same(point.get("tags"), Json.object("executor", "1", "application", "app-1"));
      found.add(point.get("field") + " " + point.get("at") + " " + point.get("value"));
    }
    same(
        found.toString(),
        "[maxOnHeapBytes 5.0 400.0, maxOffHeapBytes 5.0 100.0, maxOnHeapBytes 7.0 0.0, maxOffHeapBytes 7.0 0.0]");
    same(storage.lines(tags).size(), 0);
  }
}
