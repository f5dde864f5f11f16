// What /proc knows: the CPU time of a process, a process's children, the machine.
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { cpus } from "node:os";

/**
 * CPU time of all threads of a process, user and system, in ms: from the scheduler's own
 * nanoseconds, else from ticks of 10 ms. @param {number} pid
 */
export function cpuMs(pid) {
  try {
    let ns = 0;
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      ns += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1").split(" ")[0]);
    }
    if (ns > 0) return ns / 1e6;
  } catch {
    // This kernel keeps no such statistics, or a thread ended between the two reads.
  }
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Resident memory in MB. @param {number} pid */
export function residentMb(pid) {
  const line = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "latin1"));
  return line ? Number(line[1]) / 1024 : 0;
}

/** The children of this process that have this command name. @param {string} name */
export function childrenNamed(name) {
  const found = [];
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "latin1");
      const close = stat.lastIndexOf(")");
      const parent = Number(stat.slice(close + 2).split(" ")[1]);
      if (parent === process.pid && stat.slice(stat.indexOf("(") + 1, close) === name) {
        found.push(Number(entry));
      }
    } catch {
      // The process ended while the list was read.
    }
  }
  return found;
}

/**
 * Keeps a process and all its threads on one core, where the tool for it exists.
 * @param {number} pid
 * @param {number} core
 */
export function pin(pid, core) {
  if (cpus().length < 2) return false;
  try {
    execFileSync("taskset", ["-a", "-c", "-p", String(core), String(pid)], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/**
 * The first line that a command prints, or "not found".
 * @param {string} command
 * @param {string[]} args
 */
function firstLine(command, args) {
  try {
    return (
      execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).split(
        "\n",
      )[0] ?? ""
    );
  } catch {
    return "not found";
  }
}

/** @param {string} workerdVersion */
export function describeMachine(workerdVersion) {
  const cores = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: `${cores[0]?.model.trim() ?? "unknown"}, ${cores.length} cores`,
    node: process.version,
    workerd: workerdVersion,
    emscripten: /\d+\.\d+\.\d+/.exec(firstLine("emcc", ["--version"]))?.[0] ?? "not found",
    load: readFileSync("/proc/loadavg", "latin1").split(" ")[0] ?? "",
  };
}
