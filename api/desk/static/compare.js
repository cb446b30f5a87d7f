// Two cases side by side, both clips in step: at the same moment, or each from its own beginning.
import { listen } from "./keys.js";
import { Player } from "./player.js";

const FRAME = 1 / 25;
const [first, second] = [...document.querySelectorAll("[data-stage]")].map((stage) => new Player(stage));
const align = document.querySelector("[data-align] input");
const apart = Number(align.dataset.apart);

// One incident told twice is seen at the same moment of the clock; two that repeat each other begin alike.
const overlap = first.video && second.video && Math.abs(apart) < 30;
align.checked = !overlap;

/** What the second clip has to show beside the first. */
function moment() {
  return first.moment - (align.checked ? 0 : apart);
}

function step(what) {
  if (!first.video || !second.video) return false;
  if (what === "play") {
    if (!first.video.paused) return [first, second].map((player) => player.pause());
    second.seek(moment());
    return [first, second].map((player) => player.do("play"));
  }
  first.seek(first.moment + (what === "forth" ? FRAME : -FRAME));
  second.seek(moment());
  return true;
}

function act(key) {
  const deeds = { " ": "play", ",": "back", ".": "forth" };
  const name = key.toLowerCase();
  if (deeds[key]) return step(deeds[key]);
  if (name === "escape" || name === "b") return document.querySelector("[data-back]").click();
  if (name === "d") return document.querySelector("[data-same] button")?.click();
  if (name === "o" || name === "v") return [first, second].map((player) => player.do(name === "o" ? "overlay" : "view"));
  return false;
}

for (const player of [first, second]) player.show(player.stage.querySelector("img") ? "still" : "clip");
if (first.video && second.video) {
  for (const part of document.querySelectorAll("[data-step], [data-align]")) part.hidden = false;
  first.video.addEventListener("seeked", () => first.video.paused && second.place(moment()));
}
align.addEventListener("change", () => second.seek(moment()));
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-step]");
  if (button) step(button.dataset.step);
});
listen(act);
