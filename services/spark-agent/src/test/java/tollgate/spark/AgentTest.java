package tollgate.spark;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/** Runs every method that is called `test…`: `java -cp … tollgate.spark.AgentTest`. */
public final class AgentTest {
  private AgentTest() {}

  public static void main(String[] arguments) throws Exception {
    int failed = 0;
    for (Object suite : new Object[] {new ValuesTest(), new ContainerFactsTest(), new SenderTest(), new KafkaDoorTest()}) {
      Method[] methods = suite.getClass().getDeclaredMethods();
      Arrays.sort(methods, (a, b) -> a.getName().compareTo(b.getName()));
      for (Method method : methods) {
        if (!method.getName().startsWith("test")) continue;
        String name = suite.getClass().getSimpleName() + "." + method.getName();
        try {
          method.invoke(suite);
          System.out.println("ok " + name);
        } catch (InvocationTargetException failure) {
          failed++;
          System.out.println("FAILED " + name);
          failure.getCause().printStackTrace(System.out);
        }
      }
    }
    System.exit(failed == 0 ? 0 : 1);
  }

  static void same(Object actual, Object expected) {
    if (!Objects.equals(actual, expected)) {
      throw new AssertionError("\n  got      " + actual + "\n  expected " + expected);
    }
  }

  static void isTrue(boolean condition, String what) {
    if (!condition) throw new AssertionError(what);
  }

  static Map<String, String> conf(String... pairs) {
    Map<String, String> conf = new LinkedHashMap<>();
    for (int i = 0; i < pairs.length; i += 2) conf.put(pairs[i], pairs[i + 1]);
    return conf;
  }
}
