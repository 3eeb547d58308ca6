// Sends requests, and judges what comes back by the description.
import { once } from "node:events";
import http from "node:http";

// The answer, whole; of a stream without an end what it says first. Not by fetch, which sends what browsers send
// (Sec-Fetch-Mode), and no Host of one's own.
export async function send(agent, { method, target, headers, body }) {
  // Node frames no body of a DELETE by itself.
  const length = body === undefined ? {} : { "Content-Length": Buffer.byteLength(body) };
  const sent = http.request(agent + target, { method, headers: { ...length, ...headers } });
  sent.end(body);
  const [answer] = await once(sent, "response");
  const all = new Headers(Object.entries(answer.headersDistinct).map(([name, values]) => [name, values.join(", ")]));
  const type = all.get("content-type");
  const pieces = [];
  for await (const piece of answer) {
    pieces.push(piece);
    if (type?.startsWith("text/event-stream")) break;
  }
  return { status: answer.statusCode, headers: all, type, text: Buffer.concat(pieces).toString() };
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
  "cross-origin-resource-policy",
  "x-content-type-options",
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
