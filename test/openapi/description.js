// The document, as those who check answers against it need it.
import Ajv from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const methods = ["get", "put", "post", "delete", "patch"];

const mapValues = (object, change) =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));

// In the eyes of these tests a schema that says nothing of other members allows none: what an answer holds and the
// document does not is a mistake. Closed where they are used, not where they are made, schemas can still be put together.
function close(schema) {
  return typeof schema === "object" ? { unevaluatedProperties: false, ...closeWithin(schema) } : schema;
}

function closeWithin(schema) {
  const inner = { ...schema };
  for (const key of ["items", "additionalProperties"]) if (key in inner) inner[key] = close(inner[key]);
  for (const key of ["allOf", "anyOf", "oneOf"]) if (key in inner) inner[key] = inner[key].map(closeWithin);
  if ("properties" in inner) inner.properties = mapValues(inner.properties, close);
  return inner;
}

export class Description {
  #ajv = addFormats(new Ajv({ strict: false, allErrors: true }));
  #validators = new Map(); // by the schema's text

  constructor(document) {
    this.document = document;
    const schemas = mapValues(document.components.schemas, closeWithin);
    this.#ajv.addSchema({ $id: "api", components: { schemas } });
    this.operations = Object.entries(document.paths).flatMap(([path, item]) =>
      methods
        .filter((method) => method in item)
        .map((method) => new Operation(this, method.toUpperCase(), path, item[method])),
    );
  }

  operation(id) {
    return this.operations.find((each) => each.id === id);
  }

  // What a reference refers to; anything else as it is.
  resolve(value) {
    if (!value?.$ref) return value;
    return this.resolve(
      value.$ref
        .slice(2)
        .split("/")
        .reduce((at, key) => at[key], this.document),
    );
  }

  // What is wrong with a value: texts.
  faults(schema, value) {
    const text = JSON.stringify(close(schema)).replaceAll('"$ref":"#/', '"$ref":"api#/');
    if (!this.#validators.has(text)) this.#validators.set(text, this.#ajv.compile(JSON.parse(text)));
    const validate = this.#validators.get(text);
    if (validate(value)) return [];
    return validate.errors.map((e) => `${e.instancePath} ${e.message} ${JSON.stringify(e.params)}`);
  }
}

class Operation {
  constructor(api, method, path, text) {
    this.api = api;
    this.method = method;
    this.path = path;
    this.id = text.operationId;
    this.parameters = (text.parameters ?? []).map((each) => api.resolve(each));
    this.body = api.resolve(text.requestBody);
    this.responses = mapValues(text.responses, (each) => api.resolve(each));
  }

  in(place) {
    return this.parameters.filter((each) => each.in === place);
  }

  // Whether it queues a job.
  get queues() {
    return "X-Guest-Job-ID" in (this.responses[202]?.headers ?? {});
  }

  get takesKey() {
    return this.parameters.some((each) => each.name === "Idempotency-Key");
  }

  // The documented request, with other values for some parameters. Those without a value or an example are left out.
  request(values = {}) {
    const given = (place) =>
      this.in(place)
        .map((p) => [p.name, values[p.name] ?? p.example])
        .filter(([, value]) => value !== undefined);
    let target = this.path;
    for (const [name, value] of given("path")) target = target.replace(`{${name}}`, encodeURIComponent(value));
    const query = new URLSearchParams(given("query")).toString();
    const [type, media] = Object.entries(this.body?.content ?? {})[0] ?? [];
    return {
      method: this.method,
      target: query ? `${target}?${query}` : target,
      headers: Object.fromEntries(given("header")),
      body: type === "application/json" ? JSON.stringify(media.example) : media?.example,
    };
  }
}
