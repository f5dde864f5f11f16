// What a page leaves to be filled in: {tenant_id} in a command, until a link or a reader names one.

// As ids are, and a time. It ends in a shell: no blank, no quote, no $, and no - that begins an option.
const FITTING = /^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,127}$/;

/** @param {string} value */
export const fitting = (value) => FITTING.test(value);

/** The names, in the order of the page. @param {ParentNode} within @returns {string[]} */
export function namesIn(within) {
  const blanks = /** @type {NodeListOf<HTMLElement>} */ (within.querySelectorAll("[data-blank]"));
  return [...new Set([...blanks].map((blank) => blank.dataset.blank ?? ""))];
}

/** @param {ParentNode} within @param {string} name @param {string} value empty to leave it open */
export function fillIn(within, name, value) {
  for (const blank of within.querySelectorAll(`[data-blank="${name}"]`)) {
    blank.textContent = value === "" ? `{${name}}` : value;
    blank.classList.toggle("filled", value !== "");
  }
}
