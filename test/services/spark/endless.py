"""Two streaming queries without an end of their own; each batch's side effect is a line in a file.

Arguments: folder of checkpoints, file of side effects, and how many seconds a batch lasts after its
side effect (default 0). Ends with 0 once its queries were stopped by somebody else.
"""

import sys
import time

from pyspark.sql import SparkSession


def start_query(spark, name, checkpoints, effects, seconds):
    """`effects` gets `<query> <batch> <first value> <rows>`, before the batch is committed."""

    def write(frame, batch):
        values = [row.value for row in frame.collect()]
        with open(effects, "a", encoding="utf-8") as file:
            file.write(f"{name} {batch} {min(values, default=-1)} {len(values)}\n")
        time.sleep(seconds)

    pages = spark.readStream.format("rate-micro-batch").option("rowsPerBatch", 10).load()
    return (
        pages.writeStream.queryName(name)
        .foreachBatch(write)
        .option("checkpointLocation", f"{checkpoints}/{name}")
        .trigger(processingTime="1 second")
        .start()
    )


def main(checkpoints, effects, seconds="0"):
    spark = SparkSession.builder.appName("endless").getOrCreate()
    print("APPLICATION", spark.sparkContext.applicationId, flush=True)
    queries = [
        start_query(spark, name, checkpoints, effects, float(seconds)) for name in ("left", "right")
    ]
    for query in queries:
        query.awaitTermination()
    print("ENDED", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
