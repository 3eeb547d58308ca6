// Checks the description of a running agent, /openapi.json: that it is valid, that its examples are, and that the agent
// keeps to it. Every documented request is sent, as it is and in several wrong ways, and every answer has to be documented.
//
// Usage: node check.js BUILD, the folder with mistify-agent and mistify-test-agent
import { Description } from "./description.js";
import { House } from "./house.js";
import { lint } from "./lint.js";
import { Visitor, inOrder } from "./visitor.js";

// What none of the visits below brings about: slow clients, faults of the agent and the like, which other tests do.
const notBroughtAbout = [408, 417, 431, 500, 503, 504, 507];

// The examples of requests, answers and schemas.
function checkExamples(visitor) {
  const { api } = visitor;
  for (const { id, body, responses } of api.operations)
    for (const part of [body, ...Object.values(responses)])
      for (const { schema, example } of [part?.content?.["application/json"]].filter((media) => media?.example))
        visitor.note(`an example of ${id}`, api.faults(schema, example));
  for (const [name, { examples = [] }] of Object.entries(api.document.components.schemas))
    for (const example of examples)
      visitor.note(`an example of ${name}`, api.faults({ $ref: `#/components/schemas/${name}` }, example));
}

async function visit(house) {
  const subAgent = await house.subAgent();
  const agent = await house.agent(subAgent);
  const text = await (await fetch(`${agent}/openapi.json`)).text();
  const visitor = new Visitor(new Description(JSON.parse(text)));
  const quick = inOrder(visitor.api.operations).filter((each) => each.id !== "getCpuProfile");
  visitor.note("the validator", await lint(text));
  checkExamples(visitor);

  await visitor.walk(agent);
  await visitor.steal(agent);
  await visitor.ask(agent, visitor.api.operation("createGuest")); // again
  for (const each of visitor.api.operations) await visitor.err(agent, each);
  await visitor.otherMethods(agent);
  const list = visitor.api.operation("listGuests");
  await visitor.expect([421], agent, list, { ...list.request(), headers: { Host: "elsewhere.example" } });

  // Agents that can do nothing, that have no sub-agents, and that are asked for too much at a time.
  const nothing = {
    actions: { create: { stages: [] } },
    services: {},
    debug: { access: "off" },
    http: { get_actions: false },
  };
  const idle = await house.agent(1, nothing);
  const alone = await house.agent(1);
  for (const each of quick) for (const one of [idle, alone]) await visitor.ask(one, each);
  const guarded = await house.agent(1, { access: {} });
  for (const each of quick) await visitor.ask(guarded, each);
  const busy = await house.agent(subAgent, {
    limits: { queue: 1, info: 1, info_waiting: 1, stream: 1, stream_waiting: 1 },
  });
  for (const each of quick) await Promise.all(Array.from({ length: 5 }, () => visitor.ask(busy, each)));
  return visitor;
}

const house = new House(process.argv[2]);
try {
  const visitor = await visit(house);
  const documented = Object.keys(visitor.api.document.components.responses).map(Number).filter(Boolean);
  const missed = documented.filter((each) => !visitor.statuses.has(each) && !notBroughtAbout.includes(each));
  visitor.note("never answered", missed);
  for (const fault of visitor.faults) console.log(fault);
  console.log(
    `${visitor.api.operations.length} operations, ${visitor.requests} requests, ${visitor.faults.length} faults`,
  );
  process.exitCode = visitor.faults.length === 0 ? 0 : 1;
} finally {
  house.close();
}
