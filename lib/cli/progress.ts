/** Progress as values: events go into a state, and a state becomes lines. Nothing here writes, waits or knows the time. */
import { unicodeWidth } from "@std/cli/unicode-width";
import { formatSize } from "../oci/size.ts";
import type { ProgressEvent } from "../sys/progress.ts";
import { printable } from "./printable.ts";

/** One layer that is fetched; those that are present already are in no state. */
export interface LayerState {
  /** Among the layers that are fetched, from 1. */
  readonly number: number;
  readonly digest: string;
  readonly sizeBytes: number;
  fetchedBytes: number;
  phase: "waiting" | "active" | "done";
}

/** What is known of a pull and of the steps after it. */
export interface ProgressState {
  /** By index in the plan; undefined where the layer is present. */
  readonly layers: (LayerState | undefined)[];
  step: { readonly name: string; readonly index: number; readonly total: number } | undefined;
  /** Bytes of all layers at some moments of the last seconds, oldest first: what the rate is taken from. */
  readonly samples: { readonly ms: number; readonly bytes: number }[];
}

/** How a state is drawn. */
export interface RenderOptions {
  /** No line is wider. */
  readonly columns: number;
  /** The time now, of the same clock as the events'. */
  readonly nowMs: number;
}

const RATE_WINDOW_MS = 10_000;
const SAMPLE_EVERY_MS = 500;
/** Layers that are fetched side by side beyond these have no bar of their own. */
const MOST_BARS = 8;
const NARROWEST_BAR = 8;

/** Nothing planned, nothing done. */
export function startState(): ProgressState {
  return { layers: [], step: undefined, samples: [] };
}

/** Takes an event into the state; one that names a layer outside the plan changes nothing. */
export function advance(state: ProgressState, event: ProgressEvent, nowMs: number): void {
  if (event.kind === "plan") {
    let number = 0;
    state.layers.push(...event.layers.map(({ digest, sizeBytes, present }) => {
      if (present) return undefined;
      return { number: ++number, digest, sizeBytes, fetchedBytes: 0, phase: "waiting" as const };
    }));
  } else if (event.kind === "step") {
    state.step = { name: event.name, index: event.index, total: event.total };
  } else if (event.kind === "step-done") {
    state.step = undefined;
  } else {
    const layer = state.layers[event.index];
    if (!layer) return;
    layer.phase = event.kind === "layer-done" ? "done" : "active";
    if (event.kind === "layer-done") layer.fetchedBytes = layer.sizeBytes;
    if (event.kind === "layer-bytes") layer.fetchedBytes = Math.min(event.bytes, layer.sizeBytes);
    sample(state, nowMs);
  }
}

function fetchedLayers(state: ProgressState): LayerState[] {
  return state.layers.filter((layer) => layer !== undefined);
}

function sample(state: ProgressState, nowMs: number): void {
  const { samples } = state;
  if (samples.length > 0 && nowMs - samples.at(-1)!.ms < SAMPLE_EVERY_MS) return;
  samples.push({ ms: nowMs, bytes: sum(fetchedLayers(state), "fetchedBytes") });
  while (samples.length > 2 && nowMs - samples[0]!.ms > RATE_WINDOW_MS) samples.shift();
}

function sum(layers: readonly LayerState[], key: "fetchedBytes" | "sizeBytes"): number {
  return layers.reduce((total, layer) => total + layer[key], 0);
}

/** Bytes a second over the last ten seconds; undefined until there is something to measure. */
function rateOf(state: ProgressState, bytes: number, nowMs: number): number | undefined {
  const oldest = state.samples[0];
  if (!oldest || nowMs - oldest.ms < SAMPLE_EVERY_MS || bytes <= oldest.bytes) return undefined;
  return (bytes - oldest.bytes) * 1000 / (nowMs - oldest.ms);
}

/** The lines for a terminal: a bar for each layer on its way, one for all of them, or the step that runs. */
export function render(state: ProgressState, { columns, nowMs }: RenderOptions): string[] {
  const lines: string[] = [];
  const layers = fetchedLayers(state);
  if (layers.some(({ phase }) => phase !== "done") && layers.some(({ phase }) => phase !== "waiting")) {
    const active = layers.filter(({ phase }) => phase === "active").slice(0, MOST_BARS);
    lines.push(
      ...active.map((layer) => layerLine(layer, layers.length, columns)),
      totalLine(state, { columns, nowMs }),
    );
  }
  if (state.step) lines.push(cut(stepLine(state.step), columns));
  return lines;
}

function layerLine({ number, digest, sizeBytes, fetchedBytes }: LayerState, count: number, columns: number): string {
  const place = `${String(number).padStart(String(count).length)}/${count}`;
  const sizes = sizePair(fetchedBytes, sizeBytes);
  const part = ratio(fetchedBytes, sizeBytes);
  const ways = {
    barred: [[`${place} ${shortDigest(digest)}`, sizes], [place, sizes]],
    bare: [[place, sizes]],
  } as const;
  return barLine(ways, part, columns);
}

function totalLine(state: ProgressState, { columns, nowMs }: RenderOptions): string {
  const layers = fetchedLayers(state);
  const [bytes, total] = [sum(layers, "fetchedBytes"), sum(layers, "sizeBytes")];
  const rate = rateOf(state, bytes, nowMs);
  const done = layers.filter(({ phase }) => phase === "done").length;
  const title = `Total ${done}/${layers.length}`;
  const sizes = sizePair(bytes, total);
  const left = rate === undefined ? [] : [`${duration((total - bytes) / rate)} left`];
  const speed = rate === undefined ? [] : [`${formatSize(Math.round(rate))}/s`];
  const way = (more: readonly string[]): Way => [title, [sizes, ...more].join("  ")];
  const [full, brief] = [way([...speed, ...left]), way(left)];
  return barLine({ barred: [full, brief], bare: [full, brief, way([])] }, ratio(bytes, total), columns);
}

/** The texts at both ends of a line. */
type Way = readonly [left: string, right: string];

/** The first way that has room for a bar between its ends; else the first that fits without one; else the last, cut. */
function barLine(
  { barred, bare }: { barred: readonly Way[]; bare: readonly Way[] },
  part: number,
  columns: number,
): string {
  for (const [left, right] of barred) {
    const width = columns - unicodeWidth(left) - unicodeWidth(right) - " [] ".length;
    if (width < NARROWEST_BAR) continue;
    const full = Math.floor(part * width);
    return `${left} [${"#".repeat(full)}${".".repeat(width - full)}] ${right}`;
  }
  for (const [left, right] of bare) {
    const gap = columns - unicodeWidth(left) - unicodeWidth(right);
    if (gap >= 1) return left + " ".repeat(gap) + right;
  }
  return cut(bare.at(-1)!.join(" "), columns);
}

function cut(text: string, columns: number): string {
  if (unicodeWidth(text) <= columns) return text;
  let short = "";
  for (const character of text) {
    if (unicodeWidth(short + character) > columns - 1) break;
    short += character;
  }
  return `${short}…`;
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 1 : part / whole;
}

/** `12.3 MB/40.0 MB`, the first as wide as the second at least, so that the bar stands still. */
function sizePair(part: number, whole: number): string {
  const all = formatSize(whole);
  return `${formatSize(part).padStart(all.length)}/${all}`;
}

/** `0:08`, `12:34`, `1:02:03`. */
function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const tail = String(rest).padStart(2, "0");
  return hours === 0 ? `${minutes}:${tail}` : `${hours}:${String(minutes).padStart(2, "0")}:${tail}`;
}

/** `sha256:0123456789ab…` */
function shortDigest(digest: string): string {
  const shown = "sha256:".length + 12;
  const text = printable(digest);
  return text.length > shown ? `${text.slice(0, shown)}…` : text;
}

function stepLine({ name, index, total }: NonNullable<ProgressState["step"]>): string {
  return `Step ${index + 1}/${total}: ${printable(name)}`;
}

/** The line that an event is worth where nothing can be redrawn, or undefined; the state is the one after the event. */
export function lineOf(state: ProgressState, event: ProgressEvent): string | undefined {
  if (event.kind === "step" && state.step) return stepLine(state.step);
  const layer = event.kind === "layer-start" ? state.layers[event.index] : undefined;
  if (!layer) return undefined;
  const count = fetchedLayers(state).length;
  return `Fetching layer ${layer.number}/${count} ${shortDigest(layer.digest)} ${formatSize(layer.sizeBytes)}`;
}
