package tollgate.spark;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.HttpURLConnection;
import java.net.NoRouteToHostException;
import java.net.SocketTimeoutException;
import java.net.URL;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;

/** Posts to Tollgate. Every failure becomes an answer with one sentence; nothing is thrown. */
final class HttpDoor implements Door {
  private static final String LINES = "application/x-ndjson";
  private static final int MAX_ANSWER = 1 << 20;
  /** More than a quota check ever is. */
  private static final int PACKED_FROM = 2_048;

  private final AgentConfig config;
  private final String version;
  private SSLSocketFactory tls;

  HttpDoor(AgentConfig config, String version) {
    this.config = config;
    this.version = version;
  }

  @Override
  public Answer send(String collector, List<String> lines, long timeoutMs) {
    return post("/v1/ingest/" + collector, LineQueue.toBody(lines), LINES, timeoutMs);
  }

  @Override
  public String place() {
    return config.url;
  }

  @Override
  public Map<String, Object> address() {
    return Json.object("url", config.url);
  }

  /** The JDK keeps the connections, and closes them by itself. */
  @Override
  public void close() {}

  /** @param body sent compressed where that is worth it, and never to the quota check, which reads plain text */
  Answer post(String path, byte[] body, String type, long timeoutMs) {
    HttpURLConnection connection = null;
    try {
      connection = open(path, type, timeoutMs);
      boolean isPacked = body.length >= PACKED_FROM;
      if (isPacked) connection.setRequestProperty("Content-Encoding", "gzip");
      // Not streamed: then a 401 would come without its body.
      connection.getOutputStream().write(isPacked ? gzip(body) : body);
      return read(connection);
    } catch (IOException | GeneralSecurityException | RuntimeException failure) {
      if (connection != null) connection.disconnect();
      return Answer.failed(failureText(failure));
    }
  }

  private HttpURLConnection open(String path, String type, long timeoutMs)
      throws IOException, GeneralSecurityException {
    HttpURLConnection connection = (HttpURLConnection) new URL(config.url + path).openConnection();
    if (connection instanceof HttpsURLConnection && !config.caFile.isEmpty()) {
      if (tls == null) tls = trusting(config.caFile);
      ((HttpsURLConnection) connection).setSSLSocketFactory(tls);
    }
    connection.setRequestMethod("POST");
    connection.setDoOutput(true);
    connection.setInstanceFollowRedirects(false);
    connection.setUseCaches(false);
    connection.setConnectTimeout((int) Math.min(timeoutMs, 5_000));
    connection.setReadTimeout((int) timeoutMs);
    connection.setRequestProperty("Content-Type", type);
    connection.setRequestProperty("Accept", "application/json");
    connection.setRequestProperty("User-Agent", "tollgate-spark-agent/" + version);
    connection.setRequestProperty("Tollgate-Cluster", config.cluster);
    if (!config.project.isEmpty()) connection.setRequestProperty("Tollgate-Project", config.project);
    // Read each time: a token that was renewed counts at once.
    if (!config.tokenFile.isEmpty()) {
      connection.setRequestProperty("Authorization", "Bearer " + readToken());
    }
    return connection;
  }

  private String readToken() throws IOException {
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(Paths.get(config.tokenFile));
    } catch (IOException | RuntimeException unreadable) {
      throw new IOException("the token file " + config.tokenFile + " can't be read", unreadable);
    }
    String token = new String(bytes, StandardCharsets.UTF_8).trim();
    if (token.isEmpty() || !token.matches("[\\x21-\\x7e]+")) {
      throw new IOException("the token file " + config.tokenFile + " holds no token");
    }
    return token;
  }

  private static SSLSocketFactory trusting(String caFile) throws IOException, GeneralSecurityException {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    try (InputStream in = Files.newInputStream(Paths.get(caFile))) {
      int count = 0;
      for (Certificate one : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
        store.setCertificateEntry("ca-" + count++, one);
      }
      if (count == 0) throw new GeneralSecurityException("no certificate in it");
    } catch (IOException | GeneralSecurityException | RuntimeException wrong) {
      throw new IOException("the certificates of " + caFile + " can't be read", wrong);
    }
    TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(store);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, trust.getTrustManagers(), null);
    return context.getSocketFactory();
  }

  private Answer read(HttpURLConnection connection) throws IOException {
    int status = connection.getResponseCode();
    String text = drain(status < 400 ? connection.getInputStream() : connection.getErrorStream());
    Map<?, ?> body = objectOf(text);
    if (status == 200 && body != null) return Answer.ofHttp(status, body, "", 0);
    long retryAfterMs = Math.max(0, Sizes.millis(connection.getHeaderField("Retry-After")));
    return Answer.ofHttp(status, body, statusText(status, body), retryAfterMs);
  }

  /** To its end, so that the connection serves the next request. */
  private static String drain(InputStream in) throws IOException {
    if (in == null) return "";
    try (InputStream open = in) {
      ByteArrayOutputStream kept = new ByteArrayOutputStream();
      byte[] chunk = new byte[8_192];
      for (int read = open.read(chunk); read >= 0; read = open.read(chunk)) {
        if (kept.size() > MAX_ANSWER) throw new IOException("an answer without end came");
        kept.write(chunk, 0, read);
      }
      return new String(kept.toByteArray(), StandardCharsets.UTF_8);
    }
  }

  private static Map<?, ?> objectOf(String text) {
    try {
      Object value = Json.parse(text);
      return value instanceof Map ? (Map<?, ?>) value : null;
    } catch (IllegalArgumentException other) {
      return null;
    }
  }

  private String statusText(int status, Map<?, ?> body) {
    Object code = body == null ? null : body.get("code");
    if (code == null) {
      if (status == 407) return at("a proxy asks for a password (407)");
      if (status == 429 || status >= 500) return at("no answer of Tollgate but status " + status);
      return at("what answers (status " + status + ") is not Tollgate: check spark.tollgate.url, and proxies between");
    }
    String detail = Tags.cut(String.valueOf(body.get("detail")).replaceAll("\\s+", " "), 300);
    if (status == 401) return at("the token is refused; put a valid one into " + tokenPlace());
    if (status == 403) return at("the token may not do this: " + detail);
    if (status == 404 && !config.project.isEmpty()) {
      return at("refused: " + detail + " (is the token one of project " + config.project + "?)");
    }
    return at("refused with status " + status + ": " + detail);
  }

  private String failureText(Throwable failure) {
    if (failure instanceof UnknownHostException) return at("the host name is unknown; check spark.tollgate.url");
    if (failure instanceof ConnectException || failure instanceof NoRouteToHostException) {
      return at("nobody answers there (" + failure.getMessage() + ")");
    }
    if (failure instanceof SocketTimeoutException) return at("no answer came in time");
    if (failure instanceof SSLException || failure.getCause() instanceof GeneralSecurityException) {
      String why = Tags.cut(String.valueOf(failure.getMessage()).replaceAll("\\s+", " "), 200);
      return at("TLS failed (" + why + "); name its CA in spark.tollgate.ca.file");
    }
    return at(Tags.cut(String.valueOf(failure.getMessage()).replaceAll("\\s+", " "), 200));
  }

  private String tokenPlace() {
    return config.tokenFile.isEmpty() ? "a file and name it in spark.tollgate.token.file" : config.tokenFile;
  }

  private String at(String what) {
    return "can't send to " + config.url + ": " + what;
  }

  static byte[] gzip(byte[] body) throws IOException {
    ByteArrayOutputStream packed = new ByteArrayOutputStream(body.length / 4 + 64);
    try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
      gzip.write(body);
    }
    return packed.toByteArray();
  }
}
