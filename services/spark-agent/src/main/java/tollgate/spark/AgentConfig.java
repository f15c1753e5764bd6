package tollgate.spark;

import java.io.File;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * `spark.tollgate.*`, and what of Spark's own configuration concerns the agent. A value that can't
 * be read is replaced by its default and told in `problems`: nothing here ends an application.
 */
final class AgentConfig {
  private static final String PREFIX = "spark.tollgate.";
  private static final String DEFAULT_TOKEN_FILE = "/etc/tollgate/token";
  private static final int MAX_KEY = 256;
  private static final int MAX_VALUE = 4_000;

  /** What attribution rules may look at; `spark.tollgate.attribution` names more. */
  private static final String[] TOLD = {
    "spark.app.name",
    "spark.master",
    "spark.submit.deployMode",
    "spark.yarn.queue",
    "spark.yarn.tags",
    "spark.kubernetes.namespace",
    "spark.databricks.clusterUsageTags.clusterId",
    "spark.databricks.clusterUsageTags.clusterName",
  };

  /** Paths of this machine concern nobody else. */
  private static final List<String> UNTOLD =
      java.util.Arrays.asList("token.file", "ca.file", "spool.dir");

  final Map<String, String> spark;
  /** One sentence each, without secrets. */
  final List<String> problems = new ArrayList<>();
  /** Without a slash at its end; empty where nothing goes over HTTP. */
  final String url;
  final KafkaSettings kafka;
  /** Empty where no token is sent. */
  final String tokenFile;
  final String caFile;
  /** Empty where Tollgate's own rules or the token decide. */
  final String project;
  final String cluster;
  final long heartbeatMs;
  final long flushMs;
  /** Most that the end of the application waits for. */
  final long endMs;
  final long queueBytes;
  /** Empty for none. */
  final String spoolFolder;
  final long spoolBytes;
  final boolean checksQuota;
  /** Whether an application starts while no answer comes. */
  final boolean failsOpen;
  final long quotaTimeoutMs;
  /** How long the application is planned to run; 0 where nothing is planned. */
  final long quotaDurationMs;
  final String pool;
  final boolean mayBeStopped;
  /** Prefixes of checkpoint locations that outlive the application, such as a mounted share. */
  final List<String> durablePaths;

  AgentConfig(Map<String, String> configuration) {
    spark = Collections.unmodifiableMap(new LinkedHashMap<>(configuration));
    kafka = new KafkaSettings(spark, problems);
    url = readUrl(text("url", ""));
    File defaultToken = new File(DEFAULT_TOKEN_FILE);
    tokenFile = text("token.file", defaultToken.canRead() ? DEFAULT_TOKEN_FILE : "");
    caFile = text("ca.file", "");
    project = text("project", "");
    cluster = text("cluster", "default");
    heartbeatMs = millis("heartbeat", 10_000, 100, 60_000);
    flushMs = millis("flush", 1_000, 10, 60_000);
    endMs = millis("flushAtEnd", 5_000, 0, 30_000);
    queueBytes = bytes("queue.bytes", 8L << 20, 64L << 10, 256L << 20);
    String user = System.getProperty("user.name", "spark").replaceAll("[^\\w.-]", "_");
    String temporary = System.getProperty("java.io.tmpdir", "/tmp");
    spoolFolder = text("spool.dir", temporary + File.separator + "tollgate-spool-" + user);
    spoolBytes = bytes("spool.bytes", 16L << 20, 0, 1L << 30);
    checksQuota = flag("quota.check", false);
    failsOpen = !oneOf("quota.failMode", "open", "closed").equals("closed");
    quotaTimeoutMs = millis("quota.timeout", 5_000, 100, 120_000);
    quotaDurationMs = millis("quota.duration", 0, 0, 3_650L * 86_400_000);
    pool = text("quota.pool", "");
    mayBeStopped = flag("stop.enabled", true);
    durablePaths = list("stop.durable");
  }

  boolean isOn() {
    return !url.isEmpty() || !kafka.servers.isEmpty();
  }

  /** What attribution rules are asked with: never a secret, as only named properties go out. */
  Map<String, String> told() {
    Map<String, String> told = new LinkedHashMap<>();
    for (String key : TOLD) tell(told, key);
    for (String key : list("attribution")) {
      if (!key.matches("(?i).*(secret|password|passwd|token|credential|access\\.?key).*")) tell(told, key);
    }
    for (String key : spark.keySet()) {
      boolean isOwn = key.startsWith(PREFIX) && !isUntold(key);
      if (isOwn && told.size() < 200) tell(told, key);
    }
    return told;
  }

  private static boolean isUntold(String key) {
    // What Kafka's client is told may be a secret under any name.
    return key.startsWith(KafkaSettings.PREFIX) || UNTOLD.contains(key.substring(PREFIX.length()));
  }

  private void tell(Map<String, String> told, String key) {
    String value = spark.get(key);
    if (value != null && key.length() <= MAX_KEY) told.put(key, Tags.cut(value, MAX_VALUE));
  }

  private String readUrl(String written) {
    if (written.isEmpty()) {
      if (kafka.servers.isEmpty()) {
        problems.add(PREFIX + "url is not set: set it to Tollgate's address, such as https://tollgate:8443");
      }
      return "";
    }
    try {
      java.net.URL parsed = new java.net.URL(written);
      boolean isHttp = parsed.getProtocol().matches("https?") && !parsed.getHost().isEmpty();
      if (isHttp && parsed.getUserInfo() == null && parsed.getQuery() == null) {
        return written.replaceAll("/+$", "");
      }
    } catch (java.net.MalformedURLException wrong) {
      // Told below; the text may hold a password, so it isn't repeated.
    }
    problems.add(PREFIX + "url is no address like https://tollgate:8443, without user or query");
    return "";
  }

  private String text(String key, String otherwise) {
    String value = spark.get(PREFIX + key);
    return value == null || value.trim().isEmpty() ? otherwise : value.trim();
  }

  private List<String> list(String key) {
    List<String> items = new ArrayList<>();
    for (String item : text(key, "").split(",")) {
      if (!item.trim().isEmpty()) items.add(item.trim());
    }
    return items;
  }

  private boolean flag(String key, boolean otherwise) {
    return oneOf(key, String.valueOf(otherwise), String.valueOf(!otherwise)).equals("true");
  }

  /** The first is the default. */
  private String oneOf(String key, String otherwise, String other) {
    String written = text(key, otherwise);
    if (written.equals(otherwise) || written.equals(other)) return written;
    problems.add(PREFIX + key + " is neither " + otherwise + " nor " + other + "; taken as " + otherwise);
    return otherwise;
  }

  private long millis(String key, long otherwise, long min, long max) {
    return within(key, text(key, otherwise + "ms"), Sizes.millis(text(key, otherwise + "ms")), otherwise, min, max);
  }

  private long bytes(String key, long otherwise, long min, long max) {
    return within(key, text(key, otherwise + "b"), Sizes.bytes(text(key, otherwise + "b"), "b"), otherwise, min, max);
  }

  private long within(String key, String written, long value, long otherwise, long min, long max) {
    if (value >= min && value <= max) return value;
    problems.add(PREFIX + key + " = " + Tags.cut(written, 40) + " can't be taken; the default stands");
    return otherwise;
  }
}
