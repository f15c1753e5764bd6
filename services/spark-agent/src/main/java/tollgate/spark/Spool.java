package tollgate.spark;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Predicate;

/**
 * Lines that couldn't be sent, in files of this user, bounded in bytes over all of them. The next
 * agent on this machine that sends to the same place sends what an application left behind. A file
 * may be sent twice, which Tollgate stores once.
 */
final class Spool {
  private static final String SUFFIX = ".ndjson";
  private static final int MAX_FILES = 100;
  /** A file that another driver claimed and never gave back may be claimed again after this. */
  private static final long CLAIM_MS = 3_600_000;
  /** Nobody has sent to that place since: the lines are of no use, and take room. */
  private static final long KEEP_MS = 7L * 86_400_000;

  private final Path folder;
  private final long maxBytes;
  private final String place;
  private final String own = UUID.randomUUID().toString();

  /** @param address of the place that the lines are for */
  Spool(AgentConfig config, Map<String, Object> address) {
    folder = config.spoolFolder.isEmpty() ? null : Paths.get(config.spoolFolder);
    maxBytes = config.spoolBytes;
    Map<String, Object> meant = new LinkedHashMap<>(address);
    meant.putAll(Json.object("project", config.project, "cluster", config.cluster));
    place = Json.write(meant);
  }

  /** Keeps lines for a collector, or doesn't, where they have no room or the disk fails. */
  boolean keep(String collector, List<String> lines) {
    if (folder == null || maxBytes == 0 || lines.isEmpty()) return false;
    byte[] body = LineQueue.toBody(lines);
    try {
      makeFolder();
      for (File file : files()) {
        if (file.lastModified() < System.currentTimeMillis() - KEEP_MS) Files.deleteIfExists(file.toPath());
      }
      if (usedBytes() + body.length > maxBytes) return false;
      Path file = folder.resolve(own + "." + collector + SUFFIX);
      try {
        byte[] head = (place + "\n").getBytes(StandardCharsets.UTF_8);
        try (OutputStream out = Files.newOutputStream(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
          out.write(head);
        }
      } catch (FileAlreadyExistsException goesOn) {
        // The lines below are appended to it.
      }
      try (OutputStream out = Files.newOutputStream(file, StandardOpenOption.APPEND)) {
        out.write(body);
      }
      return true;
    } catch (IOException | RuntimeException failed) {
      return false;
    }
  }

  /**
   * Sends what waits for a collector, batch by batch. A file stays until all of it was taken.
   *
   * @param send whether these lines need not be kept any longer
   * @return false when sending failed, so that the rest should wait
   */
  boolean drain(String collector, long batchBytes, Predicate<List<String>> send) {
    for (Path file : waiting(collector)) {
      Path claimed = file.resolveSibling(file.getFileName() + ".claimed");
      try {
        Files.move(file, claimed);
        claimed.toFile().setLastModified(System.currentTimeMillis());
      } catch (IOException | RuntimeException takenByAnother) {
        continue;
      }
      if (!sendFile(claimed, batchBytes, send)) {
        giveBack(claimed, file);
        return false;
      }
    }
    return true;
  }

  private boolean sendFile(Path file, long batchBytes, Predicate<List<String>> send) {
    try (BufferedReader in = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
      in.readLine();
      List<String> batch = new ArrayList<>();
      long bytes = 0;
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        batch.add(line);
        bytes += line.length();
        if (bytes < batchBytes) continue;
        if (!send.test(batch)) return false;
        batch = new ArrayList<>();
        bytes = 0;
      }
      if (!batch.isEmpty() && !send.test(batch)) return false;
    } catch (IOException | RuntimeException unreadable) {
      // A file that can't be read would be tried forever.
    }
    try {
      Files.deleteIfExists(file);
    } catch (IOException | RuntimeException stays) {
      return true;
    }
    return true;
  }

  private static void giveBack(Path claimed, Path file) {
    try {
      Files.move(claimed, file);
    } catch (IOException | RuntimeException stays) {
      // It is claimed again after an hour.
    }
  }

  private List<Path> waiting(String collector) {
    List<Path> found = new ArrayList<>();
    String end = "." + collector + SUFFIX;
    for (File file : files()) {
      String name = file.getName();
      boolean isStale =
          name.endsWith(end + ".claimed") && file.lastModified() < System.currentTimeMillis() - CLAIM_MS;
      if ((name.endsWith(end) || isStale) && found.size() < MAX_FILES && isForUs(file.toPath())) {
        found.add(file.toPath());
      }
    }
    return found;
  }

  private boolean isForUs(Path file) {
    if (Files.isSymbolicLink(file)) return false;
    try (BufferedReader in = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
      return place.equals(in.readLine());
    } catch (IOException | RuntimeException unreadable) {
      return false;
    }
  }

  private long usedBytes() {
    long sum = 0;
    for (File file : files()) sum += file.length();
    return sum;
  }

  private File[] files() {
    File[] files = folder == null ? null : folder.toFile().listFiles();
    return files == null ? new File[0] : files;
  }

  /** Only its owner may look into it; one that belongs to somebody else isn't used. */
  private void makeFolder() throws IOException {
    if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
      Files.createDirectories(folder.getParent());
      Files.createDirectory(
          folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }
    String owner = Files.getOwner(folder, LinkOption.NOFOLLOW_LINKS).getName();
    boolean isOurs = owner.equals(System.getProperty("user.name"));
    if (Files.isSymbolicLink(folder) || !isOurs) throw new IOException("the folder is another user's");
  }
}
