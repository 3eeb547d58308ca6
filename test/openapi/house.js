// Agents and their sub-agent as processes, on free ports of loopback.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// A program that has said what `announced` looks for; what it caught there is the port.
function start(program, args, announced) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (bytes) => {
        said += bytes;
        const port = said.match(announced);
        if (port) resolve({ child, port: Number(port[1]), said: () => said });
      });
    child.on("error", reject);
    child.on("exit", () => reject(new Error(`${program} ended: ${said}`)));
  });
}

const action = (service, method) => ({ stages: [{ service, method }] });

// Every action that the example sub-agent knows, as etc/example.json has them; a job takes long enough to be cancelled.
function config(port, dbpath) {
  const actions = {};
  for (const name of ["create", "delete", "reboot", "restart", "poweroff", "shutdown", "start", "suspend", "resume", "hibernate"])
    actions[name] = action("test", `Test.${name[0].toUpperCase()}${name.slice(1)}`);
  for (const name of [
    "CpuMetrics",
    "NicMetrics",
    "DiskMetrics",
    "ListSnapshots",
    "GetSnapshot",
    "CreateSnapshot",
    "DeleteSnapshot",
    "RollbackSnapshot",
    "ListImages",
    "GetImage",
    "DeleteImage",
    "FetchImage",
    "Update",
    "AttachDisk",
    "DetachDisk",
    "ResizeDisk",
    "AttachNic",
    "DetachNic",
    "Pending",
    "HostInfo",
    "Adopt",
    "ListUnmanaged",
  ])
    actions[name[0].toLowerCase() + name.slice(1)] = action("test", `Test.${name}`);
  for (const name of ["ListImages", "GetImage", "DeleteImage", "FetchImage"])
    actions[`container${name}`] = action("test", `Test.Container${name}`);
  actions.downloadSnapshot = action("download", "Test.DownloadSnapshot");
  actions.guestLog = action("log", "Test.GuestLog");
  const download = { port, path: "/snapshots/download" };
  return { dbpath, actions, services: { test: { port }, download, log: { port, path: "/guests/log" } } };
}

export class House {
  #children = [];
  #folder = mkdtempSync(join(tmpdir(), "openapi-"));

  constructor(build) {
    this.build = build;
  }

  async subAgent() {
    const args = ["-p", "0", "--delay", "50"];
    const started = await start(join(this.build, "mistify-test-agent"), args, /listens on 127\.0\.0\.1:(\d+)/);
    this.#children.push(started.child);
    return started.port;
  }

  // The address of an agent. `changes` go over its config.
  async agent(subAgentPort, changes = {}) {
    const name = join(this.#folder, `agent-${this.#children.length}`);
    writeFileSync(`${name}.json`, JSON.stringify({ ...config(subAgentPort, `${name}.db`), ...changes }));
    const args = ["-c", `${name}.json`, "-a", "127.0.0.1:0", "-l", "info"];
    const started = await start(join(this.build, "mistify-agent"), args, /"msg":"listening".*"port":"(\d+)"/);
    this.#children.push(started.child);
    return `http://127.0.0.1:${started.port}`;
  }

  close() {
    for (const child of this.#children) child.kill("SIGKILL");
    rmSync(this.#folder, { recursive: true });
  }
}
