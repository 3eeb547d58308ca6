// How the parts of the description look.

// Texts of the description: paragraphs, and `code` in them.
function prose(text) {
  const inline = (line) => line.split("`").map((part, i) => (i % 2 ? element("code", {}, part) : part));
  return text.split("\n\n").map((paragraph) => element("p", {}, inline(paragraph)));
}

const line = (text) => prose(text ?? "").flatMap((paragraph) => [...paragraph.childNodes]);

function highlighted(json) {
  const token = /("(?:[^"\\]|\\.)*")(\s*:)?|-?\d[\d.eE+-]*|true|false|null/g;
  const parts = [];
  let end = 0;
  for (const found of json.matchAll(token)) {
    parts.push(json.slice(end, found.index));
    const kind = found[2] ? "key" : found[1] ? "string" : "number";
    parts.push(element("span", { class: kind }, found[1] ?? found[0]), found[2] ?? "");
    end = found.index + found[0].length;
  }
  return [...parts, json.slice(end)];
}

// "/guests/{guest}", with the captures set off and a place to break at each slash.
function pathOf(path) {
  return path
    .split(/(\{.*?\}|\/)/)
    .filter(Boolean)
    .map((part) => (part === "/" ? ["/", element("wbr")] : part.startsWith("{") ? element("i", {}, part) : part));
}

const method = (name) => element("b", { class: `method ${name.toLowerCase()}` }, name);

const schemaLink = (name) => element("a", { href: `#schema-${name}` }, name);

// What a value of a schema is, in a few words.
function typeOf(api, schema) {
  if (!schema) return "bytes";
  if (schema.$ref) return schemaLink(schema.$ref.split("/").pop());
  if (schema.anyOf?.every((each) => each.$ref))
    return schema.anyOf.flatMap((each, i) => [i ? " or " : "", typeOf(api, each)]);
  if (schema.enum)
    return schema.enum.flatMap((value, i) => [
      i ? " | " : "",
      element("code", {}, JSON.stringify(value).replaceAll('"', "")),
    ]);
  if ("const" in schema) return element("code", {}, schema.const);
  const types = [schema.type ?? []].flat();
  if (types[0] === "array") return ["array of ", typeOf(api, schema.items), types[1] ? " or null" : ""];
  if (types[0] === "object" && typeof schema.additionalProperties === "object" && !schema.properties)
    return ["object by name, of ", typeOf(api, schema.additionalProperties)];
  return types.join(" or ") || "any";
}

const row = (name, type, required, text) =>
  element(
    "tr",
    {},
    element(
      "th",
      { scope: "row" },
      element("code", {}, name),
      required ? element("sup", { title: "required" }, "•") : "",
    ),
    element("td", {}, element("span", { class: "type" }, type), text),
  );

// The members of an object, those of objects within it too, unless they have a name of their own.
function members(api, schema, prefix = "") {
  const { properties = {}, required } = api.whole(schema);
  return Object.entries(properties).flatMap(([name, property]) => {
    const inner = property.additionalProperties?.properties
      ? [property.additionalProperties, ".NAME."]
      : property.properties
        ? [property, "."]
        : property.items?.properties
          ? [property.items, "[]."]
          : undefined;
    const text = [line(property.description), property.readOnly ? " Set by the agent." : "", fallback(property)];
    const own = row(prefix + name, typeOf(api, property), required.includes(name), text);
    return inner ? [own, ...members(api, inner[0], prefix + name + inner[1])] : [own];
  });
}

const fallback = ({ default: value }) =>
  value === undefined ? "" : [" Default: ", element("code", {}, String(value)), "."];

const table = (title, rows) =>
  rows.length
    ? element("section", { class: "rows" }, element("h4", {}, title), element("table", {}, element("tbody", {}, rows)))
    : "";

const parameterRow = (api, { name, schema, required, description }) =>
  row(name, typeOf(api, schema), required, [line(description), fallback(schema)]);

// By their places. Those of any request are told once.
function parametersOf({ api, parameters }) {
  const own = parameters.filter((each) => !api.parameters.includes(each));
  const titles = { path: "In the path", query: "Query", header: "Headers" };
  return Object.entries(titles).map(([place, title]) => {
    const rows = own.filter((each) => each.in === place).map((each) => parameterRow(api, each));
    return table(title, rows);
  });
}

function bodyOf(operation) {
  if (!operation.body) return "";
  const { type, schema } = operation.media(operation.body);
  const title = [
    "Body: ",
    type === "application/json" ? typeOf(operation.api, schema) : type,
    operation.body.required ? "" : ", may be absent",
  ];
  return [table(title, members(operation.api, schema)) || element("h4", {}, title), line(operation.body.description)];
}

function answerRow(operation, status, label) {
  const answer = operation.responses[status];
  const type = typeOf(operation.api, operation.media(answer).schema);
  const text = [element("span", { class: "type" }, type), line(answer.description)];
  return element("tr", {}, element("th", { scope: "row" }, label), element("td", {}, text));
}

// The statuses of an operation; a click shows an example at its side. What any request may end in is told once.
function answersOf(operation, show) {
  const rows = operation.statuses.map((status) => {
    const button = element("button", { class: `status s${status[0]}`, "data-status": status }, status);
    button.addEventListener("click", () => show(status));
    return answerRow(operation, status, button);
  });
  const rest = element(
    "p",
    { class: "quiet" },
    "Also what ",
    element("a", { href: "#any-request" }, "any request"),
    " may end in.",
  );
  return [table("Answers", rows), rest];
}

function answerExample(operation, status) {
  const { api, responses } = operation;
  const { type, example } = operation.media(responses[status]);
  const headers = Object.entries(responses[status].headers ?? {}).map(
    ([name, header]) => `${name}: ${api.follow(header).example ?? "…"}\n`,
  );
  const json = type === "application/json" && example !== undefined;
  const text = json ? highlighted(pretty(example)) : (example ?? (type?.startsWith("text/") ? "…" : "(bytes)"));
  return element(
    "pre",
    { tabindex: 0 },
    element("span", { class: "head" }, `${status}\nContent-Type: ${type}\n`, headers),
    "\n",
    text,
  );
}

function copyButton(from) {
  const button = element(
    "button",
    {
      class: "copy",
      async click() {
        await copyText(from.textContent);
        button.textContent = "Copied";
        setTimeout(() => (button.textContent = "Copy"), 1500);
      },
    },
    "Copy",
  );
  return button;
}

function operationCard(operation, base) {
  const curl = element("pre", { tabindex: 0 }, operation.curl(base));
  const answer = element("div", {});
  const card = element("article", { id: operation.id });
  const show = (status) => {
    answer.replaceChildren(answerExample(operation, status));
    for (const button of card.querySelectorAll("[data-status]"))
      button.setAttribute("aria-pressed", button.dataset.status === status);
  };
  card.append(
    element("h3", {}, element("a", { class: "anchor", href: `#${operation.id}` }, operation.summary)),
    element("p", { class: "route" }, method(operation.method), element("code", {}, pathOf(operation.path))),
    element(
      "div",
      { class: "columns" },
      element(
        "div",
        {},
        prose(operation.description),
        parametersOf(operation),
        bodyOf(operation),
        answersOf(operation, show),
      ),
      element(
        "div",
        { class: "example" },
        element("div", { class: "curl" }, curl, copyButton(curl)),
        answer,
      ),
    ),
  );
  show(Object.keys(operation.responses)[0]);
  return card;
}

// What is the same for all operations.
function anyRequestCard(api) {
  const [first] = api.operations;
  const statuses = api.everywhere.map((status) =>
    answerRow(first, status, element("span", { class: `status s${status[0]}` }, status)),
  );
  const parameters = api.parameters.map((each) => parameterRow(api, each));
  return element(
    "article",
    { id: "any-request", class: "wide" },
    table("Headers", parameters),
    table("Answers", statuses),
  );
}

function schemaCard(api, name, schema) {
  const whole = api.whole(schema);
  const open = whole.additionalProperties === true ? "Other members are possible." : "";
  const rows = members(api, schema);
  const example = api.example(schema);
  return element(
    "article",
    { id: `schema-${name}` },
    element("h3", {}, element("a", { class: "anchor", href: `#schema-${name}` }, name)),
    element(
      "div",
      { class: "columns" },
      element(
        "div",
        {},
        whole.description ? prose(whole.description) : "",
        rows.length ? table("Members", rows) : element("p", { class: "type" }, typeOf(api, whole)),
        open ? element("p", { class: "quiet" }, open) : "",
      ),
      element(
        "div",
        { class: "example" },
        example === undefined ? "" : element("pre", { tabindex: 0 }, highlighted(pretty(example))),
      ),
    ),
  );
}
