// Walks through an agent by its description, and notes what is not as described.
import { judge, send } from "./answer.js";

// A body that is no object is not looked at.
const ignoresOthers = ["deleteGuest", "actOnGuest"];
const needsRunningJob = ["cancelJob", "reportProgress"];
const needsCluster = ["leaveCluster"];
// Values other than the examples: a guest boots from its first disk, which therefore stays.
const valuesFor = { detachDisk: { disk: "1" } };

// What makes something comes first, then what looks, changes and acts, and what removes comes last, the innermost first.
export function inOrder(operations) {
  const rank = ({ id, method, path, queues, body }) => {
    const depth = path.split("/").length;
    if (needsRunningJob.includes(id)) return 50;
    if (method === "DELETE") return 100 - depth;
    if (queues) return body?.required ? depth : 40;
    return method === "GET" ? 20 : 30;
  };
  return [...operations].sort((a, b) => rank(a) - rank(b));
}

export class Visitor {
  faults = [];
  statuses = new Set(); // that were seen
  requests = 0;

  constructor(api) {
    this.api = api;
  }

  note(where, faults) {
    this.faults.push(...faults.map((fault) => `${where}: ${fault}`));
  }

  // Any answer will do, so long as it is documented.
  async ask(agent, operation, request = operation.request()) {
    const answer = await send(agent, request);
    ++this.requests;
    this.statuses.add(answer.status);
    this.note(`${request.method} ${request.target}`, judge(this.api, operation.responses, answer));
    const name = request.headers?.["X-Request-ID"];
    if (name && answer.headers.get("x-request-id") !== name)
      this.note(operation.id, ["answers by another X-Request-ID"]);
    return answer;
  }

  async expect(statuses, agent, operation, request) {
    const answer = await this.ask(agent, operation, request);
    if (!statuses.includes(answer.status))
      this.note(operation.id, [`${answer.status} instead of ${statuses}: ${answer.text}`]);
    return answer;
  }

  // Every documented request as it is, and a second time: with its key a request gets its first answer again, and what
  // is deleted is gone.
  async walk(agent) {
    let job, token;
    for (const operation of inOrder(this.api.operations)) {
      if (needsRunningJob.includes(operation.id)) job = await this.#begin(agent);
      const request = operation.request({ job, token, "Idempotency-Key": operation.id, ...valuesFor[operation.id] });
      if (needsCluster.includes(operation.id)) {
        await this.expect([404], agent, operation, request);
        continue;
      }
      const answer = await this.expect([200, 201, 202, 204], agent, operation, request);
      if (operation.id === "createToken") token = JSON.parse(answer.text).id;
      if (operation.queues) job = await this.#follow(agent, operation, answer);
      const second = await this.expect(this.#again(operation), agent, operation, request);
      if (operation.takesKey && jobOf(second) !== job) this.note(operation.id, ["the same key made another job"]);
      if (operation.id === "createGuest") await this.#changeUnseen(agent);
    }
  }

  // What a second time may be answered; a job may have ended by then.
  #again({ id, method, takesKey }) {
    if (method === "DELETE" && !takesKey) return [404, 409];
    if (id === "createToken") return [409]; // its name is taken
    return needsRunningJob.includes(id) ? [200, 409] : [200, 202];
  }

  // Begins a job that runs for a while.
  async #begin(agent) {
    return jobOf(await this.ask(agent, this.api.operation("actOnGuest")));
  }

  // The job of an answer, once it has ended well.
  async #follow(agent, operation, answer) {
    const getJob = this.api.operation("getJob");
    const ended = await this.expect([200], agent, getJob, getJob.request({ job: jobOf(answer) }));
    const { Status, Message } = JSON.parse(ended.text);
    if (Status !== "Complete") this.note(operation.id, [`its job ended in ${Status}: ${Message}`]);
    return jobOf(answer);
  }

  // While the guest lives: a change of what it was, not of what it is.
  async #changeUnseen(agent) {
    const change = this.api.operation("patchGuest").request();
    const headers = { ...change.headers, "If-Match": '"seen long ago"' };
    await this.expect([412], agent, this.api.operation("patchGuest"), { ...change, headers });
  }

  // After a walk: a key of another request.
  async steal(agent) {
    const [first, second, ...others] = this.api.operations.filter((each) => each.takesKey);
    await this.expect([409], agent, first, first.request({ "Idempotency-Key": second.id }));
    for (const each of [second, ...others])
      await this.expect([409], agent, each, each.request({ "Idempotency-Key": first.id }));
  }

  // The documented request with something wrong in it.
  async err(agent, operation) {
    const right = operation.request();
    for (const { name } of operation.in("path"))
      for (const value of ["nothing", "a b"]) await this.ask(agent, operation, operation.request({ [name]: value }));
    for (const { name, schema } of operation.in("query"))
      if (this.api.resolve(schema).type !== "string" || schema.pattern)
        await this.expect([400], agent, operation, operation.request({ [name]: "wrong" }));
    if (operation.takesKey)
      await this.expect([400], agent, operation, operation.request({ "Idempotency-Key": "x".repeat(256) }));
    if (operation.body?.content["application/json"])
      for (const body of ignoresOthers.includes(operation.id) ? ["{"] : ["{", "[]"]) await this.expect([400], agent, operation, { ...right, body });
    if (operation.body) await this.expect([413], agent, operation, { ...right, body: "x".repeat(2 ** 20 + 1) });
    const long = (right.target.includes("?") ? "&" : "?") + "x".repeat(9000);
    await this.expect([414], agent, operation, { ...right, target: right.target + long });
  }

  // HEAD answers where GET only looks, and a method that a path does not take is refused with those that it takes.
  async otherMethods(agent) {
    const { paths, components } = this.api.document;
    for (const [path, methods] of Object.entries(paths)) {
      const request = { method: "OPTIONS", target: path.replace(/\{.*?\}/g, "nothing") };
      const refused = await this.expect([405], agent, { id: path, responses: components.responses }, request);
      const looks = methods.get && !this.api.operation(methods.get.operationId).queues;
      const takes = [...Object.keys(methods), ...(looks ? ["head"] : [])].map((each) => each.toUpperCase());
      const told = refused.headers.get("allow")?.split(", ") ?? [];
      if (told.sort().join() !== takes.sort().join()) this.note(path, [`allows ${told}, described are ${takes}`]);
    }
  }
}

const jobOf = (answer) => answer.headers.get("x-guest-job-id");
