package tollgate.spark;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads sizes and durations as Spark's configuration writes them: `2g`, `512m`, `10s`, `500ms`. */
final class Sizes {
  private static final Pattern FORM = Pattern.compile("\\s*(\\d{1,15})\\s*([a-zA-Z]{0,3})\\s*");

  private Sizes() {}

  /** Bytes; -1 for no size. A number alone counts in `unit`. */
  static long bytes(String text, String unit) {
    Matcher form = FORM.matcher(text == null ? "" : text);
    if (!form.matches()) return -1;
    String suffix = form.group(2).isEmpty() ? unit : form.group(2).toLowerCase(Locale.ROOT);
    if (suffix.endsWith("ib")) suffix = suffix.substring(0, 1);
    else if (suffix.length() == 2 && suffix.endsWith("b")) suffix = suffix.substring(0, 1);
    int power = "bkmgtp".indexOf(suffix);
    if (suffix.length() != 1 || power < 0) return -1;
    long amount = Long.parseLong(form.group(1));
    return amount > (Long.MAX_VALUE >> (10 * power)) ? -1 : amount << (10 * power);
  }

  /** Milliseconds; -1 for no duration. A number alone counts seconds, as Spark's own do. */
  static long millis(String text) {
    Matcher form = FORM.matcher(text == null ? "" : text);
    if (!form.matches()) return -1;
    long amount = Long.parseLong(form.group(1));
    switch (form.group(2).toLowerCase(Locale.ROOT)) {
      case "ms":
        return amount;
      case "":
      case "s":
        return amount * 1_000;
      case "m":
      case "min":
        return amount * 60_000;
      case "h":
        return amount * 3_600_000;
      case "d":
        return amount * 86_400_000;
      default:
        return -1;
    }
  }
}
