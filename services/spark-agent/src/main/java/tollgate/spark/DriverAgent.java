package tollgate.spark;

import java.io.IOException;
import java.io.InputStream;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.apache.spark.api.plugin.DriverPlugin;
import org.apache.spark.api.plugin.PluginContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.Tuple2;

/** The agent in a driver: listens, sends, obeys. Whatever fails in it leaves the application alone. */
final class DriverAgent implements DriverPlugin, Sender.Heart {
  private static final Logger LOG = LoggerFactory.getLogger("tollgate.spark.Agent");
  private static final String QUERY_LISTENERS = "spark.sql.streaming.streamingQueryListeners";
  private static final int PROTOCOL = 1;
  private static final long END_HEARD_MS = 1_000;

  /** The agent of this JVM: Spark itself makes the listeners of streaming queries, without it. */
  private static volatile DriverAgent current;

  private final Notices notices = new Notices(LOG::warn, LOG::info);
  private final ActivityTotals totals = new ActivityTotals();
  private final StorageMemory storage = new StorageMemory();
  private AgentConfig config;
  private ContainerFacts facts;
  private Sender sender;
  private GracefulStop stop;
  private String sparkVersion = "";
  private final Thread exitGuard = new Thread(this::awaitEnd, "tollgate-exit");
  private final CountDownLatch end = new CountDownLatch(1);
  private volatile boolean isEnding;
  private final String version = ownVersion();

  static DriverAgent current() {
    return current;
  }

  @Override
  public Map<String, String> init(SparkContext context, PluginContext plugin) {
    try {
      start(context, plugin.conf());
    } catch (QuotaDenied denied) {
      LOG.error(denied.getMessage());
      throw denied;
    } catch (Throwable failure) {
      notices.once("the agent does not run: " + failure);
    }
    return Collections.emptyMap();
  }

  private void start(SparkContext context, SparkConf conf) {
    config = new AgentConfig(toMap(conf));
    for (String problem : config.problems) notices.once(problem);
    if (!config.isOn()) return;
    sparkVersion = context.version();
    HttpDoor http = config.url.isEmpty() ? null : new HttpDoor(config, version);
    if (config.checksQuota) new QuotaCheck(config, http, notices).demand();
    Door door = openDoor(http);
    if (door == null) return;
    facts = new ContainerFacts(config, line -> sender.offer(Sender.CONTAINERS, line));
    stop = new GracefulStop(context, config, notices, () -> sender.beatSoon());
    sender = new Sender(config, door, http, notices, this);
    listenToApplication(context);
    listenToQueries(conf);
    current = this;
    Runtime.getRuntime().addShutdownHook(exitGuard);
    sender.start();
    String beats = door == http || http == null ? "" : ", and heartbeats to " + http.place();
    notices.say("agent " + version + " sends to " + door.place() + beats);
  }

  /**
   * On the queue that Spark's own status listener has in any case: a queue of the agent's own would
   * wake a thread for each task, which took 16 µs a task.
   */
  private void listenToApplication(SparkContext context) {
    ApplicationListener listener =
        new ApplicationListener(context, config, facts, totals, storage);
    try {
      context.listenerBus().addToStatusQueue(listener);
    } catch (LinkageError other) {
      // A vendor's Spark may have moved what is not its public interface.
      context.addSparkListener(listener);
    }
  }

  /** Null where there is none. */
  private Door openDoor(HttpDoor http) {
    if (config.kafka.servers.isEmpty()) return http;
    ClassLoader loader = ReflectedProducer.loader();
    if (loader != null) {
      if (http == null) {
        notices.say("without spark.tollgate.url no heartbeats are sent, and nobody can ask this application to stop");
      }
      return new KafkaDoor(config, properties -> ReflectedProducer.open(loader, properties));
    }
    notices.once(
        "kafka-clients is not on the class path (org.apache.kafka:kafka-clients in spark.jars.packages"
            + " brings it), so "
            + (http == null ? "nothing is sent" : "all is sent to " + http.place()));
    return http;
  }

  /**
   * Called once the application has its id, which log layouts print from then on; a JVM may run one
   * application after another.
   */
  @Override
  public void registerMetrics(String application, PluginContext plugin) {
    try {
      System.setProperty("tollgate.application", application);
      String project = config == null ? "" : config.project;
      if (!project.isEmpty()) System.setProperty("tollgate.project", project);
    } catch (RuntimeException refused) {
      notices.once("log lines of this driver do not carry its application: " + refused);
    }
  }

  /** Sessions made from now on load their listeners from the configuration of the context. */
  private static void listenToQueries(SparkConf conf) {
    String own = QueryListener.class.getName();
    String others = conf.get(QUERY_LISTENERS, "");
    if (others.contains(own)) return;
    conf.set(QUERY_LISTENERS, others.isEmpty() ? own : others + "," + own);
  }

  @Override
  public void shutdown() {
    if (sender == null) return;
    isEnding = true;
    try {
      stop.awaitLastWord(config.endMs);
      // Spark may call this while its listeners have yet to hear of the end.
      facts.awaitEnd(Math.min(config.endMs, END_HEARD_MS));
      facts.applicationEnded(System.currentTimeMillis());
      sender.close(config.endMs);
      if (current == this) current = null;
    } catch (Throwable failure) {
      notices.once("the agent ended badly: " + failure);
    } finally {
      end.countDown();
      forgetExitGuard();
    }
  }

  /**
   * An application that ends by itself while its context is being stopped from another thread, as a
   * graceful stop does it, would exit before the last lines are sent: Spark's own hook finds the
   * context stopped already and returns.
   */
  private void awaitEnd() {
    if (!isEnding && !stop.isStopping()) return;
    try {
      end.await(2 * config.endMs + END_HEARD_MS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException exitNow) {
      Thread.currentThread().interrupt();
    }
  }

  private void forgetExitGuard() {
    try {
      Runtime.getRuntime().removeShutdownHook(exitGuard);
    } catch (IllegalStateException alreadyExiting) {
      // Then it runs, and returns at once.
    }
  }

  /** Spark writes a trace for a listener that throws; one line from here is enough. */
  static void quietly(Runnable act) {
    try {
      act.run();
    } catch (RuntimeException | LinkageError failure) {
      DriverAgent agent = current;
      if (agent != null) agent.notices.once("an event of Spark could not be read: " + failure);
    }
  }

  void progress(Map<String, Object> record) {
    sender.offer(Sender.PROGRESS, Json.write(record));
  }

  /** A record whose progress Spark has written as JSON already. */
  void progress(String json) {
    String application = Json.write(application());
    sender.offer(Sender.PROGRESS, "{\"application\":" + application + ",\"progress\":" + json + "}");
  }

  String application() {
    ContainerFacts.Start start = facts.start();
    return start == null ? "" : start.application;
  }

  GracefulStop stop() {
    return stop;
  }

  /** Before each heartbeat: what is alive, and how far jobs and stages have come. */
  @Override
  public List<String> sights() {
    long now = System.currentTimeMillis();
    String application = application();
    if (!application.isEmpty()) {
      Map<String, Object> tags = Json.object("application", application, "cluster", config.cluster);
      for (String line : storage.lines(tags)) sender.offer(Sender.METRICS, line);
      for (String line : totals.lines(tags, now)) sender.offer(Sender.METRICS, line);
    }
    return facts.sights(now);
  }

  /** Null while the application has no name yet. */
  @Override
  public Map<String, Object> heartbeat() {
    ContainerFacts.Start start = facts.start();
    if (start == null) return null;
    return Json.object(
        "protocol", PROTOCOL,
        "agent", version,
        "spark", sparkVersion,
        "application", start.application,
        "attempt", start.attempt,
        "at", System.currentTimeMillis(),
        "ended", facts.hasEnded(),
        "containers", facts.openContainers(),
        "dropped", sender.dropped(),
        "stop", stop.report());
  }

  @Override
  public void obey(Map<?, ?> answer) {
    stop.obey(answer);
  }

  private static Map<String, String> toMap(SparkConf conf) {
    Map<String, String> map = new LinkedHashMap<>();
    for (Tuple2<String, String> pair : conf.getAll()) map.put(pair._1(), pair._2());
    return map;
  }

  private static String ownVersion() {
    Properties properties = new Properties();
    try (InputStream in = DriverAgent.class.getResourceAsStream("agent.properties")) {
      if (in != null) properties.load(in);
    } catch (IOException unknown) {
      return "unknown";
    }
    return properties.getProperty("version", "unknown");
  }
}
