// Sends requests, and judges what comes back by the description.

// The answer, whole; of a stream without an end what it says first.
export async function send(agent, { method, target, headers, body }) {
  const leave = new AbortController();
  const answer = await fetch(agent + target, { method, headers, body, signal: leave.signal });
  const type = answer.headers.get("content-type");
  const whole = { status: answer.status, headers: answer.headers, type };
  if (!type?.startsWith("text/event-stream")) return { ...whole, text: await answer.text() };
  const { value } = await answer.body.getReader().read();
  leave.abort();
  return { ...whole, text: new TextDecoder().decode(value) };
}

// Headers of HTTP itself, which any answer may have.
const standard = new Set([
  "date",
  "content-type",
  "content-length",
  "content-encoding",
  "transfer-encoding",
  "vary",
  "connection",
  "keep-alive",
  "cache-control",
  "content-security-policy",
]);

function headerFaults(api, documented, headers) {
  const faults = [];
  const names = new Set(Object.keys(documented).map((name) => name.toLowerCase()));
  for (const [name, reference] of Object.entries(documented)) {
    const { required, schema } = api.resolve(reference);
    const value = headers.get(name);
    if (value !== null) faults.push(...api.faults(schema, schema.type === "integer" ? Number(value) : value));
    else if (required) faults.push(`the header ${name} is missing`);
  }
  for (const [name] of headers)
    if (!standard.has(name) && !names.has(name)) faults.push(`the header ${name} is not documented`);
  return faults;
}

function bodyFaults(api, documented, { status, type, text }) {
  if (text === "" && type === null) return []; // nothing is of no type
  const media = documented[type];
  if (!media) return [`the type ${type} is not documented for ${status}`];
  if (type !== "application/json") return [];
  const value = JSON.parse(text);
  const faults = api.faults(media.schema, value).map((fault) => `${status} ${fault}: ${text.slice(0, 300)}`);
  if (status >= 400 && value.code !== status) faults.push(`code is ${value.code} in a ${status}`);
  return faults;
}

// What is wrong with an answer: a status, header, type or member that is not documented, or not so.
export function judge(api, responses, answer) {
  const documented = responses[answer.status] ?? responses.default;
  if (!documented) return [`the status ${answer.status} is not documented: ${answer.text.slice(0, 300)}`];
  return [
    ...headerFaults(api, documented.headers ?? {}, answer.headers),
    ...bodyFaults(api, documented.content ?? {}, answer),
  ];
}
