package tollgate.spark;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Sends to topics that Tollgate's collectors read: a message a line, acknowledged by all replicas.
 * A topic knows no headers of a request, so each line says itself which cluster and project it is
 * of. What is sent again after a failure is stored once.
 */
final class KafkaDoor implements Door {
  /** As much of Kafka's producer as is needed. */
  interface Producer {
    Future<?> send(String topic, byte[] key, byte[] value) throws ReflectiveOperationException;

    /** At once; what waits in it is given up. */
    void close() throws ReflectiveOperationException;
  }

  /** Makes a producer of these properties. */
  interface Opening {
    Producer open(Map<String, Object> properties) throws ReflectiveOperationException;
  }

  private static final Pattern QUERY = Pattern.compile("\"id\":\"([0-9a-fA-F-]{36})\"");
  private static final Pattern APPLICATION = Pattern.compile("\"application\":\"([^\"]{1,256})\"");

  private final AgentConfig config;
  private final KafkaSettings settings;
  private final Opening opening;
  private Producer producer;

  KafkaDoor(AgentConfig config, Opening opening) {
    this.config = config;
    this.opening = opening;
    settings = config.kafka;
  }

  @Override
  public Answer send(String collector, List<String> lines, long timeoutMs) {
    long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMs);
    try {
      if (producer == null) producer = opening.open(settings.properties());
      List<Future<?>> sent = new ArrayList<>(lines.size());
      for (String line : lines) {
        byte[] value = stamped(collector, line).getBytes(StandardCharsets.UTF_8);
        sent.add(producer.send(settings.topic(collector), keyOf(collector, line), value));
      }
      int refused = 0;
      for (Future<?> one : sent) if (!isTaken(one, until)) refused++;
      return Answer.taken(refused);
    } catch (InterruptedException ending) {
      close();
      Thread.currentThread().interrupt();
      return Answer.failed(at("the driver ends"));
    } catch (ReflectiveOperationException | ExecutionException | IOException | TimeoutException failure) {
      return failed(failure);
    } catch (RuntimeException | LinkageError failure) {
      return failed(failure);
    }
  }

  /** Its buffer would go on trying, and logging, on its own; the next try opens another one. */
  private Answer failed(Throwable failure) {
    close();
    return Answer.failed(failureText(failure));
  }

  /** False for a message that is too large for any try. */
  private static boolean isTaken(Future<?> one, long until)
      throws InterruptedException, ExecutionException, TimeoutException {
    try {
      one.get(Math.max(0, until - System.nanoTime()), TimeUnit.NANOSECONDS);
      return true;
    } catch (ExecutionException failed) {
      if (nameOf(causeOf(failed)).equals("RecordTooLargeException")) return false;
      throw failed;
    }
  }

  private String stamped(String collector, String line) {
    boolean isContainers = collector.equals(Sender.CONTAINERS);
    // Facts of applications name their project themselves.
    String name = isContainers ? "cluster" : "project";
    String value = isContainers ? config.cluster : config.project;
    if (value.isEmpty() || !line.startsWith("{\"")) return line;
    return "{\"" + name + "\":" + Json.write(value) + "," + line.substring(1);
  }

  /** One partition sees all of a query, over restarts; of the rest, all of an application. */
  private static byte[] keyOf(String collector, String line) {
    if (collector.equals(Sender.PROGRESS)) {
      Matcher query = QUERY.matcher(line);
      if (query.find()) return query.group(1).getBytes(StandardCharsets.UTF_8);
    }
    Matcher application = APPLICATION.matcher(line);
    return application.find() ? application.group(1).getBytes(StandardCharsets.UTF_8) : null;
  }

  private static Throwable causeOf(Throwable failure) {
    Throwable one = failure;
    boolean isWrapped = true;
    while (isWrapped && one.getCause() != null) {
      isWrapped =
          one instanceof ExecutionException
              || one instanceof InvocationTargetException
              || nameOf(one).equals("KafkaException");
      if (isWrapped) one = one.getCause();
    }
    return one;
  }

  private static String nameOf(Throwable failure) {
    return failure.getClass().getSimpleName();
  }

  private String failureText(Throwable failure) {
    Throwable cause = causeOf(failure);
    String name = nameOf(cause);
    String why = name + ": " + settings.hide(String.valueOf(cause.getMessage()));
    if (name.equals("TimeoutException")) {
      return at("no answer came in time, or one of the topics " + topicNames() + " is not there");
    }
    if (name.endsWith("AuthenticationException")) {
      return at("the broker's or our proof of identity is refused (" + why + ")");
    }
    if (name.endsWith("AuthorizationException")) return at("this user may not write there (" + why + ")");
    return at(why);
  }

  private String topicNames() {
    List<String> names = new ArrayList<>();
    for (Object topic : settings.topics.values()) names.add(String.valueOf(topic));
    return String.join(", ", names);
  }

  private String at(String what) {
    return "can't send to " + place() + ": " + what;
  }

  @Override
  public String place() {
    return "Kafka at " + settings.servers;
  }

  @Override
  public Map<String, Object> address() {
    return Json.object("kafka", settings.servers, "topics", settings.topics);
  }

  @Override
  public void close() {
    Producer old = producer;
    producer = null;
    if (old == null) return;
    try {
      old.close();
    } catch (ReflectiveOperationException | RuntimeException | LinkageError gone) {
      // Nothing of it is used any more.
    }
  }
}
