// Child processes that take one job at a time over a message channel.
import { fork } from "node:child_process";
import { join } from "node:path";
import { BENCH } from "./workers.js";

export class Child {
  /** @param {string} file of lib @param {string[]} args @param {string[]} execArgv */
  constructor(file, args = [], execArgv = []) {
    this.process = fork(join(BENCH, "lib", file), args, { execArgv, stdio: "inherit" });
  }

  get pid() {
    return /** @type {number} */ (this.process.pid);
  }

  /** @param {any} job @returns {Promise<any>} */
  ask(job) {
    return new Promise((resolve, reject) => {
      const done = () => {
        this.process.off("message", take);
        this.process.off("exit", gone);
      };
      const take = (/** @type {any} */ answer) => {
        done();
        if (answer.error) reject(new Error(answer.error));
        else resolve(answer);
      };
      const gone = (/** @type {number | null} */ code) => {
        done();
        reject(new Error(`a child process ended with ${code}`));
      };
      this.process.on("message", take);
      this.process.on("exit", gone);
      this.process.send(job);
    });
  }

  stop() {
    this.process.disconnect();
  }
}
