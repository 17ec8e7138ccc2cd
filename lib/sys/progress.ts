/** What long work says of its own progress: values only, made below and shown by `lib/cli` or written as JSON lines. */

/** One layer of the image, in the order of its manifest. */
export interface PlannedLayer {
  /** `sha256:...` of the blob as the registry has it. */
  readonly digest: string;
  /** Of the blob as it is fetched, compressed or not. */
  readonly sizeBytes: number;
  /** It is stored here already and will not be fetched. */
  readonly present: boolean;
}

/**
 * One event of a pull and of the steps after it. `plan` comes first and once; `index` counts the plan's layers from 0, those that
 * are present included. Layers may be fetched side by side, in any order.
 */
export type ProgressEvent =
  | { readonly kind: "plan"; readonly layers: readonly PlannedLayer[] }
  | { readonly kind: "layer-start"; readonly index: number }
  /** `bytes`: fetched of this layer since its start, not since the last event; any of these events may be left out. */
  | { readonly kind: "layer-bytes"; readonly index: number; readonly bytes: number }
  | { readonly kind: "layer-done"; readonly index: number }
  /** A step that has no bytes: "merging", "deploying"; `index` counts from 0 to `total - 1`. */
  | { readonly kind: "step"; readonly name: string; readonly index: number; readonly total: number }
  /** The last step is done. */
  | { readonly kind: "step-done" };

/** Takes events; called often, so it returns at once and never throws. */
export type ReportProgress = (event: ProgressEvent) => void;
