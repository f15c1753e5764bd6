package tollgate.spark;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What Spark tells of an application's containers, as lines for Tollgate. A line's id follows from
 * what it tells alone, so that sending it again changes nothing. Knows no Spark; any thread may call.
 */
final class ContainerFacts {
  /** What of the application is known when it starts. */
  static final class Start {
    String application = "";
    String attempt = "";
    String name = "";
    String user = "";
    String url = "";
    long at;
    /** YARN's container of the driver, or empty. */
    String driverContainer = "";
    String driverHost = "";
  }

  /** An executor as Spark announces it. */
  static final class Added {
    final String key;
    final String role;
    final String container;
    final String host;
    final Resources resources;
    final long at;

    Added(String key, String role, String container, String host, Resources resources, long at) {
      this.key = key;
      this.role = role;
      this.container = container;
      this.host = host;
      this.resources = resources;
      this.at = at;
    }
  }

  private static final class Open {
    final Added added;
    final String container;
    long until;

    Open(Added added, String container) {
      this.added = added;
      this.container = container;
      until = added.at;
    }
  }

  /** Most executors whose events wait for the application's name, and reasons' length. */
  private static final int MAX_PENDING = 10_000;
  private static final int MAX_REASON = 500;

  private final AgentConfig config;
  private final ContainerSize size;
  private final java.util.function.Consumer<String> out;
  private final Map<String, Open> open = new LinkedHashMap<>();
  private final Map<String, Boolean> known = new LinkedHashMap<>();
  private final List<Runnable> pending = new ArrayList<>();
  private Start start;
  private boolean ended;

  ContainerFacts(AgentConfig config, java.util.function.Consumer<String> out) {
    this.config = config;
    this.out = out;
    size = new ContainerSize(config.spark);
  }

  /** Null until the application has started. */
  synchronized Start start() {
    return start;
  }

  synchronized boolean hasEnded() {
    return ended;
  }

  synchronized int openContainers() {
    return open.size();
  }

  synchronized void applicationStarted(Start told) {
    if (start != null) return;
    start = told;
    out.accept(Json.write(applicationFact("application-seen", "seen", told.at)));
    // In local mode the driver is the only executor, and is counted as that.
    if (!size.isLocal()) startDriver();
    for (Runnable one : pending) one.run();
    pending.clear();
  }

  private void startDriver() {
    String host = start.driverHost.isEmpty() ? config.spark.get("spark.driver.host") : start.driverHost;
    String address = host == null ? "" : host;
    started(new Added("driver", "driver", start.driverContainer, address, size.driver(), start.at));
  }

  synchronized void containerStarted(Added added) {
    if (start != null) started(added);
    else if (pending.size() < MAX_PENDING) pending.add(() -> started(added));
  }

  synchronized void containerStopped(String key, long at, String reason) {
    if (start != null) stopped(key, at, reason);
    else if (pending.size() < MAX_PENDING) pending.add(() -> stopped(key, at, reason));
  }

  /** Waits for Spark's own word of the end, whose time the event log has too, for at most so long. */
  synchronized void awaitEnd(long withinMs) throws InterruptedException {
    long until = System.nanoTime() + withinMs * 1_000_000;
    for (long leftMs = withinMs; start != null && !ended && leftMs > 0; ) {
      wait(leftMs);
      leftMs = (until - System.nanoTime()) / 1_000_000;
    }
  }

  /** Ends all that is open. The first end stands. */
  synchronized void applicationEnded(long at) {
    if (start == null || ended) return;
    if (size.isLocal() && known.isEmpty()) startDriver();
    ended = true;
    notifyAll();
    for (String key : new ArrayList<>(open.keySet())) stopped(key, at, "application ended");
    out.accept(Json.write(applicationFact("application-ended", "ended", at)));
  }

  /** An executor's heartbeat has come. */
  synchronized void heardOf(String key, long now) {
    Open one = open.get(key);
    if (one != null && now > one.until) one.until = now;
  }

  /** That what is open was alive: the driver now, executors when they were last heard of. */
  synchronized List<String> sights(long now) {
    List<String> lines = new ArrayList<>(open.size());
    if (start == null) return lines;
    for (Map.Entry<String, Open> entry : open.entrySet()) {
      Open one = entry.getValue();
      if (!isExecutor(one)) one.until = Math.max(one.until, now);
      lines.add(
          Json.write(
              Json.object(
                  "kind", "seen",
                  "application", start.application,
                  "container", one.container,
                  "until", one.until)));
    }
    return lines;
  }

  private static boolean isExecutor(Open one) {
    return one.added.role.equals("executor") && !one.added.key.equals("driver");
  }

  private void started(Added added) {
    if (known.putIfAbsent(added.key, true) != null || ended) return;
    String own = start.application + "/" + start.attempt + "/" + added.key;
    Open one = new Open(added, added.container.isEmpty() ? own : added.container);
    open.put(added.key, one);
    Map<String, Object> fact = containerFact("container-started", "started", one, added.at);
    fact.put("resources", added.resources.toJson());
    out.accept(Json.write(fact));
  }

  /** Spark announces the end of an executor that was killed on YARN twice: the first one stands. */
  private void stopped(String key, long at, String reason) {
    Open one = open.remove(key);
    if (one == null) return;
    Map<String, Object> fact =
        containerFact("container-stopped", "stopped", one, Math.max(at, one.added.at));
    fact.put("reason", Tags.cut(reason == null ? "" : reason, MAX_REASON));
    out.accept(Json.write(fact));
  }

  private Map<String, Object> containerFact(String kind, String what, Open one, long at) {
    return Json.object(
        "kind", kind,
        "id", id("container/" + one.added.key + "/" + what),
        "at", at,
        "container", one.container,
        "application", start.application,
        "attempt", start.attempt,
        "role", one.added.role,
        "host", Tags.cut(one.added.host, 500));
  }

  private Map<String, Object> applicationFact(String kind, String what, long at) {
    String yarnQueue = size.isYarn() ? "default" : "";
    return Json.object(
        "kind", kind,
        "id", id("application/" + what),
        "at", at,
        "application", start.application,
        "attempt", start.attempt,
        "name", Tags.cut(start.name, 500),
        "user", Tags.cut(start.user, 250),
        "queue", Tags.cut(config.spark.getOrDefault("spark.yarn.queue", yarnQueue), 250),
        "project", config.project.isEmpty() ? null : config.project,
        "tags", Tags.of(config.spark),
        "configuration", config.told(),
        "url", Tags.cut(start.url, 1_000));
  }

  private String id(String what) {
    return start.application + "/" + start.attempt + "/" + what;
  }
}
