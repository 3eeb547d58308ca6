// The description as this page needs it: what refers to something else is followed, and examples are found.
class Api {
  constructor(text) {
    this.text = text;
    this.operations = Object.entries(text.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => new Operation(this, method.toUpperCase(), path, operation)),
    );
    const [first, ...others] = this.operations;
    const isEverywhere = (each) => others.every(({ parameters }) => parameters.includes(each));
    this.parameters = first.parameters.filter(isEverywhere);
    this.everywhere = Object.keys(first.responses).filter((status) => others.every((each) => status in each.responses));
  }

  follow(value) {
    if (!value?.$ref) return value;
    const keys = value.$ref.slice(2).split("/");
    return keys.reduce((at, key) => at[key], this.text);
  }

  // A schema with all that it refers to or is put together from in one: { properties, required, … }.
  whole(schema) {
    const { $ref, allOf = [], ...own } = schema;
    const parts = [...($ref ? [this.follow({ $ref })] : []), ...allOf].map((part) => this.whole(part));
    const all = Object.assign({}, ...parts, own);
    const merge = (a, b) => ({ ...a, ...b });
    all.required = [...new Set([...parts, own].flatMap((part) => part.required ?? []))];
    if ([...parts, own].some((part) => part.properties))
      all.properties = [...parts, own].reduce((sum, { properties = {} }) => {
        for (const [name, property] of Object.entries(properties)) sum[name] = merge(sum[name], property);
        return sum;
      }, {});
    return all;
  }

  example(schema) {
    if (!schema) return undefined;
    const { examples, type, items } = this.whole(schema);
    if (examples) return examples[0];
    const item = type === "array" ? this.example(items) : undefined;
    return item === undefined ? undefined : [item];
  }
}

class Operation {
  constructor(api, method, path, text) {
    Object.assign(this, { api, method, path, id: text.operationId, tag: text.tags[0] });
    this.summary = text.summary;
    this.description = text.description ?? "";
    this.parameters = (text.parameters ?? []).map((each) => api.follow(each));
    this.body = api.follow(text.requestBody);
    this.responses = Object.fromEntries(
      Object.entries(text.responses).map(([status, each]) => [status, api.follow(each)]),
    );
    this.shared = Object.keys(text.responses).filter(
      (status) => text.responses[status].$ref === `#/components/responses/${status}`,
    );
    this.words = JSON.stringify([method, path, text, this.parameters, this.body]).toLowerCase();
  }

  // The statuses that are not told once for all.
  get statuses() {
    return Object.keys(this.responses).filter(
      (each) => !this.shared.includes(each) || !this.api.everywhere.includes(each),
    );
  }

  // The media type of a body and what is said of it.
  media(part) {
    const [type, media] = Object.entries(part?.content ?? {})[0] ?? [];
    return { type, schema: media?.schema, example: media?.example ?? this.api.example(media?.schema) };
  }

  // The example of the request, as a line for a shell.
  curl(base) {
    const quote = (text) => (/^[\w:/.,=@%-]*$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
    const { type, example } = this.media(this.body);
    const ok = this.media(this.responses[200]).type;
    const asked = this.parameters.filter((each) => each.example !== undefined && each.example !== each.schema.default);
    let path = this.path;
    for (const { name, example: value } of asked.filter((each) => each.in === "path"))
      path = path.replace(`{${name}}`, value);
    const query = asked
      .filter((each) => each.in === "query")
      .map(({ name, example: value }) => `${name}=${encodeURIComponent(value)}`);
    const line = ["curl"];
    if (this.responses[202]) line.push("-i");
    if (ok === "text/event-stream") line.push("-N");
    if (ok === "application/octet-stream") line.push("-o", this.tag === "Snapshots" ? "snapshot.bin" : "profile");
    if (this.method !== "GET" && !(this.method === "POST" && this.body)) line.push("-X", this.method);
    line.push(quote(base + path + (query.length ? `?${query.join("&")}` : "")));
    const body = type === "application/json" ? JSON.stringify(example) : example;
    return line.join(" ") + (this.body ? ` \\\n  -d ${quote(body)}` : "");
  }
}

// JSON over as few lines as are easy to read.
function pretty(value, indent = "") {
  const flat = JSON.stringify(value, null, 1)
    ?.replace(/\n\s*/g, " ")
    .replace(/([[{]) | ([\]}])/g, "$1$2");
  if (typeof value !== "object" || value === null || flat.length + indent.length <= 58) return flat;
  const inner = `${indent}  `;
  const isList = Array.isArray(value);
  const parts = Object.entries(value).map(
    ([key, each]) => inner + (isList ? "" : `${JSON.stringify(key)}: `) + pretty(each, inner),
  );
  return `${isList ? "[" : "{"}\n${parts.join(",\n")}\n${indent}${isList ? "]" : "}"}`;
}
