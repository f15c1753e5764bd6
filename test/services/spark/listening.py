"""Two streaming queries whose progress listeners for drivers without the agent send.

Prints each progress too, as `PROGRESS <json>`, and how long its batches and its end took. Arguments: project, folder of checkpoints, number of
batches after which it may end, a file whose existence lets it end, and for each listener Tollgate's
address and the file of its token.
"""

import logging
import os
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
    until = time.time() + 180
    while not done():
        if time.time() > until:
            raise RuntimeError("not reached in 180 s")
        time.sleep(0.1)


def main(project, folder, batches, may_end, *listeners):
    logging.basicConfig(level=logging.WARNING)
    spark = SparkSession.builder.appName("orders stream").getOrCreate()
    print("APPLICATION", spark.sparkContext.applicationId, flush=True)
    senders = [
        TollgateProgress(spark, url, project=project, token_file=token_file)
        for url, token_file in zip(listeners[::2], listeners[1::2])
    ]
    printer = Printer()
    for one in (*senders, printer):
        spark.streams.addListener(one)
    queries = start_queries(spark, folder)
    began = time.perf_counter()
    wait_until(lambda: all(printer.batches.get(str(q.runId), -1) >= int(batches) for q in queries))
    print("SECONDS", time.perf_counter() - began, flush=True)
    wait_until(lambda: os.path.exists(may_end))
    ending = time.perf_counter()
    for query in queries:
        query.stop()
    stopped = time.perf_counter() - ending
    # Events that Python hasn't heard yet, of all batches that ran meanwhile, are no part of the end.
    wait_until(lambda: printer.terminated == 2)
    print("DROPPED", *[sender.dropped for sender in senders], flush=True)
    ending = time.perf_counter()
    spark.stop()
    print("ENDED", stopped + time.perf_counter() - ending, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
