package tollgate.spark;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;

/** Lines that wait to be sent, bounded in bytes. What doesn't fit is dropped and counted. */
final class LineQueue {
  /** Beside its characters: the objects around a line. */
  private static final int LINE_OVERHEAD = 64;

  private final long maxBytes;
  private final Deque<String> lines = new ArrayDeque<>();
  private long bytes;
  private long dropped;

  LineQueue(long maxBytes) {
    this.maxBytes = maxBytes;
  }

  /** Whether it was taken. */
  synchronized boolean offer(String line) {
    long cost = costOf(line);
    if (bytes + cost > maxBytes) {
      dropped++;
      return false;
    }
    lines.add(line);
    bytes += cost;
    return true;
  }

  /** The oldest lines up to so many bytes, at least one; they stay until they are removed. */
  synchronized List<String> peek(long upToBytes) {
    List<String> first = new ArrayList<>();
    long sum = 0;
    for (Iterator<String> each = lines.iterator(); each.hasNext(); ) {
      String line = each.next();
      sum += costOf(line);
      if (sum > upToBytes && !first.isEmpty()) break;
      first.add(line);
    }
    return first;
  }

  /** Takes the oldest lines away. */
  synchronized void remove(int count) {
    for (int i = 0; i < count && !lines.isEmpty(); i++) bytes -= costOf(lines.poll());
  }

  /** Counts lines as lost that were taken away unsent. */
  synchronized void lost(long count) {
    dropped += count;
  }

  synchronized boolean isEmpty() {
    return lines.isEmpty();
  }

  synchronized long bytes() {
    return bytes;
  }

  /** Since the beginning. */
  synchronized long dropped() {
    return dropped;
  }

  private static long costOf(String line) {
    return 2L * line.length() + LINE_OVERHEAD;
  }

  static byte[] toBody(List<String> lines) {
    return (String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8);
  }
}
