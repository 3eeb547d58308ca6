// Drives a running agent by the client that was generated from its description: what does not fit the types does not
// compile, and what the agent answers is looked at. Usage: node drive.js URL
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

declare const process: { argv: string[]; exitCode: number };

const agent = createClient<paths>({ baseUrl: process.argv[2]! });

function expect(what: string, ok: boolean): asserts ok {
  if (!ok) throw new Error(`not so: ${what}`);
}

async function ended(id: string): Promise<components["schemas"]["Job"]> {
  for (let tries = 0; tries < 50; ++tries) {
    const { data } = await agent.GET("/jobs/{job}", { params: { path: { job: id }, query: { wait: "2s" } } });
    expect("the job is there", data !== undefined);
    if (data.Status === "Complete" || data.Status === "Error") return data;
  }
  throw new Error("the job does not end");
}

// The job of an answer that queued one.
function jobOf(response: Response): string {
  const id = response.headers.get("X-Guest-Job-ID");
  expect("the answer names its job", id !== null);
  return id;
}

const made = await agent.POST("/guests", { body: { memory: 512, cpu: 1, disks: [{ size: 1024 }], nics: [{ network: "lan" }] } });
expect("the guest is accepted", made.response.status === 202 && made.data !== undefined);
const guest = made.data.id!;
expect("the create completes", (await ended(jobOf(made.response))).Status === "Complete");

const list = await agent.GET("/guests");
expect("the guest is listed", list.data!.some((one) => one.id === guest));
const rebooted = await agent.POST("/guests/{guest}/{action}", { params: { path: { guest, action: "reboot" } } });
expect("the reboot completes", (await ended(jobOf(rebooted.response))).Status === "Complete");
const cpus = await agent.GET("/guests/{guest}/metrics/cpu", { params: { path: { guest } } });
expect("the metrics are numbers", typeof cpus.data![0]!.cpu_time === "number");
const taken = await agent.POST("/guests/{guest}/snapshots", { params: { path: { guest } }, body: { dest: "now" } });
expect("the snapshot completes", (await ended(taken.data!.ID)).Status === "Complete");
const changed = await agent.PATCH("/guests/{guest}/metadata", { params: { path: { guest } }, body: { owner: "web", gone: null } });
expect("the metadata is changed", changed.data!["owner"] === "web");
const absent = await agent.GET("/guests/{guest}", { params: { path: { guest: "00000000-0000-4000-8000-000000000000" } } });
expect("an error has its type", absent.error?.code === 404 && Array.isArray(absent.error.stack));
const gone = await agent.DELETE("/guests/{guest}", { params: { path: { guest } } });
expect("the delete completes", (await ended(jobOf(gone.response))).Status === "Complete");
console.log("a TypeScript client drove the agent");
