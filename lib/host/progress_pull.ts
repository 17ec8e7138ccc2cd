/** The pull's own events as the JSON lines of `--progress-fd`. Source: formats.md 3.12. */
import type { PlannedLayer, ProgressEvent, ReportProgress } from "../sys/progress.ts";
import type { BytesEvent, ProgressSink } from "./progress_json.ts";

interface Layer extends PlannedLayer {
  fetchedBytes: number;
  phase: "waiting" | "active" | "done";
}

/** A digest as a reader of progress sees it: enough to tell layers apart. */
const SHORT_DIGEST_LENGTH = "sha256:".length + 12;

/**
 * Takes the events of a pull and writes states of task `pulling`; what comes after the layers is left to `stagingEvent()`.
 * @param image the reference that is pulled, the `id` of each line
 */
export function reportPull(sink: ProgressSink, image: string): ReportProgress {
  const layers: Layer[] = [];
  return (event) => {
    if (!advance(layers, event)) return;
    const state = pullingEvent(layers, image);
    if (event.kind === "plan" || state.steps === state.stepsTotal) sink.send(state);
    else sink.sendLossy(state);
  };
}

/** False for events that say nothing of layers. */
function advance(layers: Layer[], event: ProgressEvent): boolean {
  if (event.kind === "plan") {
    layers.push(...event.layers.map((layer) => ({ ...layer, fetchedBytes: 0, phase: "waiting" as const })));
    return true;
  }
  if (event.kind === "step" || event.kind === "step-done") return false;
  const layer = layers[event.index];
  if (layer === undefined || layer.present) return false;
  layer.phase = event.kind === "layer-done" ? "done" : "active";
  if (event.kind === "layer-bytes") layer.fetchedBytes = Math.min(event.bytes, layer.sizeBytes);
  if (event.kind === "layer-done") layer.fetchedBytes = layer.sizeBytes;
  return true;
}

/** Totals of all layers; only those under way are listed one by one. */
function pullingEvent(layers: readonly Layer[], image: string): BytesEvent {
  const present = layers.filter((layer) => layer.present);
  const missing = layers.filter((layer) => !layer.present);
  return {
    type: "ProgressBytes",
    task: "pulling",
    description: `Pulling Image: ${image}`,
    id: image,
    bytesCached: sum(present, "sizeBytes"),
    bytes: sum(missing, "fetchedBytes"),
    bytesTotal: sum(missing, "sizeBytes"),
    stepsCached: present.length,
    steps: missing.filter(({ phase }) => phase === "done").length,
    stepsTotal: missing.length,
    subtasks: missing.filter(({ phase }) => phase === "active").map((layer) => ({
      subtask: "layer",
      description: `Layer ${layer.digest.slice(0, SHORT_DIGEST_LENGTH)}`,
      id: layer.digest,
      bytesCached: 0,
      bytes: layer.fetchedBytes,
      bytesTotal: layer.sizeBytes,
    })),
  };
}

function sum(layers: readonly Layer[], key: "sizeBytes" | "fetchedBytes"): number {
  return layers.reduce((total, layer) => total + layer[key], 0);
}
