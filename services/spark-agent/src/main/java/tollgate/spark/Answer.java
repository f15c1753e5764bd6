package tollgate.spark;

import java.util.Map;

/** What became of lines, or of a request. */
final class Answer {
  private static final Map<String, Object> NOTHING = Json.object();

  /** Of HTTP; 0 where none came, and for Kafka. */
  final int status;
  /** The JSON object that came, or an empty one. */
  final Map<?, ?> body;
  /** What went wrong and what to do; empty for success. */
  final String problem;
  /** What Tollgate asks to wait; 0 where it doesn't. */
  final long retryAfterMs;
  /** Lines that nobody will ever take, though the others were taken. */
  final int refused;

  private Answer(int status, Map<?, ?> body, String problem, long retryAfterMs, int refused) {
    this.status = status;
    this.body = body;
    this.problem = problem;
    this.retryAfterMs = retryAfterMs;
    this.refused = refused;
  }

  /** @param body null where there was none */
  static Answer ofHttp(int status, Map<?, ?> body, String problem, long retryAfterMs) {
    return new Answer(status, body == null ? NOTHING : body, problem, retryAfterMs, 0);
  }

  static Answer taken(int refused) {
    return new Answer(0, NOTHING, "", 0, refused);
  }

  static Answer failed(String problem) {
    return new Answer(0, NOTHING, problem, 0, 0);
  }

  boolean isGood() {
    return problem.isEmpty();
  }

  /** Whether the body itself is what can't be taken: sending it again would be in vain. */
  boolean isBodyRefused() {
    return (status == 413 || status == 415 || status == 422) && !body.isEmpty();
  }
}
