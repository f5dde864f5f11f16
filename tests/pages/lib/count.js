/** A number that only grows, and can be waited for. */
export class Count {
  value = 0;
  /** @type {{least: number, resolve: () => void}[]} */
  #waiting = [];

  add() {
    this.value += 1;
    const reached = this.#waiting.filter(({ least }) => least <= this.value);
    this.#waiting = this.#waiting.filter(({ least }) => least > this.value);
    for (const { resolve } of reached) resolve();
  }

  /**
   * @param {number} least
   * @returns {Promise<void>}
   */
  reaches(least) {
    if (this.value >= least) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ least, resolve }));
  }
}
