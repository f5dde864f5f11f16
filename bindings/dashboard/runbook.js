// A runbook's page: what its link names is filled into the commands, each command can be copied.

import { fillIn, fitting, namesIn } from "./lib/blanks.js";
import { announce, copyText, element, setText } from "./lib/dom.js";

/** @param {HTMLElement} article */
function addFields(article) {
  const names = namesIn(article);
  if (names.length === 0) return;
  const given = new URLSearchParams(location.search);
  const refused = element("p", { class: "refused", role: "alert", hidden: "" });
  const fields = names.map((name) => {
    const input = element("input", { class: "mono", name, spellcheck: "false", autocomplete: "off", autocapitalize: "off" });
    input.value = given.get(name) ?? "";
    input.addEventListener("input", () => fill());
    return { name, input };
  });
  const fill = () => {
    const strange = fields.filter(({ input }) => input.value !== "" && !fitting(input.value));
    for (const { name, input } of fields) {
      input.setAttribute("aria-invalid", String(strange.some((one) => one.name === name)));
      fillIn(article, name, fitting(input.value) ? input.value : "");
    }
    refused.hidden = strange.length === 0;
    const which = strange.map(({ name }) => name).join(" and ");
    setText(refused, `Not filled in: ${which}. An id has letters, digits and _ . : - alone, at most 128; anything else could be a command.`);
  };
  const labels = fields.map(({ name, input }) => element("label", {}, name, input));
  const form = element(
    "fieldset",
    { class: "fill" },
    element("legend", {}, "Fill in what you know; the commands take it"),
    element("div", { class: "fields" }, ...labels),
    refused,
  );
  // Behind the words and the command that the page begins with.
  const before = article.querySelector("h2");
  if (before !== null) article.insertBefore(form, before);
  fill();
}

/** @param {HTMLElement} article */
function addCopying(article) {
  for (const command of article.querySelectorAll(".command")) {
    const button = element("button", { type: "button", class: "quiet" }, "Copy");
    button.addEventListener("click", async () => {
      const copied = await copyText(command.querySelector("code")?.textContent ?? "");
      announce(copied ? "Copied." : "The browser did not allow copying.");
      if (!copied) return;
      setText(button, "Copied");
      setTimeout(() => setText(button, "Copy"), 1_400);
    });
    command.classList.add("copies");
    command.append(button);
  }
}

const article = document.querySelector("article");
if (article !== null) {
  addFields(article);
  addCopying(article);
}
