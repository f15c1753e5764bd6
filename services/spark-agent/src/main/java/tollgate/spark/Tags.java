package tollgate.spark;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Tags of an application: YARN's, Kubernetes' driver labels, Databricks' cluster tags, and its own
 * `spark.tollgate.tag.*`, which win over the others; as the collector reads them from event logs.
 */
final class Tags {
  private static final int MAX_TAGS = 64;
  private static final int MAX_KEY = 128;
  private static final int MAX_VALUE = 256;

  private Tags() {}

  static Map<String, String> of(Map<String, String> configuration) {
    Map<String, String> tags = new LinkedHashMap<>();
    for (String word : configuration.getOrDefault("spark.yarn.tags", "").split(",")) {
      String[] parts = word.split("[:=]", 2);
      if (parts.length == 2) put(tags, parts[0], parts[1]);
    }
    prefixed(tags, configuration, "spark.kubernetes.driver.label.");
    databricks(tags, configuration.get("spark.databricks.clusterUsageTags.clusterAllTags"));
    prefixed(tags, configuration, "spark.tollgate.tag.");
    return tags;
  }

  private static void prefixed(
      Map<String, String> tags, Map<String, String> configuration, String prefix) {
    for (Map.Entry<String, String> entry : configuration.entrySet()) {
      String key = entry.getKey();
      if (key.startsWith(prefix)) put(tags, key.substring(prefix.length()), entry.getValue());
    }
  }

  /** `[{"key":"Vendor","value":"Databricks"},…]`; cut short or redacted it gives no tags. */
  private static void databricks(Map<String, String> tags, String text) {
    if (text == null) return;
    try {
      Object list = Json.parse(text);
      if (!(list instanceof List)) return;
      for (Object one : (List<?>) list) {
        if (!(one instanceof Map)) continue;
        Object key = ((Map<?, ?>) one).get("key");
        Object value = ((Map<?, ?>) one).get("value");
        if (key instanceof String && value instanceof String) put(tags, (String) key, (String) value);
      }
    } catch (IllegalArgumentException unreadable) {
      return;
    }
  }

  private static void put(Map<String, String> tags, String key, String value) {
    String name = cut(key.trim(), MAX_KEY);
    if (name.isEmpty() || name.equals("__proto__")) return;
    if (tags.size() < MAX_TAGS || tags.containsKey(name)) tags.put(name, cut(value.trim(), MAX_VALUE));
  }

  static String cut(String text, int max) {
    return text.length() <= max ? text : text.substring(0, max);
  }
}
