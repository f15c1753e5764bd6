package tollgate.spark;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.apache.spark.SparkContext;

/**
 * Ends a streaming application between two batches. Each query is stopped in its own progress or
 * idle event: then its last batch is committed and, as a rule, none is under way. What the query's
 * own logs say afterwards decides whether the stop was clean.
 */
final class GracefulStop {
  private static final long DEFAULT_WITHIN_MS = 60_000;
  private static final long LONGEST_MS = 3_600_000;

  private final SparkContext context;
  private final AgentConfig config;
  private final Notices notices;
  private final Runnable reportSoon;
  private final Map<UUID, Object> waiting = new LinkedHashMap<>();
  private final List<Map<String, Object>> stopped = new ArrayList<>();
  private String order = "";
  private Map<String, Object> report;
  private boolean isStopping;
  /** Queries that are being ended now: they wait no more, and aren't noted yet. */
  private int ending;
  private boolean isSaid;

  GracefulStop(SparkContext context, AgentConfig config, Notices notices, Runnable reportSoon) {
    this.context = context;
    this.config = config;
    this.notices = notices;
    this.reportSoon = reportSoon;
  }

  /** Reads the answer to a heartbeat: `{orders: [{id, kind: "stop", withinMs, force}]}`. */
  void obey(Map<?, ?> answer) {
    Object orders = answer.get("orders");
    if (!(orders instanceof List)) return;
    for (Object one : (List<?>) orders) {
      if (!(one instanceof Map)) continue;
      Map<?, ?> told = (Map<?, ?>) one;
      if ("stop".equals(told.get("kind")) && told.get("id") instanceof String) begin(told);
    }
  }

  /** What the next heartbeat tells of the stop; null while none was ordered. */
  synchronized Map<String, Object> report() {
    return report;
  }

  synchronized boolean isStopping() {
    return isStopping;
  }

  private void begin(Map<?, ?> told) {
    String id = (String) told.get("id");
    synchronized (this) {
      if (isStopping || id.equals(order)) return;
      order = id;
    }
    boolean isForced = Boolean.TRUE.equals(told.get("force"));
    Map<UUID, Object> queries = activeQueries();
    String refusal = refusal(queries, isForced);
    if (!refusal.isEmpty()) {
      tell("refused", false, refusal);
      notices.once("a stop was asked for and is refused: " + refusal);
      return;
    }
    Object within = told.get("withinMs");
    long asked = within instanceof Number ? ((Number) within).longValue() : DEFAULT_WITHIN_MS;
    long withinMs = Math.max(0, Math.min(asked, LONGEST_MS));
    synchronized (this) {
      isStopping = true;
      waiting.putAll(queries);
    }
    tell("stopping", false, queries.size() + " queries are stopped after their running batch");
    notices.once(
        "a stop was asked for: each of " + queries.size() + " queries ends after its running batch, all within "
            + withinMs / 1_000 + " s, then the application");
    Thread thread = new Thread(() -> finish(withinMs), "tollgate-stop");
    thread.setDaemon(true);
    thread.start();
  }

  private String refusal(Map<UUID, Object> queries, boolean isForced) {
    if (!config.mayBeStopped) return "spark.tollgate.stop.enabled is false";
    if (isForced) return "";
    if (queries.isEmpty()) return "no streaming query is active, so there is no boundary to stop at";
    for (Object query : queries.values()) {
      String place = ScalaValues.text(ScalaValues.call(query, "resolvedCheckpointRoot"));
      if (isDurable(place)) continue;
      return "the checkpoint " + Tags.cut(place, 200) + " is not on durable storage; force the stop, or list"
          + " its path in spark.tollgate.stop.durable";
    }
    return "";
  }

  /** A disk of one machine doesn't outlive a container of a cluster. */
  private boolean isDurable(String place) {
    for (String prefix : config.durablePaths) {
      if (place.startsWith(prefix)) return true;
    }
    return place.matches("[a-z][a-z0-9+.-]+:/.*") && !place.startsWith("file:");
  }

  /** A query that starts while the application is being stopped is stopped too. */
  void started(UUID id) {
    synchronized (this) {
      if (!isStopping) return;
    }
    Object query = activeQueries().get(id);
    synchronized (this) {
      if (query != null) waiting.put(id, query);
    }
  }

  /** A batch of this query has just been committed, or it has nothing to do. */
  void atBoundary(UUID id) {
    Object query;
    synchronized (this) {
      query = isStopping ? waiting.remove(id) : null;
      if (query != null) ending += 1;
    }
    if (query == null) return;
    try {
      end(id, query, true);
    } finally {
      synchronized (this) {
        ending -= 1;
        notifyAll();
      }
    }
  }

  /**
   * Returns when the last word of a stop under way is in the report, or the time is over. An
   * application whose queries have ended may end by itself before that word is found.
   */
  synchronized void awaitLastWord(long mostMs) {
    long over = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(mostMs);
    while (isStopping && !isSaid && waitUntil(over)) {}
  }

  /** @return false when the time is over */
  private boolean waitUntil(long over) {
    long leftMs = TimeUnit.NANOSECONDS.toMillis(over - System.nanoTime());
    if (leftMs <= 0) return false;
    try {
      wait(leftMs);
      return true;
    } catch (InterruptedException stop) {
      return false;
    }
  }

  synchronized void terminated(UUID id) {
    Object query = waiting.remove(id);
    if (query != null) note(id, query, true);
    notifyAll();
  }

  private void end(UUID id, Object query, boolean atBoundary) {
    ScalaValues.call(query, "stop");
    note(id, query, atBoundary);
  }

  private synchronized void note(UUID id, Object query, boolean atBoundary) {
    long planned = latestBatch(query, "offsetLog");
    long committed = latestBatch(query, "commitLog");
    boolean isKnown = planned >= 0;
    boolean isGone = !Boolean.TRUE.equals(ScalaValues.call(query, "isActive"));
    boolean isClean = isGone && (isKnown ? planned == committed : atBoundary);
    stopped.add(
        Json.object(
            "id", id,
            "name", Tags.cut(ScalaValues.text(ScalaValues.call(query, "name")), 200),
            "clean", isClean,
            "plannedBatch", planned,
            "committedBatch", committed));
    notifyAll();
  }

  /** -1 where it can't be told. */
  private static long latestBatch(Object query, String log) {
    Object latest = ScalaValues.unwrap(ScalaValues.call(ScalaValues.call(query, log), "getLatestBatchId"));
    return latest instanceof Number ? ((Number) latest).longValue() : -1;
  }

  private void finish(long withinMs) {
    long over = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(withinMs);
    Map<UUID, Object> late = awaitAll(over);
    for (Map.Entry<UUID, Object> entry : late.entrySet()) end(entry.getKey(), entry.getValue(), false);
    boolean isClean = true;
    StringBuilder batches = new StringBuilder();
    synchronized (this) {
      for (Map<String, Object> one : stopped) {
        isClean &= Boolean.TRUE.equals(one.get("clean"));
        String name = one.get("name").equals("") ? String.valueOf(one.get("id")) : String.valueOf(one.get("name"));
        batches.append(", ").append(Tags.cut(name, 60)).append(" after batch ").append(one.get("committedBatch"));
      }
    }
    String how = isClean ? "no uncommitted batch seen" : "a batch that had begun will run again";
    String lateText = late.isEmpty() ? "" : ", " + late.size() + " queries not before the time was over";
    tell("stopped", isClean, stopped.size() + " queries stopped" + lateText + "; " + how + Tags.cut(batches.toString(), 1_000));
    notices.once("the application stops: " + how + lateText);
    reportSoon.run();
    try {
      context.stop();
    } catch (RuntimeException alreadyStopped) {
      // The application's own stop was faster.
    }
  }

  /** @return those that had no boundary in time */
  private synchronized Map<UUID, Object> awaitAll(long over) {
    while ((!waiting.isEmpty() || ending > 0) && waitUntil(over)) {}
    Map<UUID, Object> late = new LinkedHashMap<>(waiting);
    waiting.clear();
    return late;
  }

  private synchronized void tell(String state, boolean isClean, String message) {
    Map<String, Object> told = Json.object("order", order, "state", state, "message", message);
    if (state.equals("stopped")) {
      told.put("clean", isClean);
      told.put("queries", new ArrayList<>(stopped));
    }
    report = told;
    isSaid = state.equals("stopped");
    notifyAll();
    if (!state.equals("stopped")) reportSoon.run();
  }

  /** Of all sessions of this context, by the query's id. */
  private static Map<UUID, Object> activeQueries() {
    Map<UUID, Object> queries = new LinkedHashMap<>();
    Object session = ScalaValues.unwrap(org.apache.spark.sql.SparkSession.getDefaultSession());
    Object shared = ScalaValues.call(session, "sharedState");
    Object active = ScalaValues.call(shared, "activeStreamingQueries");
    if (!(active instanceof Map)) return queries;
    for (Object query : ((Map<?, ?>) active).values()) {
      Object id = ScalaValues.call(query, "id");
      if (id instanceof UUID) queries.put((UUID) id, query);
    }
    return queries;
  }
}
