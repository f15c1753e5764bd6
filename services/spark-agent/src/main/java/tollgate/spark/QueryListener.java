package tollgate.spark;

import java.util.Map;
import java.util.UUID;
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
        () -> tell(agent, "started", event.id(), event.runId(), "name", event.name(), "timestamp", event.timestamp()));
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
        () -> tell(agent, "idle", event.id(), event.runId(), "timestamp", event.timestamp()));
    DriverAgent.quietly(() -> agent.stop().atBoundary(event.id()));
  }

  @Override
  public void onQueryTerminated(QueryTerminatedEvent event) {
    DriverAgent agent = DriverAgent.current();
    if (agent == null) return;
    DriverAgent.quietly(
        () -> {
          Object exception = ScalaValues.unwrap(event.exception());
          Object errorClass = ScalaValues.unwrap(event.errorClassOnException());
          tell(agent, "terminated", event.id(), event.runId(),
              "exception", exception, "errorClassOnException", errorClass);
        });
    DriverAgent.quietly(() -> agent.stop().terminated(event.id()));
  }

  /** @param more names and values of what this kind of record alone has; null is left out */
  private static void tell(DriverAgent agent, String kind, UUID id, UUID runId, Object... more) {
    Map<String, Object> record =
        Json.object("kind", kind, "application", agent.application(), "id", id, "runId", runId);
    record.putAll(Json.object(more));
    agent.progress(record);
  }
}
