// One case after the other by the keyboard. The next case is fetched while this one is looked at, and takes its place
// as soon as the decision on this one is stored.
import { listen } from "./keys.js";
import { Player } from "./player.js";

const SETTLE = 200; // ms in which a new case takes no decision: a key pressed twice must not decide a case unseen
const BUTTONS = { a: "accept", f: "forward", c: "close" };
const NOTED = { s: "ask_second", u: "reopen" };
const PLAYER = {
  v: "view", o: "overlay", z: "whole", l: "loop", " ": "play", ",": "back", ".": "forth",
  "<": "slower", ">": "faster", "+": "larger", "=": "larger", "-": "smaller", "_": "smaller",
};
const ARROWS = { ArrowRight: [0.15, 0], ArrowLeft: [-0.15, 0], ArrowDown: [0, 0.15], ArrowUp: [0, -0.15] };

/** The page of one case: what stands in `main` now. */
class CasePage {
  pending = ""; // an action that waits for its reason, case or note
  #ready = false;
  #busy = false;

  constructor() {
    this.body = document.querySelector(".case-body");
    this.panel = document.querySelector("[data-review]");
    this.form = this.panel.querySelector("form.decide");
    this.hint = this.form?.querySelector("[data-hint]");
    this.player = new Player(document.querySelector("[data-stage]"));
    this.case = this.body.dataset.case;
    this.#count();
    Promise.all([this.player.ready(), new Promise((done) => setTimeout(done, SETTLE))]).then(() => {
      this.#ready = true;
      this.body.dataset.ready = "";
    });
    this.form?.addEventListener("submit", (event) => this.#submitted(event));
    for (const radio of this.form?.elements.duplicate_of ? this.panel.querySelectorAll("[name=duplicate_of]") : []) {
      radio.addEventListener("change", () => (this.pending = "duplicate"));
    }
  }

  press(action) {
    const button = this.form?.querySelector(`button[value="${action}"]`);
    if (!button) return false;
    button.click();
    return true;
  }

  wait(action, message, field) {
    if (!this.form?.querySelector(`button[value="${action}"]`)) return false;
    this.pending = action;
    this.panel.dataset.pending = action;
    this.tell(message);
    field?.focus();
    return true;
  }

  leave() {
    this.pending = "";
    delete this.panel.dataset.pending;
    this.tell("");
  }

  tell(message) {
    if (this.hint) this.hint.textContent = message ? this.hint.dataset[message] ?? message : "";
  }

  /** A digit where reasons or cases are chosen from. */
  choose(digit) {
    const name = { reject: "reason", duplicate: "duplicate_of" }[this.pending];
    const choices = name ? [...this.form.querySelectorAll(`[name=${name}]`)] : [];
    const chosen = choices[digit === "0" ? 9 : Number(digit) - 1];
    if (!chosen) return false;
    chosen.checked = true;
    chosen.closest("label").scrollIntoView({ block: "nearest" });
    if (this.pending === "reject") this.press("reject");
    return true;
  }

  enter() {
    return Boolean(this.pending) && this.press(this.pending);
  }

  async #submitted(event) {
    event.preventDefault();
    if (this.#busy) return;
    if (!this.#ready) {
      this.tell("loading");
      return;
    }
    this.#busy = true;
    const fields = new URLSearchParams(new FormData(this.form, event.submitter));
    try {
      const answer = await fetch(this.form.getAttribute("action"), { method: "POST", body: fields, redirect: "manual" });
      const deed = event.submitter.firstChild.textContent.trim().toLowerCase();
      if (answer.type === "opaqueredirect") onward(this.hint.dataset.done.replace("{action}", deed));
      else {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        place(page.querySelector("main"), page.title, location.href);
      }
    } catch {
      this.tell("failed");
      this.#busy = false;
    }
  }

  /** How long the case is still held. */
  #count() {
    const lock = this.panel.querySelector(".lock");
    if (!lock) return;
    const until = Date.parse(lock.dataset.until);
    const left = lock.querySelector("[data-left]");
    const tick = () => {
      const seconds = Math.round((until - Date.now()) / 1000);
      const lapsed = this.hint?.dataset.lapsed ?? "";
      left.textContent = seconds > 0 ? `(${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")})` : lapsed;
      lock.classList.toggle("overdue", seconds < 60);
      if (seconds <= 0) clearInterval(this.timer);
    };
    this.timer = setInterval(tick, 1000);
    tick();
  }

  close() {
    clearInterval(this.timer);
    this.player.stop();
  }
}

/** The case after this one, as the server gave it ahead of time. */
class Ahead {
  static async fetch(after, tail, left = "") {
    const query = `after=${after}&ahead=true${left && `&left=${left}`}${tail}`;
    try {
      const answer = await fetch(`/review/next?${query}`);
      if (answer.status !== 200 || !new URL(answer.url).pathname.startsWith("/violations/")) return null;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      return new Ahead(document.adoptNode(page.querySelector("main")), page.title, answer.url);
    } catch {
      return null;
    }
  }

  constructor(main, title, url) {
    this.main = main;
    this.title = title;
    this.case = main.querySelector(".case-body").dataset.case;
    const address = new URL(url);
    address.searchParams.delete("ahead");
    this.address = address.href;
    this.until = Date.parse(main.querySelector(".lock")?.dataset.until ?? 0);
  }

  /** A case whose hold has lapsed may have been decided by another officer meanwhile. */
  get fresh() {
    return this.until > Date.now();
  }

  /** Let go of the case: nobody looks at it after all. */
  leave() {
    const token = document.querySelector("[name=token]").value;
    navigator.sendBeacon("/review/leave", new URLSearchParams({ token, case: this.case }));
  }
}

let current;
let ahead; // a promise of the next case
let fetched = null; // the next case, once it is there

function look(left = "") {
  current = new CasePage();
  ahead = document.querySelector("[data-next]") && Ahead.fetch(current.case, current.body.dataset.tail, left);
  ahead?.then((next) => (fetched = next));
  document.dispatchEvent(new CustomEvent("desk:shown"));
}

/** Put a page in the place of this one. */
function place(main, title, address, message = "", left = "") {
  current.close();
  document.querySelector("main").replaceWith(main);
  if (address !== location.href) history.pushState(null, "", address);
  document.title = title;
  const last = main.querySelector("[data-last]");
  if (last && message) {
    last.textContent = message;
    last.hidden = false;
  }
  window.scrollTo(0, 0);
  look(left);
}

async function onward(message = "") {
  const left = message ? "" : current.case; // a case that was not decided is let go
  const next = await ahead;
  fetched = null;
  if (next?.fresh) place(next.main, next.title, next.address, message, left);
  else location.assign(document.querySelector("[data-next]").href);
}

function act(key, event) {
  const name = key.length === 1 ? key.toLowerCase() : key;
  const { player } = current;
  if (current.pending && /^[0-9]$/.test(key)) return current.choose(key);
  if (name === "Enter") return current.enter();
  if (name === "Escape") return current.leave();
  if (event.repeat && !(name in PLAYER) && !(name in ARROWS)) return true;
  if (name in BUTTONS) return current.press(BUTTONS[name]);
  if (name in NOTED) return current.wait(NOTED[name], "note", current.form?.elements.note);
  if (name in PLAYER) return player.do(PLAYER[name]);
  if (name in ARROWS) return player.zoom.move(...ARROWS[name]);
  const field = (what) => current.panel.querySelector(what);
  switch (name) {
    case "r":
      return current.wait("reject", "reject");
    case "d": {
      const pick = field("[data-pick]");
      if (pick) pick.open = true;
      return current.wait("duplicate", "duplicate");
    }
    case "x":
      return open(field("[name=duplicate_of]:checked") ?? field("[name=duplicate_of]"));
    case "n":
      return document.querySelector("[data-next]") ? onward() : false;
    case "q":
      return document.querySelector("[data-queue]").click();
    case "p":
      return focus(field("form.decide [name=plate]"));
    case "m":
      return focus(field("[name=note]"));
    case "h":
      return field("[data-hold]")?.requestSubmit();
    case "e": {
      const correction = field("[data-correct]");
      if (correction) correction.open = true;
      return focus(correction?.querySelector("select, input:not([type=hidden])"));
    }
    default:
      return false;
  }
}

function focus(element) {
  element?.focus();
  element?.select?.();
  return Boolean(element);
}

function open(choice) {
  if (choice) location.assign(choice.dataset.compare);
  return Boolean(choice);
}

/** Keys within the fields of the decision: Enter ends what waits for a note, Escape leaves. */
function typed(event) {
  if (!event.target.matches("form.decide input:not([type=radio])")) return false;
  if (event.key === "Escape") {
    event.target.blur();
    current.leave();
    return true;
  }
  if (event.key !== "Enter") return false;
  if (current.pending) current.enter();
  else event.target.blur();
  return true;
}

listen(act, typed);
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-next]")) {
    event.preventDefault();
    onward();
  }
  const seek = event.target.closest("[data-seek]");
  if (seek) current.player.seek(Number(seek.dataset.seek));
});
window.addEventListener("pagehide", () => fetched?.leave());
window.addEventListener("popstate", () => location.reload());
look();
