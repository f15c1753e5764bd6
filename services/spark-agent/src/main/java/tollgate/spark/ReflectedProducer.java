package tollgate.spark;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Future;

/**
 * Kafka's producer as the application has it on its class path, in whatever version: spark-sql-kafka
 * brings one. Its classes are known by name only, so that the agent loads without them.
 */
final class ReflectedProducer implements KafkaDoor.Producer {
  private static final String CLIENTS = "org.apache.kafka.clients.producer.";
  private static final String SERIALIZATION = "org.apache.kafka.common.serialization.";

  private final Object producer;
  private final Constructor<?> record;
  private final Method send;
  private final Method close;

  private ReflectedProducer(ClassLoader loader, Map<String, Object> properties)
      throws ReflectiveOperationException {
    Class<?> type = Class.forName(CLIENTS + "KafkaProducer", true, loader);
    Class<?> serializer = Class.forName(SERIALIZATION + "Serializer", true, loader);
    Class<?> recordType = Class.forName(CLIENTS + "ProducerRecord", true, loader);
    Class<?> bytes = Class.forName(SERIALIZATION + "ByteArraySerializer", true, loader);
    record = recordType.getConstructor(String.class, Object.class, Object.class);
    send = type.getMethod("send", recordType);
    close = type.getMethod("close", Duration.class);
    Object one = bytes.getConstructor().newInstance();
    producer = type.getConstructor(Map.class, serializer, serializer).newInstance(properties, one, one);
  }

  /** The loader that knows Kafka's client; null where none does. */
  static ClassLoader loader() {
    ClassLoader[] candidates = {
      Thread.currentThread().getContextClassLoader(), ReflectedProducer.class.getClassLoader()
    };
    for (ClassLoader candidate : candidates) {
      try {
        Class.forName(CLIENTS + "KafkaProducer", false, candidate);
        return candidate;
      } catch (ClassNotFoundException | LinkageError next) {
        continue;
      }
    }
    return null;
  }

  /** The client itself looks for classes, such as login modules, with the thread's loader. */
  static KafkaDoor.Producer open(ClassLoader loader, Map<String, Object> properties)
      throws ReflectiveOperationException {
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    thread.setContextClassLoader(loader);
    try {
      return new ReflectedProducer(loader, properties);
    } finally {
      thread.setContextClassLoader(before);
    }
  }

  @Override
  public Future<?> send(String topic, byte[] key, byte[] value) throws ReflectiveOperationException {
    return (Future<?>) send.invoke(producer, record.newInstance(topic, key, value));
  }

  @Override
  public void close() throws ReflectiveOperationException {
    try {
      close.invoke(producer, Duration.ZERO);
    } catch (InvocationTargetException failed) {
      if (failed.getCause() instanceof InterruptedException) Thread.currentThread().interrupt();
    }
  }
}
