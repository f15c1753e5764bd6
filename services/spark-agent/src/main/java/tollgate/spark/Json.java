package tollgate.spark;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * JSON in both directions, so that the agent brings no library that an application might have in
 * another version. Objects are maps, arrays lists, numbers Double.
 */
final class Json {
  private static final int MAX_DEPTH = 32;

  private final String text;
  private int at;

  private Json(String text) {
    this.text = text;
  }

  /** Maps, iterables, numbers, booleans and null; anything else as its text. */
  static String write(Object value) {
    StringBuilder out = new StringBuilder(256);
    write(value, out);
    return out.toString();
  }

  /** An object of these keys and values, in this order; pairs whose value is null are left out. */
  static Map<String, Object> object(Object... pairs) {
    Map<String, Object> object = new LinkedHashMap<>();
    for (int i = 0; i + 1 < pairs.length; i += 2) {
      if (pairs[i + 1] != null) object.put(String.valueOf(pairs[i]), pairs[i + 1]);
    }
    return object;
  }

  /** @throws IllegalArgumentException for anything that is no JSON */
  static Object parse(String text) {
    Json json = new Json(text);
    Object value = json.value(0);
    json.blanks();
    if (json.at != text.length()) throw json.wrong();
    return value;
  }

  private static void write(Object value, StringBuilder out) {
    if (value == null) {
      out.append("null");
    } else if (value instanceof Map) {
      char before = '{';
      for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
        out.append(before);
        quote(String.valueOf(entry.getKey()), out);
        out.append(':');
        write(entry.getValue(), out);
        before = ',';
      }
      out.append(before == '{' ? "{}" : "}");
    } else if (value instanceof Iterable) {
      char before = '[';
      for (Object one : (Iterable<?>) value) {
        out.append(before);
        write(one, out);
        before = ',';
      }
      out.append(before == '[' ? "[]" : "]");
    } else if (value instanceof Double || value instanceof Float) {
      double number = ((Number) value).doubleValue();
      out.append(Double.isNaN(number) || Double.isInfinite(number) ? "null" : value.toString());
    } else if (value instanceof Number || value instanceof Boolean) {
      out.append(value);
    } else {
      quote(value.toString(), out);
    }
  }

  private static void quote(String text, StringBuilder out) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        out.append('\\').append(c);
      } else if (c < 0x20 || c == 0x7f || Character.isSurrogate(c)) {
        out.append(String.format("\\u%04x", (int) c));
      } else {
        out.append(c);
      }
    }
    out.append('"');
  }

  private Object value(int depth) {
    if (depth > MAX_DEPTH) throw wrong();
    blanks();
    if (at >= text.length()) throw wrong();
    char c = text.charAt(at);
    if (c == '{') return members(depth);
    if (c == '[') return elements(depth);
    if (c == '"') return string();
    if (take("true")) return Boolean.TRUE;
    if (take("false")) return Boolean.FALSE;
    if (take("null")) return null;
    return number();
  }

  private Map<String, Object> members(int depth) {
    Map<String, Object> object = new LinkedHashMap<>();
    at++;
    blanks();
    if (take("}")) return object;
    do {
      blanks();
      if (at >= text.length() || text.charAt(at) != '"') throw wrong();
      String key = string();
      blanks();
      if (!take(":")) throw wrong();
      object.put(key, value(depth + 1));
      blanks();
    } while (take(","));
    if (!take("}")) throw wrong();
    return object;
  }

  private List<Object> elements(int depth) {
    List<Object> list = new ArrayList<>();
    at++;
    blanks();
    if (take("]")) return list;
    do {
      list.add(value(depth + 1));
      blanks();
    } while (take(","));
    if (!take("]")) throw wrong();
    return list;
  }

  private String string() {
    StringBuilder out = new StringBuilder();
    for (at++; at < text.length(); at++) {
      char c = text.charAt(at);
      if (c == '"') {
        at++;
        return out.toString();
      }
      if (c != '\\') {
        out.append(c);
        continue;
      }
      at++;
      if (at >= text.length()) break;
      out.append(escaped(text.charAt(at)));
    }
    throw wrong();
  }

  private char escaped(char c) {
    int plain = "bfnrt".indexOf(c);
    if (plain >= 0) return "\b\f\n\r\t".charAt(plain);
    if (c != 'u') return c;
    if (at + 4 >= text.length()) throw wrong();
    char code = (char) Integer.parseInt(text.substring(at + 1, at + 5), 16);
    at += 4;
    return code;
  }

  private Double number() {
    int from = at;
    while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) at++;
    if (from == at) throw wrong();
    return Double.valueOf(text.substring(from, at));
  }

  private boolean take(String word) {
    if (!text.startsWith(word, at)) return false;
    at += word.length();
    return true;
  }

  private void blanks() {
    while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) at++;
  }

  private IllegalArgumentException wrong() {
    return new IllegalArgumentException("no JSON at character " + at);
  }
}
