package tollgate.spark;

import java.nio.charset.StandardCharsets;
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
  /** Collectors. */
  static final String CONTAINERS = "containers";
  static final String PROGRESS = "progress";
  static final String METRICS = "metrics";

  private static final long BATCH_BYTES = 512 << 10;
  private static final int SIGHTS_AT_ONCE = 5_000;
  private static final long TIMEOUT_MS = 15_000;
  /** Failures after which what waits goes to disk, where a killed driver can't lose it. */
  private static final int SPILL_AFTER = 2;

  /** What the agent gives, and what it does with the answer. */
  interface Heart {
    /** Lines that containers are alive. */
    List<String> sights();

    /** Null while there is nothing to tell. */
    Map<String, Object> heartbeat();

    void obey(Map<?, ?> answer);
  }

  private final AgentConfig config;
  private final Door door;
  private final HttpDoor http;
  private final Notices notices;
  private final Heart heart;
  private final Spool spool;
  private final Random random = new Random();
  /** Those first whose lines money depends on. */
  private final Map<String, Way> ways = new LinkedHashMap<>();
  private final Way beats = new Way("heartbeats", null);
  private final Thread thread = new Thread(this, "tollgate-agent");
  private final Object change = new Object();
  private boolean closing;
  private boolean beatNow;
  private volatile long closeAt;
  private boolean knowsHeartbeats = true;

  /** @param http for heartbeats, whatever way the lines go; null where there are none */
  Sender(AgentConfig config, Door door, HttpDoor http, Notices notices, Heart heart) {
    this.config = config;
    this.door = door;
    this.http = http;
    this.notices = notices;
    this.heart = heart;
    spool = new Spool(config, door.address());
    ways.put(CONTAINERS, new Way(CONTAINERS, new LineQueue(config.queueBytes / 2)));
    ways.put(PROGRESS, new Way(PROGRESS, new LineQueue(config.queueBytes / 4)));
    ways.put(METRICS, new Way(METRICS, new LineQueue(config.queueBytes / 4)));
    thread.setDaemon(true);
  }

  void start() {
    thread.start();
  }

  void offer(String collector, String line) {
    ways.get(collector).queue.offer(line);
  }

  /** Lines that were lost since the beginning, by collector. */
  Map<String, Object> dropped() {
    Map<String, Object> counts = new LinkedHashMap<>();
    for (Way way : ways.values()) counts.put(way.name, way.queue.dropped());
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
      closeAt = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(withinMs);
      closing = true;
      change.notifyAll();
    }
    try {
      thread.join(Math.max(1, withinMs));
    } catch (InterruptedException stop) {
      Thread.currentThread().interrupt();
    }
    long lost = 0;
    for (Way way : ways.values()) {
      spill(way);
      lost += way.queue.dropped();
    }
    if (lost > 0) notices.once(lost + " lines were dropped unsent since the start");
  }

  @Override
  public void run() {
    long beatAt = System.nanoTime();
    while (true) {
      boolean isLast = isClosing();
      try {
        if (isLast || takeBeatNow() || System.nanoTime() - beatAt >= 0) {
          beatAt = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(config.heartbeatMs);
          // First, since what it is made of may be lines too.
          List<String> sights = heart.sights();
          sendLines(isLast);
          beat(sights, isLast);
        } else {
          sendLines(false);
        }
      } catch (RuntimeException | LinkageError bug) {
        // An agent that fails must not harm its application, and says so once.
        notices.once("the agent failed: " + bug);
      }
      if (isLast) {
        door.close();
        return;
      }
      pause(beatAt);
    }
  }

  private void sendLines(boolean isLast) {
    for (Way way : ways.values()) {
      while (!way.queue.isEmpty() && mayTry(way, isLast)) {
        List<String> batch = way.queue.peek(BATCH_BYTES);
        if (!send(way, batch)) break;
        way.queue.remove(batch.size());
      }
      if (!way.mayHaveSpool || way.failures() > 0 || isLast) continue;
      way.mayHaveSpool = !spool.drain(way.name, BATCH_BYTES, lines -> !isClosing() && send(way, lines));
    }
  }

  /** Whether these lines need not be sent again. */
  private boolean send(Way way, List<String> lines) {
    Answer answer = door.send(way.name, lines, timeout());
    if (answer.isGood()) {
      if (answer.refused > 0) {
        way.queue.lost(answer.refused);
        notices.once(door.place() + " takes no lines of " + way.name + " that are so large");
      }
      way.worked();
      notices.works(way.name);
      tellRefused(way.name, answer.body);
      return true;
    }
    if (answer.isBodyRefused()) {
      way.queue.lost(lines.size());
      notices.once(answer.problem);
      return true;
    }
    failed(way, answer);
    if (way.failures() >= SPILL_AFTER) spill(way);
    return false;
  }

  private void failed(Way way, Answer answer) {
    notices.problem(way.name, answer.problem);
    way.failed(answer.retryAfterMs, random.nextDouble());
  }

  private void tellRefused(String collector, Map<?, ?> body) {
    if (!isPositive(body.get("quarantined")) && !isPositive(body.get("dropped"))) return;
    Object verdicts = body.get("verdicts");
    Object first = verdicts instanceof List && !((List<?>) verdicts).isEmpty() ? ((List<?>) verdicts).get(0) : null;
    Object reason = first instanceof Map ? ((Map<?, ?>) first).get("reason") : null;
    notices.once(
        door.place() + " takes not all lines of " + collector + " (" + Tags.cut(String.valueOf(reason), 100)
            + "); its README says what that means");
  }

  private static boolean isPositive(Object number) {
    return number instanceof Number && ((Number) number).doubleValue() > 0;
  }

  /** Sights of containers, then the heartbeat, whose answer may hold orders. */
  private void beat(List<String> sights, boolean isLast) {
    Way containers = ways.get(CONTAINERS);
    for (int from = 0; from < sights.size() && !isLast && mayTry(containers, false); from += SIGHTS_AT_ONCE) {
      // Not kept when it fails: the next ones say more.
      send(containers, sights.subList(from, Math.min(sights.size(), from + SIGHTS_AT_ONCE)));
    }
    Map<String, Object> told = heart.heartbeat();
    if (told == null || http == null || !knowsHeartbeats || !mayTry(beats, isLast)) return;
    byte[] body = Json.write(told).getBytes(StandardCharsets.UTF_8);
    Answer answer =
        http.post("/v1/ingest/heartbeats", body, "application/json", timeout());
    if (answer.isGood()) {
      beats.worked();
      notices.works(beats.name);
      heart.obey(answer.body);
    } else if (answer.status == 404 && !answer.body.isEmpty()) {
      knowsHeartbeats = false;
      notices.once(
          "this version of Tollgate knows no heartbeats of agents: facts are sent, but it can't ask"
              + " this application to stop");
    } else {
      failed(beats, answer);
    }
  }

  private void spill(Way way) {
    while (!way.queue.isEmpty()) {
      List<String> lines = way.queue.peek(BATCH_BYTES);
      boolean isKept = spool.keep(way.name, lines);
      if (!isKept && !isClosing()) return;
      if (!isKept) way.queue.lost(lines.size());
      way.mayHaveSpool |= isKept;
      way.queue.remove(lines.size());
    }
  }

  /** At the end there is one round more, however recently the last one failed. */
  private boolean mayTry(Way way, boolean isLast) {
    if (isClosing() && System.nanoTime() - closeAt >= 0) return false;
    return isLast || way.isDue();
  }

  private long timeout() {
    if (!isClosing()) return TIMEOUT_MS;
    long leftMs = TimeUnit.NANOSECONDS.toMillis(closeAt - System.nanoTime());
    return Math.max(100, Math.min(TIMEOUT_MS, leftMs));
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
