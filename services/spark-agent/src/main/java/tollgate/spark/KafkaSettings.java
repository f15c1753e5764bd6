package tollgate.spark;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** `spark.tollgate.kafka.*`: where the brokers are, the topics, and what Kafka's client is told. */
final class KafkaSettings {
  static final String PREFIX = "spark.tollgate.kafka.";
  private static final String CONF = PREFIX + "conf.";
  private static final Pattern TOPIC = Pattern.compile("[\\w.-]{1,249}");
  private static final Pattern SECRET =
      Pattern.compile("(?i).*(password|secret|token|jaas|credential|keystore[.]key).*");
  /** In a JAAS line: `password="…"`. */
  private static final Pattern ASSIGNED = Pattern.compile("=\\s*(\"[^\"]{3,}\"|[^\"\\s;]{3,})");

  /** Empty where nothing goes to Kafka. */
  final String servers;
  /** By collector. */
  final Map<String, Object> topics = new LinkedHashMap<>();
  private final Map<String, String> conf = new LinkedHashMap<>();
  private final String confFile;
  private final List<String> secrets = new ArrayList<>();

  /** @param problems takes one sentence for each value that can't be read */
  KafkaSettings(Map<String, String> spark, List<String> problems) {
    servers = text(spark, "bootstrapServers").replaceAll("\\s+", "");
    confFile = text(spark, "confFile");
    for (String collector : new String[] {Sender.CONTAINERS, Sender.PROGRESS, Sender.METRICS}) {
      String written = text(spark, "topic." + collector);
      boolean isName = TOPIC.matcher(written).matches();
      if (!written.isEmpty() && !isName) {
        problems.add(PREFIX + "topic." + collector + " is no name of a topic; the default stands");
      }
      topics.put(collector, isName ? written : "tollgate-" + collector);
    }
    for (Map.Entry<String, String> entry : spark.entrySet()) {
      if (entry.getKey().startsWith(CONF)) conf.put(entry.getKey().substring(CONF.length()), entry.getValue());
    }
    rememberSecrets(conf);
  }

  String topic(String collector) {
    return String.valueOf(topics.get(collector));
  }

  /**
   * For the client. The file is read each time: a password that was renewed counts with the next
   * connection.
   *
   * @throws IOException naming the file that can't be read
   */
  Map<String, Object> properties() throws IOException {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("client.id", "tollgate-spark-agent");
    all.put("compression.type", "gzip");
    all.put("linger.ms", "5");
    all.put("buffer.memory", String.valueOf(4 << 20));
    all.put("max.block.ms", "10000");
    all.put("request.timeout.ms", "5000");
    all.put("delivery.timeout.ms", "10000");
    // The client logs each try: fewer of them, since we say it once.
    all.put("reconnect.backoff.ms", "1000");
    all.put("reconnect.backoff.max.ms", "5000");
    all.putAll(fromFile());
    all.putAll(conf);
    // What the agent's promises rest on is nobody's to change.
    all.put("bootstrap.servers", servers);
    all.put("acks", "all");
    for (String own : new String[] {"transactional.id", "key.serializer", "value.serializer"}) all.remove(own);
    return all;
  }

  private Map<String, String> fromFile() throws IOException {
    Map<String, String> read = new LinkedHashMap<>();
    if (confFile.isEmpty()) return read;
    Properties properties = new Properties();
    try (InputStream in = Files.newInputStream(Paths.get(confFile))) {
      properties.load(in);
    } catch (IOException | RuntimeException unreadable) {
      // Its cause may quote what stands in it.
      throw new IOException("the file " + confFile + " (" + PREFIX + "confFile) can't be read");
    }
    for (String name : properties.stringPropertyNames()) read.put(name, properties.getProperty(name));
    rememberSecrets(read);
    return read;
  }

  private synchronized void rememberSecrets(Map<String, String> properties) {
    for (Map.Entry<String, String> entry : properties.entrySet()) {
      if (!SECRET.matcher(entry.getKey()).matches()) continue;
      List<String> found = new ArrayList<>();
      found.add(entry.getValue().trim());
      Matcher parts = ASSIGNED.matcher(entry.getValue());
      while (parts.find()) found.add(parts.group(1).replace("\"", ""));
      found.removeIf(one -> one.length() < 3 || secrets.contains(one));
      secrets.addAll(found);
    }
  }

  /** A sentence of the client's, which may quote its configuration, as it may be printed. */
  synchronized String hide(String text) {
    String hidden = text;
    for (String secret : secrets) hidden = hidden.replace(secret, "…");
    return Tags.cut(hidden.replaceAll("\\s+", " "), 300);
  }

  private static String text(Map<String, String> spark, String key) {
    String value = spark.get(PREFIX + key);
    return value == null ? "" : value.trim();
  }
}
