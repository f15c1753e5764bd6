package tollgate.spark;

import static tollgate.spark.AgentTest.conf;
import static tollgate.spark.AgentTest.isTrue;
import static tollgate.spark.AgentTest.same;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.zip.GZIPInputStream;

/** Sending to a server on this machine that answers as it is told. */
final class SenderTest {
  /** What the server answers next, and what it was sent. */
  private static final class Tollgate implements AutoCloseable {
    final HttpServer server;
    final List<String> lines = Collections.synchronizedList(new ArrayList<>());
    final List<String> tokens = Collections.synchronizedList(new ArrayList<>());
    volatile int status = 200;
    volatile String answer = "{}";
    volatile String type = "application/json";
    volatile int requests;

    Tollgate() throws IOException {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
      server.createContext("/", this::serve);
      server.start();
    }

    private void serve(HttpExchange exchange) throws IOException {
      requests++;
      tokens.add(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
      String path = exchange.getRequestURI().getPath();
      boolean isPacked = "gzip".equals(exchange.getRequestHeaders().getFirst("Content-Encoding"));
      // The real quota check reads nothing else.
      isTrue(!isPacked || !path.equals("/v1/quota-checks"), "a packed quota check");
      String body = read(isPacked ? new GZIPInputStream(exchange.getRequestBody()) : exchange.getRequestBody());
      if (status == 200) {
        String way = path.substring(path.lastIndexOf('/') + 1);
        for (String line : body.trim().split("\n")) lines.add(way + " " + line);
      }
      byte[] bytes = answer.getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().set("Content-Type", type);
      exchange.sendResponseHeaders(status, bytes.length);
      exchange.getResponseBody().write(bytes);
      exchange.close();
    }

    private static String read(InputStream from) throws IOException {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      byte[] chunk = new byte[4_096];
      try (InputStream in = from) {
        for (int read = in.read(chunk); read >= 0; read = in.read(chunk)) out.write(chunk, 0, read);
      }
      return new String(out.toByteArray(), StandardCharsets.UTF_8);
    }

    String url() {
      return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    long count(String way) {
      synchronized (lines) {
        return lines.stream().filter(line -> line.startsWith(way + " ")).distinct().count();
      }
    }

    @Override
    public void close() {
      server.stop(0);
    }
  }

  private static final class Agent implements Sender.Heart {
    final List<String> said = Collections.synchronizedList(new ArrayList<>());
    final List<Object> obeyed = Collections.synchronizedList(new ArrayList<>());
    final AgentConfig config;
    final Notices notices = new Notices(said::add, text -> said.add("info " + text));
    final HttpDoor door;
    final Sender sender;
    volatile String lateMetrics = "";

    Agent(String url, String... more) throws IOException {
      Map<String, String> conf = new LinkedHashMap<>(conf(more));
      conf.put("spark.tollgate.url", url);
      conf.putIfAbsent("spark.tollgate.spool.dir", folder().resolve("spool").toString());
      conf.putIfAbsent("spark.tollgate.flush", "10ms");
      conf.putIfAbsent("spark.tollgate.heartbeat", "100ms");
      config = new AgentConfig(conf);
      door = new HttpDoor(config, "1");
      sender = new Sender(config, door, door, notices, this);
    }

    @Override
    public List<String> sights() {
      if (!lateMetrics.isEmpty()) sender.offer(Sender.METRICS, lateMetrics);
      return Collections.singletonList("{\"kind\":\"seen\"}");
    }

    @Override
    public Map<String, Object> heartbeat() {
      return Json.object("dropped", sender.dropped());
    }

    @Override
    public void obey(Map<?, ?> answer) {
      obeyed.add(answer);
    }
  }

  private static Path folder() throws IOException {
    Path folder = Files.createTempDirectory("tollgate-agent-test");
    folder.toFile().deleteOnExit();
    return folder;
  }

  private static void until(String what, BooleanSupplier condition) throws InterruptedException {
    for (long over = System.currentTimeMillis() + 30_000; !condition.getAsBoolean(); Thread.sleep(5)) {
      isTrue(System.currentTimeMillis() < over, "not reached: " + what);
    }
  }

  void testLinesHeartbeatsAndOrders() throws Exception {
    try (Tollgate tollgate = new Tollgate()) {
      tollgate.answer = "{\"orders\":[{\"id\":\"s1\",\"kind\":\"stop\"}]}";
      Agent agent = new Agent(tollgate.url());
      agent.sender.start();
      for (int i = 0; i < 500; i++) agent.sender.offer(Sender.CONTAINERS, "{\"n\":" + i + "}");
      agent.sender.offer(Sender.PROGRESS, "{}");
      until("all lines", () -> tollgate.count("containers") >= 501 && tollgate.count("progress") == 1);
      until("an order", () -> !agent.obeyed.isEmpty());
      agent.sender.close(5_000);
      same(agent.said.toString(), "[]");
    }
  }

  void testWhatWaitsWhenTheApplicationEndsIsSent() throws Exception {
    try (Tollgate tollgate = new Tollgate()) {
      Agent agent = new Agent(tollgate.url(), "spark.tollgate.flush", "60s", "spark.tollgate.heartbeat", "60s");
      agent.sender.start();
      until("the first heartbeat", () -> !agent.obeyed.isEmpty());
      for (int i = 0; i < 100; i++) agent.sender.offer(Sender.CONTAINERS, "{\"n\":" + i + "}");
      agent.lateMetrics = "{\"late\":1}";
      agent.sender.close(10_000);
      same(tollgate.count("containers"), 101L);
      same(tollgate.count("metrics"), 1L);
      isTrue(!new java.io.File(agent.config.spoolFolder).exists(), "nothing is left");
    }
  }

  void testAServerThatIsAwayCostsNeitherTimeNorMemoryNorLines() throws Exception {
    String spool = folder().resolve("spool").toString();
    String[] conf = {"spark.tollgate.spool.dir", spool, "spark.tollgate.project", "etl"};
    String url;
    try (Tollgate tollgate = new Tollgate()) {
      url = tollgate.url();
    }
    Agent away = new Agent(url, conf);
    away.sender.start();
    for (int i = 0; i < 1_000; i++) away.sender.offer(Sender.CONTAINERS, "{\"n\":" + i + "}");
    until("a word", () -> !away.said.isEmpty());
    long began = System.nanoTime();
    away.sender.close(2_000);
    isTrue(System.nanoTime() - began < 15_000_000_000L, "the end waits for nobody");
    same(away.said.size(), 1);
    isTrue(away.said.get(0).contains("nobody answers there"), away.said.get(0));
    same(away.sender.dropped().get(Sender.CONTAINERS), 0L);
    HttpServer late = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(url.replaceAll(".*:", ""))), 0);
    late.stop(0);
    try (Tollgate tollgate = new Tollgate()) {
      // The address is part of what a spool is for: another place gets nothing of it.
      Agent other = new Agent(tollgate.url(), conf);
      other.sender.start();
      until("a heartbeat", () -> other.obeyed.size() > 1);
      other.sender.close(5_000);
      same(tollgate.count("containers"), 1L);
      rewrite(spool, url, tollgate.url());
      Agent next = new Agent(tollgate.url(), conf);
      next.sender.start();
      until("the lines that were left", () -> tollgate.count("containers") == 1_001);
      next.sender.close(5_000);
      same(new java.io.File(spool).list().length, 0);
    }
  }

  /** As if the server had come back at its old address. */
  private static void rewrite(String folder, String from, String to) throws IOException {
    for (java.io.File file : new java.io.File(folder).listFiles()) {
      String text = new String(Files.readAllBytes(file.toPath()), StandardCharsets.UTF_8);
      Files.write(file.toPath(), text.replace(from, to).getBytes(StandardCharsets.UTF_8));
    }
  }

  void testABusyServerIsTriedAgainAndWorkingAgainIsSaid() throws Exception {
    try (Tollgate tollgate = new Tollgate()) {
      tollgate.status = 503;
      tollgate.answer = "{\"code\":\"STORE_UNAVAILABLE\",\"detail\":\"the store is away\"}";
      Agent agent = new Agent(tollgate.url());
      agent.sender.start();
      agent.sender.offer(Sender.CONTAINERS, "{\"n\":1}");
      until("some tries", () -> tollgate.requests >= 4);
      tollgate.status = 200;
      tollgate.answer = "{}";
      until("the line", () -> tollgate.count("containers") >= 2);
      until("the good news", () -> agent.said.size() == 2);
      agent.sender.close(5_000);
      isTrue(agent.said.get(0).contains("the store is away"), agent.said.get(0));
      same(agent.said.get(1), "info Tollgate: sending works again");
    }
  }

  void testWhatIsWrongIsSaidInOneLine() throws Exception {
    Map<String, String[]> cases = new LinkedHashMap<>();
    cases.put("401 {\"code\":\"UNAUTHENTICATED\",\"detail\":\"x\"}", new String[] {"the token is refused"});
    cases.put("403 {\"code\":\"FORBIDDEN\",\"detail\":\"this needs a token with the scope ingest\"}", new String[] {"scope ingest"});
    cases.put("404 {\"code\":\"NOT_FOUND\",\"detail\":\"there is no project etl\"}", new String[] {"no project etl", "the token one of project"});
    cases.put("407 <html>", new String[] {"a proxy asks for a password"});
    cases.put("200 <html>Log in</html>", new String[] {"is not Tollgate"});
    cases.put("302 ", new String[] {"is not Tollgate"});
    cases.put("502 <html>Bad gateway", new String[] {"502"});
    for (Map.Entry<String, String[]> entry : cases.entrySet()) {
      try (Tollgate tollgate = new Tollgate()) {
        tollgate.status = Integer.parseInt(entry.getKey().substring(0, 3));
        tollgate.answer = entry.getKey().substring(4);
        Agent agent = new Agent(tollgate.url(), "spark.tollgate.project", "etl", "spark.tollgate.spool.bytes", "0b");
        agent.sender.start();
        agent.sender.offer(Sender.CONTAINERS, "{\"n\":1}");
        until("some tries", () -> tollgate.requests >= 4);
        agent.sender.close(1_000);
        List<String> problems = new ArrayList<>(agent.said);
        problems.removeIf(line -> line.contains("dropped unsent") || line.contains("knows no heartbeats"));
        same(problems.size(), 1);
        for (String word : entry.getValue()) isTrue(problems.get(0).contains(word), entry.getKey() + ": " + problems);
        isTrue(!problems.get(0).contains("\n"), "one line");
      }
    }
  }

  void testPlacesThatAreNoneAreSaidToo() throws Exception {
    try (Tollgate tollgate = new Tollgate()) {
      String[][] cases = {
        {tollgate.url().replace("http:", "https:"), "certificates of", "spark.tollgate.ca.file", "/nonexistent"},
        {tollgate.url(), "token file /nonexistent", "spark.tollgate.token.file", "/nonexistent"},
        {"http://tollgate.invalid:1", "host name is unknown", "spark.tollgate.ca.file", ""},
      };
      for (String[] one : cases) {
        Agent agent = new Agent(one[0], one[2], one[3]);
        Answer answer = agent.door.post("/v1/ingest/logs", new byte[0], "application/x-ndjson", 5_000);
        isTrue(!answer.isGood() && answer.problem.contains(one[1]), one[1] + ": " + answer.problem);
      }
    }
  }

  /** The server is the caller's, as the JDK makes no certificates. */
  void testTlsNeedsTheRightAuthority() throws Exception {
    String url = System.getProperty("tollgate.test.tls.url", "");
    if (url.isEmpty()) return;
    String right = System.getProperty("tollgate.test.tls.ca");
    String wrong = System.getProperty("tollgate.test.tls.otherCa");
    for (String ca : new String[] {right, wrong, ""}) {
      Agent agent = new Agent(url, "spark.tollgate.ca.file", ca);
      Answer answer = agent.door.post("/v1/ingest/logs", new byte[0], "application/x-ndjson", 10_000);
      if (ca.equals(right)) same(answer.problem, "");
      else isTrue(answer.problem.contains("TLS failed") && answer.problem.contains("ca.file"), answer.problem);
    }
    Agent plain = new Agent(url.replace("https:", "http:"));
    isTrue(!plain.door.post("/v1/ingest/logs", new byte[0], "x", 10_000).isGood(), "no TLS at all");
  }

  void testATokenThatWasRenewedCountsAtOnce() throws Exception {
    try (Tollgate tollgate = new Tollgate()) {
      Path file = folder().resolve("token");
      Files.write(file, "tg_1\n".getBytes(StandardCharsets.UTF_8));
      Agent agent = new Agent(tollgate.url(), "spark.tollgate.token.file", file.toString());
      agent.door.post("/v1/ingest/logs", new byte[0], "application/x-ndjson", 5_000);
      Files.write(file, "tg_2".getBytes(StandardCharsets.UTF_8));
      agent.door.post("/v1/ingest/logs", new byte[0], "application/x-ndjson", 5_000);
      same(tollgate.tokens, Arrays.asList("Bearer tg_1", "Bearer tg_2"));
    }
  }

  private static String quota(Tollgate tollgate, String failMode) throws IOException {
    Agent agent = new Agent(tollgate.url(), "spark.tollgate.project", "etl", "spark.tollgate.quota.failMode", failMode);
    try {
      new QuotaCheck(agent.config, agent.door, agent.notices).demand();
      return "starts " + agent.said.size();
    } catch (QuotaDenied denied) {
      same(denied.getStackTrace().length, 0);
      return denied.getMessage();
    }
  }

  void testTheQuotaCheckLetsStartOrDenies() throws Exception {
    try (Tollgate tollgate = new Tollgate()) {
      tollgate.answer = "{\"allowed\":true,\"reason\":\"ok\",\"message\":\"fine\"}";
      same(quota(tollgate, "closed"), "starts 1");
      tollgate.answer = "{\"allowed\":false,\"reason\":\"balance-exhausted\",\"message\":\"0 credits left\"}";
      for (String mode : Arrays.asList("open", "closed")) {
        same(quota(tollgate, mode), "Tollgate: project etl may not start this application (balance-exhausted: 0 credits left)");
      }
      tollgate.status = 503;
      tollgate.answer = "{\"code\":\"STORE_UNAVAILABLE\",\"detail\":\"away\"}";
      same(quota(tollgate, "open"), "starts 1");
      isTrue(quota(tollgate, "closed").contains("failMode is closed"), "denied");
    }
  }

  void testAFullQueueDropsAndTellsAndNeverWaits() throws Exception {
    try (Tollgate tollgate = new Tollgate()) {
      tollgate.status = 503;
      Agent agent = new Agent(tollgate.url(), "spark.tollgate.queue.bytes", "64k", "spark.tollgate.spool.bytes", "0b");
      agent.sender.start();
      for (int i = 0; i < 100_000; i++) agent.sender.offer(Sender.PROGRESS, "{\"n\":" + i + "}");
      long dropped = ((Number) agent.sender.dropped().get(Sender.PROGRESS)).longValue();
      isTrue(dropped > 90_000, "dropped " + dropped);
      agent.sender.close(500);
      isTrue(agent.said.stream().anyMatch(line -> line.contains("100000 lines were dropped unsent")), agent.said.toString());
    }
  }
}
