// One-sentence explanations. `data-tip` on a button becomes its description for screen readers and a
// bubble for eyes, on hover and on focus; Escape closes it, and the pointer may rest on the bubble.

import { element } from "./dom.js";

const GAP = 8;

/** @param {ParentNode} root */
export function addTips(root) {
  const bubble = element("div", { class: "tip", "aria-hidden": "true", hidden: "" });
  document.body.append(bubble);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let closing;
  const close = () => {
    bubble.hidden = true;
  };
  const closeSoon = () => {
    clearTimeout(closing);
    closing = setTimeout(close, 120);
  };
  bubble.addEventListener("pointerenter", () => clearTimeout(closing));
  bubble.addEventListener("pointerleave", closeSoon);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
  window.addEventListener("scroll", close, { passive: true });

  for (const target of root.querySelectorAll("[data-tip]")) {
    describe(target, target.getAttribute("data-tip") ?? "");
    const open = () => {
      clearTimeout(closing);
      bubble.textContent = target.getAttribute("data-tip");
      bubble.hidden = false;
      place(bubble, target.getBoundingClientRect());
    };
    target.addEventListener("pointerenter", open);
    target.addEventListener("pointerleave", closeSoon);
    target.addEventListener("focus", open);
    target.addEventListener("blur", close);
  }
}

/**
 * What a tip says from now on.
 * @param {HTMLElement} target
 * @param {string} sentence
 */
export function setTip(target, sentence) {
  if (target.dataset.tip === sentence) return;
  target.dataset.tip = sentence;
  const description = document.getElementById(target.getAttribute("aria-describedby") ?? "");
  if (description !== null) description.textContent = sentence;
}

let described = 0;

/**
 * @param {Element} target
 * @param {string} sentence
 */
function describe(target, sentence) {
  described += 1;
  const id = `tip-${described}`;
  target.after(element("span", { id, hidden: "" }, sentence));
  target.setAttribute("aria-describedby", id);
}

/**
 * Below the target, above where there is no room, never outside the window.
 * @param {HTMLElement} bubble
 * @param {DOMRect} target
 */
function place(bubble, target) {
  const left = Math.min(
    target.left,
    document.documentElement.clientWidth - bubble.offsetWidth - GAP,
  );
  const below = target.bottom + GAP;
  const fits = below + bubble.offsetHeight <= window.innerHeight;
  bubble.style.left = `${Math.max(GAP, left)}px`;
  bubble.style.top = `${fits ? below : Math.max(GAP, target.top - bubble.offsetHeight - GAP)}px`;
}
