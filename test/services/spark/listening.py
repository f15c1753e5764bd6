"""Two streaming queries whose progress the listener for drivers without the agent sends.

Prints each progress too, as `PROGRESS <json>`. Arguments: Tollgate's address, project, file of the
token, folder of checkpoints, number of batches.
"""

import logging
import sys
import time

from pyspark.sql import SparkSession
from pyspark.sql.streaming import StreamingQueryListener
from streaming import start_queries
from tollgate_progress import TollgateProgress


class Printer(StreamingQueryListener):
    def __init__(self):
        self.batches = {}
        self.terminated = 0

    def onQueryStarted(self, event):
        pass

    def onQueryProgress(self, event):
        print("PROGRESS", event.progress.json, flush=True)
        self.batches[str(event.progress.runId)] = event.progress.batchId

    def onQueryIdle(self, event):
        pass

    def onQueryTerminated(self, event):
        self.terminated += 1


def wait_until(done):
    until = time.time() + 90
    while not done():
        if time.time() > until:
            raise RuntimeError("not reached in 90 s")
        time.sleep(0.1)


def main(url, project, token_file, folder, batches):
    logging.basicConfig(level=logging.WARNING)
    spark = SparkSession.builder.appName("orders stream").getOrCreate()
    print("APPLICATION", spark.sparkContext.applicationId, flush=True)
    listener = TollgateProgress(spark, url, project=project, token_file=token_file)
    printer = Printer()
    for one in (listener, printer):
        spark.streams.addListener(one)
    queries = start_queries(spark, folder)
    began = time.perf_counter()
    wait_until(lambda: all(printer.batches.get(str(q.runId), -1) >= batches for q in queries))
    print("SECONDS", time.perf_counter() - began, flush=True)
    for query in queries:
        query.stop()
    wait_until(lambda: printer.terminated == 2)
    print("DROPPED", listener.dropped, flush=True)
    spark.stop()


if __name__ == "__main__":
    *texts, last = sys.argv[1:]
    main(*texts, int(last))
