/** What a pull needs once there is something to fetch, in one place to be loaded from. */
export { openStore } from "../ostree/store.ts";
export { releaseText } from "../sys/memory.ts";
export { LayerImport } from "./layer_import.ts";
export { imageLayout } from "./layout.ts";
export { planPull, requireSpace } from "./plan.ts";
export { RepositoryLayers } from "./stored_layers.ts";
