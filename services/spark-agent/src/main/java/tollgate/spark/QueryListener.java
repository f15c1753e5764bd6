package tollgate.spark;

import org.apache.spark.sql.streaming.StreamingQueryListener;

/**
 * Sends what streaming queries report, as Spark itself writes it. Spark makes one for each session
 * and calls it in the thread of that session's streaming events.
 */
public final class QueryListener extends StreamingQueryListener {
  private static final long serialVersionUID = 1L;

  @Override
  public void onQueryStarted(QueryStartedEvent event) {
    DriverAgent agent = DriverAgent.current();
    if (agent == null) return;
    DriverAgent.quietly(
        () ->
            agent.progress(
                Json.object(
                    "kind", "started",
                    "application", agent.application(),
                    "id", event.id(),
                    "runId", event.runId(),
                    "name", event.name(),
                    "timestamp", event.timestamp())));
    DriverAgent.quietly(() -> agent.stop().started(event.id()));
  }

  @Override
  public void onQueryProgress(QueryProgressEvent event) {
    DriverAgent agent = DriverAgent.current();
    if (agent == null) return;
    DriverAgent.quietly(() -> agent.progress(event.progress().json()));
    DriverAgent.quietly(() -> agent.stop().atBoundary(event.progress().id()));
  }

  @Override
  public void onQueryIdle(QueryIdleEvent event) {
    DriverAgent agent = DriverAgent.current();
    if (agent == null) return;
    DriverAgent.quietly(
        () ->
            agent.progress(
                Json.object(
                    "kind", "idle",
                    "application", agent.application(),
                    "id", event.id(),
                    "runId", event.runId(),
                    "timestamp", event.timestamp())));
    DriverAgent.quietly(() -> agent.stop().atBoundary(event.id()));
  }

  @Override
  public void onQueryTerminated(QueryTerminatedEvent event) {
    DriverAgent agent = DriverAgent.current();
    if (agent == null) return;
    DriverAgent.quietly(
        () ->
            agent.progress(
                Json.object(
                    "kind", "terminated",
                    "application", agent.application(),
                    "id", event.id(),
                    "runId", event.runId(),
                    "exception", ScalaValues.unwrap(event.exception()),
                    "errorClassOnException", ScalaValues.unwrap(event.errorClassOnException()))));
    DriverAgent.quietly(() -> agent.stop().terminated(event.id()));
  }
}
