export { parse } from "./parse.ts";
export { stringify } from "./stringify.ts";
