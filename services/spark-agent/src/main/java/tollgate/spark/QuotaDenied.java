package tollgate.spark;

/** Ends a driver whose project may not start it. One line is all there is to say. */
public final class QuotaDenied extends RuntimeException {
  private static final long serialVersionUID = 1L;

  QuotaDenied(String message) {
    super(message, null, false, false);
  }
}
