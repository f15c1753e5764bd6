package tollgate.spark;

import java.lang.reflect.Method;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Reads Scala's values by the names of their methods. A signature with a Scala collection would bind
 * the agent to Scala 2.12 or 2.13; the names are the same in both.
 */
final class ScalaValues {
  private ScalaValues() {}

  /** Of an Option: its value, or null. Anything else as it is. */
  static Object unwrap(Object value) {
    if (value == null) return null;
    if (!isOption(value.getClass())) return value;
    return Boolean.TRUE.equals(call(value, "isDefined")) ? call(value, "get") : null;
  }

  static String text(Object option) {
    Object value = unwrap(option);
    return value == null ? "" : value.toString();
  }

  /** Of a Map, or an Option of one; keys as text, values as they are. Empty for anything else. */
  static Map<String, Object> map(Object scalaMap) {
    Map<String, Object> entries = new LinkedHashMap<>();
    Object map = unwrap(scalaMap);
    if (map == null) return entries;
    Object iterator = call(map, "iterator");
    while (Boolean.TRUE.equals(call(iterator, "hasNext"))) {
      Object pair = call(iterator, "next");
      entries.put(String.valueOf(call(pair, "_1")), call(pair, "_2"));
    }
    return entries;
  }

  /** Calls a public method without arguments; null where there is none or it fails. */
  static Object call(Object target, String name) {
    if (target == null) return null;
    try {
      Method method = target.getClass().getMethod(name);
      method.setAccessible(true);
      return method.invoke(target);
    } catch (ReflectiveOperationException | RuntimeException missing) {
      return viaInterface(target, name);
    }
  }

  /** Where the class itself is closed to us, one of its interfaces or ancestors is public. */
  private static Object viaInterface(Object target, String name) {
    for (Class<?> type = target.getClass(); type != null; type = type.getSuperclass()) {
      for (Class<?> face : type.getInterfaces()) {
        try {
          return face.getMethod(name).invoke(target);
        } catch (ReflectiveOperationException | RuntimeException next) {
          continue;
        }
      }
    }
    return null;
  }

  private static boolean isOption(Class<?> type) {
    for (Class<?> one = type; one != null; one = one.getSuperclass()) {
      if (one.getName().equals("scala.Option")) return true;
    }
    return false;
  }
}
