package tollgate.spark;

import org.apache.spark.api.plugin.DriverPlugin;
import org.apache.spark.api.plugin.ExecutorPlugin;
import org.apache.spark.api.plugin.SparkPlugin;

/**
 * What `spark.plugins=tollgate.spark.TollgatePlugin` loads. Executors run nothing of it: the driver
 * knows all that is told. Made for Spark's DriverPlugin, since its `init` comes before the first
 * container is asked for, so that a denied application costs nothing.
 */
public final class TollgatePlugin implements SparkPlugin {
  @Override
  public DriverPlugin driverPlugin() {
    return new DriverAgent();
  }

  @Override
  public ExecutorPlugin executorPlugin() {
    return null;
  }
}
