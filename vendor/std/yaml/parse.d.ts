export interface ParseOptions {
  schema?: "core" | "default" | "failsafe" | "json" | "extended";
  extraTypes?: ImplicitType[];
  allowDuplicateKeys?: boolean;
  onWarning?(error: Error): void;
}
/** A type of one's own, by tag; as @std/yaml has it. */
export interface ImplicitType {
  tag: string;
  kind: "mapping" | "scalar" | "sequence";
  // deno-lint-ignore no-explicit-any
  predicate?: (data: any) => boolean;
  // deno-lint-ignore no-explicit-any
  represent?: any;
  // deno-lint-ignore no-explicit-any
  resolve: (data: any) => boolean;
  // deno-lint-ignore no-explicit-any
  construct: (data: any) => any;
}
export declare function parse(content: string, options?: ParseOptions): unknown;
