// Generates a TypeScript client from the description of a running agent, compiles it, and has it drive the agent.
//
// Usage: node clients.js BUILD, in a folder with typescript/ and its node_modules
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { House } from "./house.js";

const folder = join(dirname(fileURLToPath(import.meta.url)), "typescript");
const run = (program, ...args) => execFileSync(program, args, { cwd: folder, stdio: "inherit" });
const tool = (name, ...args) => run(join(folder, "node_modules", ".bin", name), ...args);

const house = new House(process.argv[2]);
try {
  const agent = await house.agent(await house.subAgent());
  writeFileSync(join(folder, "openapi.json"), await (await fetch(`${agent}/openapi.json`)).text());
  tool("openapi-typescript", "openapi.json", "-o", "api.d.ts");
  tool("tsc", "-p", ".");
  run("node", "out/drive.js", agent);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  house.close();
}
