package tollgate.spark;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Sends lines and heartbeats from one thread of its own. Whoever hands a line over never waits: a
 * line that doesn't fit is dropped and counted. Failures are tried again, later and later.
 */
final class Sender implements Runnable {
  /** Collectors, those first whose lines money depends on. */
  static final String CONTAINERS = "containers";
  static final String PROGRESS = "progress";
  static final String METRICS = "metrics";

  private static final String LINES = "application/x-ndjson";
  private static final long BATCH_BYTES = 512 << 10;
  private static final long TIMEOUT_MS = 15_000;
  private static final long RETRY_BASE_MS = 500;
  private static final long RETRY_CAP_MS = 60_000;
  /** Failures after which what waits goes to disk, where a killed driver can't lose it. */
  private static final int SPILL_AFTER = 2;

  private final AgentConfig config;
  private final HttpDoor door;
  private final Notices notices;
  private final Spool spool;
  private final Random random = new Random();
  private final Map<String, LineQueue> queues = new LinkedHashMap<>();
  private final Supplier<List<String>> sights;
  private final Supplier<Map<String, Object>> heartbeat;
  private final Consumer<Map<?, ?>> orders;
  private final Thread thread = new Thread(this, "tollgate-agent");
  private final Object change = new Object();
  private boolean closing;
  private boolean beatNow;
  private long closeAt;
  private int failures;
  private long retryAt;
  private int endFailures = -1;
  private boolean knowsHeartbeats = true;
  private boolean mayHaveSpool = true;

  Sender(
      AgentConfig config,
      HttpDoor door,
      Notices notices,
      Supplier<List<String>> sights,
      Supplier<Map<String, Object>> heartbeat,
      Consumer<Map<?, ?>> orders) {
    this.config = config;
    this.door = door;
    this.notices = notices;
    this.sights = sights;
    this.heartbeat = heartbeat;
    this.orders = orders;
    spool = new Spool(config);
    queues.put(CONTAINERS, new LineQueue(config.queueBytes / 2));
    queues.put(PROGRESS, new LineQueue(config.queueBytes / 4));
    queues.put(METRICS, new LineQueue(config.queueBytes / 4));
    thread.setDaemon(true);
  }

  void start() {
    thread.start();
  }

  void offer(String collector, String line) {
    queues.get(collector).offer(line);
  }

  /** Lines that were lost since the beginning, over all collectors. */
  Map<String, Object> dropped() {
    Map<String, Object> counts = new LinkedHashMap<>();
    for (Map.Entry<String, LineQueue> entry : queues.entrySet()) {
      counts.put(entry.getKey(), entry.getValue().dropped());
    }
    return counts;
  }

  /** Sends a heartbeat as soon as it may, ahead of its time. */
  void beatSoon() {
    synchronized (change) {
      beatNow = true;
      change.notifyAll();
    }
  }

  /** Sends what waits, for at most so long, and keeps the rest on disk. Called once. */
  void close(long withinMs) {
    synchronized (change) {
      closing = true;
      closeAt = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(withinMs);
      change.notifyAll();
    }
    try {
      thread.join(Math.max(1, withinMs));
    } catch (InterruptedException stop) {
      Thread.currentThread().interrupt();
    }
    for (String collector : queues.keySet()) spill(collector);
    long lost = 0;
    for (LineQueue queue : queues.values()) lost += queue.dropped();
    if (lost > 0) notices.once(lost + " lines were dropped unsent since the start");
  }

  @Override
  public void run() {
    long beatAt = System.nanoTime();
    while (true) {
      try {
        boolean last = isClosing();
        if (last || System.nanoTime() >= beatAt || takeBeatNow()) {
          beatAt = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(config.heartbeatMs);
          if (mayTry(last)) sendLines(last);
          if (mayTry(last)) beat(last);
        } else if (mayTry(false)) {
          sendLines(false);
        }
        if (last) return;
      } catch (Throwable bug) {
        // An agent that fails must not harm its application, and says so once.
        notices.problem("the agent failed: " + bug);
        failed(0);
      }
      pause(beatAt);
    }
  }

  private void sendLines(boolean last) {
    for (Map.Entry<String, LineQueue> entry : queues.entrySet()) {
      LineQueue queue = entry.getValue();
      while (!queue.isEmpty() && mayTry(last)) {
        List<String> batch = queue.peek(BATCH_BYTES);
        if (!send(entry.getKey(), batch, queue)) return;
        queue.remove(batch.size());
      }
    }
    if (!mayHaveSpool || failures > 0) return;
    for (Map.Entry<String, LineQueue> entry : queues.entrySet()) {
      boolean isSent = spool.drain(
          entry.getKey(), BATCH_BYTES, lines -> mayTry(last) && send(entry.getKey(), lines, entry.getValue()));
      if (!isSent) return;
    }
    mayHaveSpool = false;
  }

  /** Whether these lines need not be sent again. */
  private boolean send(String collector, List<String> lines, LineQueue queue) {
    byte[] body = LineQueue.toBody(lines);
    HttpDoor.Answer answer = door.post("/v1/ingest/" + collector, body, LINES, timeout());
    if (answer.isGood()) {
      worked();
      tellRefused(collector, answer.body);
      return true;
    }
    if (answer.isRefused() && answer.status != 400) {
      queue.lost(lines.size());
      notices.problem(answer.problem);
      return true;
    }
    notices.problem(answer.problem);
    failed(answer.retryAfterMs);
    if (failures >= SPILL_AFTER) spill(collector);
    return false;
  }

  private void tellRefused(String collector, Map<?, ?> body) {
    Object quarantined = body.get("quarantined");
    Object droppedThere = body.get("dropped");
    boolean isRefused = isPositive(quarantined) || isPositive(droppedThere);
    if (!isRefused) return;
    String reasons = Tags.cut(String.valueOf(body.get("verdicts")), 200);
    notices.problem("records of " + collector + " were refused by " + config.url + ": " + reasons);
  }

  private static boolean isPositive(Object number) {
    return number instanceof Number && ((Number) number).doubleValue() > 0;
  }

  /** Sights of containers, then the heartbeat, whose answer may hold orders. */
  private void beat(boolean last) {
    if (!last) {
      List<String> lines = new ArrayList<>(sights.get());
      for (int from = 0; from < lines.size(); from += 5_000) {
        List<String> part = lines.subList(from, Math.min(lines.size(), from + 5_000));
        HttpDoor.Answer answer =
            door.post("/v1/ingest/" + CONTAINERS, LineQueue.toBody(part), LINES, timeout());
        if (!answer.isGood()) {
          notices.problem(answer.problem);
          failed(answer.retryAfterMs);
          return;
        }
      }
      if (!lines.isEmpty()) worked();
    }
    if (!knowsHeartbeats) return;
    Map<String, Object> told = heartbeat.get();
    if (told == null) return;
    byte[] body = Json.write(told).getBytes(java.nio.charset.StandardCharsets.UTF_8);
    HttpDoor.Answer answer = door.post("/v1/ingest/heartbeats", body, "application/json", timeout());
    if (answer.isGood()) {
      worked();
      orders.accept(answer.body);
    } else if (answer.status == 404 || answer.status == 405) {
      knowsHeartbeats = false;
      notices.once(
          "this version of Tollgate knows no heartbeats of agents: facts are sent, but it can't ask"
              + " this application to stop");
    } else {
      notices.problem(answer.problem);
      failed(answer.retryAfterMs);
    }
  }

  private void spill(String collector) {
    LineQueue queue = queues.get(collector);
    while (!queue.isEmpty()) {
      List<String> lines = queue.peek(BATCH_BYTES);
      boolean isKept = spool.keep(collector, lines);
      if (!isKept && !isClosing()) return;
      if (!isKept) queue.lost(lines.size());
      mayHaveSpool |= isKept;
      queue.remove(lines.size());
    }
  }

  private void worked() {
    failures = 0;
    retryAt = 0;
    notices.works();
  }

  private void failed(long askedMs) {
    failures++;
    long span = Math.min(RETRY_CAP_MS, RETRY_BASE_MS << Math.min(failures, 10));
    // Half of it is random, so that the agents of a platform don't come back together.
    long waitMs = Math.max(askedMs, span / 2 + (long) (random.nextDouble() * span / 2));
    retryAt = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(waitMs);
  }

  /** At the end there is one round more, however recently the last one failed. */
  private boolean mayTry(boolean last) {
    if (last) return System.nanoTime() < closeAt && failures <= failuresBeforeEnd();
    return failures == 0 || System.nanoTime() >= retryAt;
  }

  private int failuresBeforeEnd() {
    if (endFailures < 0) endFailures = failures;
    return endFailures;
  }

  private long timeout() {
    if (!isClosing()) return TIMEOUT_MS;
    return Math.max(100, Math.min(TIMEOUT_MS, TimeUnit.NANOSECONDS.toMillis(closeAt - System.nanoTime())));
  }

  private boolean isClosing() {
    synchronized (change) {
      return closing;
    }
  }

  private boolean takeBeatNow() {
    synchronized (change) {
      boolean now = beatNow;
      beatNow = false;
      return now;
    }
  }

  private void pause(long beatAt) {
    long untilBeat = TimeUnit.NANOSECONDS.toMillis(beatAt - System.nanoTime());
    long waitMs = Math.max(1, Math.min(config.flushMs, untilBeat));
    synchronized (change) {
      if (closing || beatNow) return;
      try {
        change.wait(waitMs);
      } catch (InterruptedException ignored) {
        // Nobody interrupts this thread but to end the process.
      }
    }
  }
}
