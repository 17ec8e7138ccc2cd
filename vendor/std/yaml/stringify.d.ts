import type { ImplicitType } from "./parse.d.ts";
export interface StringifyOptions {
  indent?: number;
  arrayIndent?: boolean;
  skipInvalid?: boolean;
  flowLevel?: number;
  sortKeys?: boolean | ((a: string, b: string) => number);
  lineWidth?: number;
  useAnchors?: boolean;
  compatMode?: boolean;
  condenseFlow?: boolean;
  schema?: "core" | "default" | "failsafe" | "json" | "extended";
  extraTypes?: ImplicitType[];
  quoteStyle?: "'" | '"';
}
export declare function stringify(data: unknown, options?: StringifyOptions): string;
