const { spawnSync } = require("node:child_process");
const { readFileSync } = require("node:fs");
const nodeModule = require("node:module");

function withPackage(code) {
  for (const folder of ["/usr/share/nodejs", "/usr/local/lib/node_modules", "/usr/lib/node_modules", process.cwd() + "/node_modules"]) {
    let ts;
    try {
      ts = require(folder + "/typescript");
    } catch {
      continue;
    }
    const { outputText, diagnostics } = ts.transpileModule(code, {
      reportDiagnostics: true,
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
    });
    for (const { file, start, messageText } of diagnostics ?? []) {
      const line = file && start !== undefined ? file.getLineAndCharacterOfPosition(start).line + 1 : "?";
      console.error(`line ${line}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`);
    }
    if (diagnostics?.length) process.exit(1);
    return outputText;
  }
  console.error("TypeScript needs Node 22.13 or newer, or the package node-typescript: apt-get install node-typescript");
  process.exit(127);
}

const code = readFileSync(0, "utf8");
const strip = nodeModule.stripTypeScriptTypes;
const script = strip ? strip(code, { mode: "transform" }) : withPackage(code);
const { status, signal } = spawnSync(process.execPath, ["-"], { input: script, stdio: ["pipe", "inherit", "inherit"] });
if (signal) process.kill(process.pid, signal);
process.exit(status ?? 1);
