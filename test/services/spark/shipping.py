"""Lines that are hard to carry, in the driver's log and in those of two executors."""

from batch import fail, wait_for_executors
from pyspark.sql import SparkSession


def main():
    spark = SparkSession.builder.appName("shipping").getOrCreate()
    context = spark.sparkContext
    print("APPLICATION", context.applicationId, flush=True)
    wait_for_executors(context, 2)
    jvm = context._jvm
    log = jvm.org.slf4j.LoggerFactory.getLogger("shop.Orders")
    log.warn('a "quoted" word, a \\ and\ta tab, müßig 注文 🚚')
    log.info("several\nlines\n\tof one event")
    inner = jvm.java.lang.IllegalStateException("inner\nin two lines")
    log.error("it failed", jvm.java.lang.RuntimeException('outer "x"', inner))
    log.info("a long line of " + "0123456789" * 10_000)
    fail(context)
    print("COUNT", context.parallelize(range(100), 8).count())
    spark.stop()


if __name__ == "__main__":
    main()
