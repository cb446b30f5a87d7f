// The keyboard of the review: every key presses something that the page also offers to the mouse.
const FRAME_SECONDS = 1 / 25;

const panel = document.querySelector("[data-review]");
const form = panel?.querySelector("form.decide");
const video = document.querySelector(".media video");
const evidence = document.querySelector(".media");

function press(action) {
  form?.querySelector(`button[value="${action}"]`)?.click();
}

function reject() {
  const reasons = form?.elements.reason;
  if (!reasons) return;
  panel.dataset.rejecting = "";
  reasons.focus();
}

function rejectFor(digit) {
  const reasons = form.elements.reason;
  const index = digit === "0" ? 10 : Number(digit);
  if (index >= reasons.options.length) return;
  reasons.selectedIndex = index;
  delete panel.dataset.rejecting;
  press("reject");
}

function step(seconds) {
  if (!video) return;
  video.pause();
  video.currentTime = Math.max(0, video.currentTime + seconds);
}

const KEYS = {
  a: () => press("accept"),
  r: reject,
  n: () => document.querySelector("[data-next]")?.click(),
  p: () => form?.elements.plate?.focus(),
  o: () => evidence?.classList.toggle("bare"),
  z: () => evidence?.classList.toggle("zoomed"),
  ",": () => step(-FRAME_SECONDS),
  ".": () => step(FRAME_SECONDS),
  " ": () => (video?.paused ? video.play() : video?.pause()),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const typing = event.target.matches("input, textarea");
  if (event.key === "Escape") {
    delete panel?.dataset.rejecting;
    event.target.blur();
    return;
  }
  if (typing) return;
  if (panel && "rejecting" in panel.dataset && /^[0-9]$/.test(event.key)) {
    event.preventDefault();
    rejectFor(event.key);
    return;
  }
  const act = KEYS[event.key.toLowerCase()];
  if (!act || event.target.matches("select, video, summary") || (event.key === " " && event.target.matches("a, button"))) return;
  event.preventDefault();
  act();
});
