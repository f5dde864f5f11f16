// Where the page begins: a token, then the live view; without one, or when z0 refuses it, the form.

import { Poller } from "./lib/api.js";
import { announce, byId, copyText, setText } from "./lib/dom.js";
import { clock } from "./lib/format.js";
import { AlertsPanel } from "./live/alerts.js";
import { readAlerts } from "./live/alerts_model.js";
import { LiveView } from "./live/live.js";
import { readLive } from "./live/model.js";
import {
  addressHoldsToken,
  cleanToken,
  forgetToken,
  keepToken,
  loadToken,
  takeTokenFromAddress,
} from "./lib/session.js";
import { addTips } from "./lib/tip.js";

/** @typedef {import('./lib/api.js').LinkState} LinkState */

const DENIED = {
  token: "This token is wrong or has expired. Sign in with a valid one.",
  scope: "This token lacks the ops scope for all tenants. Sign in with an operator's token.",
};
const NOT_A_TOKEN = "This does not look like a token. Paste the whole token, and only the token.";

const LIVE = { path: "/v1/live", read: readLive, everyMs: 1_000 };
// As often as z0 judges its rules.
const ALERTS = { path: "/v1/alerts", read: readAlerts, everyMs: 5_000 };

const view = new LiveView();
const alerts = new AlertsPanel();
const pauseButton = byId("pause", HTMLButtonElement);
const link = byId("link", HTMLParagraphElement);
/** @type {Poller<import('./live/model.js').Live> | null} */
let poller = null;
/** @type {Poller<import('./live/alerts_model.js').Alerts> | null} */
let alertsPoller = null;
/** @type {ReturnType<typeof setInterval> | undefined} */
let countdown;
let updatedAtMs = 0;
let paused = false;

/** @param {boolean} signedIn */
function showLive(signedIn) {
  const page = byId("live", HTMLElement);
  const arrives = signedIn && page.hidden;
  page.hidden = !signedIn;
  byId("bar", HTMLElement).hidden = !signedIn;
  byId("sign-in", HTMLElement).hidden = signedIn;
  // The field that had the focus is gone: go on from the top of the page, not from its middle.
  if (arrives) byId("brand", HTMLHeadingElement).focus();
}

/** @param {string} problem empty for none */
function showProblem(problem) {
  const sentence = byId("sign-in-problem", HTMLParagraphElement);
  sentence.hidden = problem === "";
  setText(sentence, problem);
}

function stopAsking() {
  poller?.stop();
  poller = null;
  alertsPoller?.stop();
  alertsPoller = null;
}

/** @param {string} problem empty for none */
function showForm(problem) {
  stopAsking();
  clearInterval(countdown);
  setBusy(false);
  view.clear();
  alerts.clear();
  showLive(false);
  showProblem(problem);
  const field = byId("token", HTMLInputElement);
  field.value = "";
  field.setAttribute("aria-invalid", String(problem !== ""));
  field.focus();
}

/**
 * @param {string} token
 * @param {boolean} atOnce shows the page before z0 has accepted the token: for a page that opens with
 *   one. Otherwise the form stays, since behind it may stand the numbers of who was here before
 */
function signIn(token, atOnce) {
  stopAsking();
  keepToken(token);
  updatedAtMs = 0;
  paused = false;
  setBusy(true);
  if (atOnce) showLive(true);
  poller = new Poller(LIVE, token, {
    onTold: (live) => {
      setBusy(false);
      showProblem("");
      updatedAtMs = Date.now();
      showLive(true);
      view.render(live);
      askForAlerts(token);
    },
    onState: showLink,
    onDenied: (reason) => {
      forgetToken();
      showForm(DENIED[reason]);
    },
  });
  poller.start();
}

/**
 * From the first answer on: a token that z0 refuses asks once, and not twice.
 * @param {string} token
 */
function askForAlerts(token) {
  // An answer may still come after a click on Pause.
  if (alertsPoller !== null || paused) return;
  alertsPoller = new Poller(ALERTS, token, {
    onTold: (told) => alerts.render(told),
    onState: (state) => {
      if (state.kind === "retrying") alerts.showUnknown(`Not known: ${state.reason}.`);
    },
    onDenied: () => alerts.showUnknown("This token does not read alerts: it lacks the scope facts:read."),
  });
  alertsPoller.start();
}

function signOut() {
  forgetToken();
  showForm("");
  announce("Signed out.");
}

/** @param {boolean} busy */
function setBusy(busy) {
  const button = byId("sign-in-form", HTMLFormElement).querySelector("button");
  if (button !== null) setText(button, busy ? "Signing in…" : "Sign in");
}

/** @param {LinkState} state */
function showLink(state) {
  clearInterval(countdown);
  const before = link.dataset.state;
  link.dataset.state = state.kind;
  document.body.classList.toggle("stale", state.kind === "retrying");
  byId("retry", HTMLButtonElement).hidden = state.kind !== "retrying";
  setText(pauseButton, state.kind === "paused" ? "Resume" : "Pause");
  setText(
    byId("link-word", HTMLSpanElement),
    {
      connecting: "Connecting",
      live: "Live",
      paused: "Paused",
      retrying: "Disconnected, retrying",
    }[state.kind],
  );
  const detail = byId("link-detail", HTMLSpanElement);
  const since = updatedAtMs === 0 ? "" : clock(updatedAtMs);
  setText(detail, state.kind === "paused" && since !== "" ? `since ${since}` : since);
  detail.title = "";
  if (state.kind === "retrying") showRetry(state, before !== "retrying");
  if (state.kind === "live" && before === "retrying") announce("Connected again.");
}

/**
 * @param {Extract<LinkState, {kind: 'retrying'}>} state
 * @param {boolean} isNews said aloud once, not at each attempt
 */
function showRetry(state, isNews) {
  if (byId("live", HTMLElement).hidden) {
    showProblem("z0 does not answer. Trying again until it does.");
    return;
  }
  const from = updatedAtMs === 0 ? "" : ` · numbers from ${clock(updatedAtMs)}`;
  const tick = () => {
    const seconds = Math.max(0, Math.ceil((state.atMs - Date.now()) / 1_000));
    const next = seconds === 0 ? "asking" : `in ${seconds} s`;
    setText(byId("link-detail", HTMLSpanElement), `${next}: ${state.reason}${from}`);
  };
  tick();
  countdown = setInterval(tick, 250);
  const shown = updatedAtMs === 0 ? "" : ` The numbers shown are from ${clock(updatedAtMs)}.`;
  if (isNews) announce(`Disconnected, retrying: ${state.reason}.${shown}`);
}

function wire() {
  byId("sign-in-form", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    const token = cleanToken(byId("token", HTMLInputElement).value);
    if (token === null) showForm(NOT_A_TOKEN);
    else signIn(token, false);
  });
  byId("sign-out", HTMLButtonElement).addEventListener("click", signOut);
  byId("retry", HTMLButtonElement).addEventListener("click", () => {
    poller?.wake();
    alertsPoller?.wake();
  });
  pauseButton.addEventListener("click", () => {
    paused = !paused;
    poller?.setPaused(paused);
    alertsPoller?.setPaused(paused);
  });
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", async () => {
      const copied = await copyText(
        byId(button.getAttribute("data-copy") ?? "", HTMLElement).textContent ?? "",
      );
      announce(copied ? "Copied." : "The browser did not allow copying.");
      if (!copied) return;
      setText(button, "Copied");
      setTimeout(() => setText(button, "Copy"), 1_400);
    });
  }
  // A link with a token, opened in a tab that already shows the page, changes only the fragment.
  window.addEventListener("hashchange", () => {
    if (addressHoldsToken()) enter(false);
  });
}

/** The command of the empty page, for the address that served it. */
function writeCommand() {
  const fact = { type: "deposit", tenant_id: "acme", entity_id: "acct_acme", amount: 5000 };
  setText(
    byId("empty-curl", HTMLElement),
    [
      "Z0_TOKEN=$(./scripts/z0 token --all)",
      `curl ${location.origin}/v1/facts \\`,
      '  -H "Authorization: Bearer $Z0_TOKEN" \\',
      '  -H "Content-Type: application/json" \\',
      `  -d '${JSON.stringify(fact)}'`,
    ].join("\n"),
  );
}

/** @param {boolean} opening the page, rather than following a link inside it */
function enter(opening) {
  const fromAddress = addressHoldsToken();
  const token = fromAddress ? takeTokenFromAddress() : loadToken();
  if (token === null) showForm(fromAddress ? NOT_A_TOKEN : "");
  else signIn(token, opening);
}

wire();
writeCommand();
addTips(document);
enter(true);
