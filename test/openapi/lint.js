// The validator: OpenAPI's own structure, and what its linter recommends.
import { createConfig, lintFromString } from "@redocly/openapi-core";

// Its advice for documents in general that does not fit this one.
const rules = {
  "no-ambiguous-paths": "off", // a fixed text wins over a capture, as OpenAPI has it and as http/api/router.hpp does
  "operation-4xx-response": "error",
  "no-invalid-media-type-examples": "error",
  "no-invalid-schema-examples": "error",
  "no-unused-components": "error",
};

export async function lint(text) {
  const config = await createConfig({ extends: ["recommended"], rules });
  const problems = await lintFromString({ source: text, absoluteRef: "openapi.json", config });
  return problems.map((p) => `${p.severity} ${p.ruleId}: ${p.message} at ${p.location[0]?.pointer}`);
}
