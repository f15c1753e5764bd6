import type { RestIngest } from '../../../shared/contracts/rest.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';

/** A body that came by HTTP, decompressed, its size already limited. */
export interface IngestRequest {
  /** Newline-delimited JSON in UTF-8, or UTF-16 behind its mark. */
  readonly body: Uint8Array;
  /** Project of records that name none; undefined without the header. */
  readonly project: ProjectId | undefined;
  readonly cluster: string;
  /** The only projects that the sender may name, `project` among them; undefined for all. */
  readonly onlyProjects?: readonly ProjectId[] | undefined;
  readonly receivedAt: Instant;
}

/** The door of a collector for pushed records. Resolves after storing; throws OVERLOADED when full. */
export interface IngestHandler {
  ingest(request: IngestRequest): Promise<RestIngest>;
}
