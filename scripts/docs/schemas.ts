/** JSON schemas (draft 7) of what the program prints, from the types that its code uses. */
import { createGenerator, type Schema } from "ts-json-schema-generator";
import { projectDirectory } from "../script.ts";

/** A type, and how its schema is called. */
interface SchemaSource {
  readonly file: string;
  readonly type: string;
  readonly title: string;
}

const HOST: SchemaSource = {
  file: "lib/host/spec.ts",
  type: "Host",
  title: "The status document of bootc, org.containers.bootc/v1",
};

const PROGRESS: SchemaSource = {
  file: "lib/host/progress_json.ts",
  type: "ProgressEvent",
  title: "One line of the progress of bootc, version 0",
};

/** The schema of the status document as `bootc status` prints it. */
export function hostSchema(): Schema {
  const schema = schemaOf(HOST);
  const status = schema.definitions?.["HostStatus"];
  const others = typeof status === "object" ? status.properties?.["otherDeployments"] : undefined;
  if (typeof status !== "object" || typeof others !== "object") {
    throw new TypeError("The status document has no other deployments: see what became of the type");
  }
  // The type always has the list; what is printed has it only with something in it (document_json.ts).
  status.required = status.required!.filter((key) => key !== "otherDeployments");
  others.minItems = 1;
  return schema;
}

/** The schema of one line of progress. */
export function progressSchema(): Schema {
  return schemaOf(PROGRESS);
}

function schemaOf({ file, type, title }: SchemaSource): Schema {
  const generator = createGenerator({
    path: `${projectDirectory}/${file}`,
    type,
    additionalProperties: true,
    topRef: false,
    sortProps: false,
    skipTypeCheck: true, // `deno check` does that
  });
  const { $schema, ...schema } = generator.createSchema(type);
  for (const inner of Object.values(schema.definitions ?? {})) countInWholeNumbers(inner);
  return { ...($schema === undefined ? {} : { $schema }), title, ...schema };
}

/** TypeScript has one type for all numbers; both formats have none but counts. */
function countInWholeNumbers(schema: unknown): void {
  if (typeof schema !== "object" || schema === null) return;
  const { type } = schema as Schema;
  if (type === "number") Object.assign(schema, { type: "integer", minimum: 0 });
  for (const inner of Object.values(schema)) countInWholeNumbers(inner);
}
