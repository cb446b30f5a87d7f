// The evidence of one case: clip and still in one place, with the overlay, step by step, enlarged.
import { Overlay } from "./overlay.js";
import { Zoom } from "./zoom.js";

const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 4];
const AROUND = 1; // seconds shown before and after the violation when it is repeated
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

export class Player {
  #frame = null; // seconds from one picture to the next, measured while the clip plays
  #shown = null; // when the picture that is seen stands in the clip
  #part = 0;
  #overlay = true;
  #loop = true;
  #alive = true;
  #going = false; // meant to play: at the end of the clip the browser itself pauses it

  constructor(stage) {
    this.stage = stage;
    this.find = (what) => stage.querySelector(what);
    const { width, height, boxes, follows, seconds } = stage.dataset;
    this.seconds = Number(seconds);
    this.canvas = this.find(".canvas");
    this.canvas.style.setProperty("--ratio", width / height);
    this.videos = [...stage.querySelectorAll("video")];
    this.pictures = [...stage.querySelectorAll("img")];
    this.overlay = new Overlay(this.find("canvas.boxes"), JSON.parse(boxes), follows === "true", Number(width), Number(height));
    this.zoom = new Zoom(this.find(".viewport"), this.canvas, (scale) => this.#tell("[data-zoom]", `${scale.toFixed(1).replace(".0", "")}×`));
    stage.classList.add("live");
    this.find(".controls").hidden = false;
    for (const video of this.videos) this.#prepare(video);
    stage.addEventListener("click", (event) => this.#clicked(event));
    this.find("[data-scrub]")?.addEventListener("input", (event) => this.seek(Number(event.target.value)));
    this.find("[data-part]")?.addEventListener("change", (event) => this.#choose(Number(event.target.value)));
    this.show(this.videos.length && !calm.matches ? "clip" : this.pictures.length ? "still" : "clip");
    this.#toggleOverlay(true);
  }

  get video() {
    return this.videos[this.#part];
  }

  /** Seconds from the violation's beginning to that of the clip; 0 where the package does not tell. */
  get start() {
    return Number(this.video?.dataset.start ?? 0);
  }

  /** Seconds after the violation's beginning that the clip shows now. */
  get moment() {
    return this.start + (this.video?.currentTime ?? 0);
  }

  /** Resolves when there is something to judge by: the still, or without one the clip's first picture. */
  async ready() {
    const still = this.pictures[0];
    if (still) await still.decode().catch(() => undefined);
    else if (this.video && this.video.readyState < 2) {
      await new Promise((done) => ["loadeddata", "error"].forEach((name) => this.video.addEventListener(name, done, { once: true })));
    }
  }

  show(view) {
    this.stage.dataset.view = view;
    for (const name of ["clip", "still"]) this.#press(name, name === view);
    if (view === "clip") {
      if (!calm.matches) this.#play();
    } else this.pause();
    this.#draw();
  }

  /** Do what a button or key asks for; false for what this is no matter of. */
  do(what) {
    const deeds = {
      clip: () => this.videos.length && this.show("clip"),
      still: () => this.pictures.length && this.show("still"),
      view: () => this.do(this.stage.dataset.view === "clip" ? "still" : "clip"),
      play: () => (this.video?.paused ? this.#inClip(() => this.#play()) : this.pause()),
      back: () => this.step(-1),
      forth: () => this.step(1),
      slower: () => this.#speed(-1),
      faster: () => this.#speed(1),
      loop: () => this.#press("loop", (this.#loop = !this.#loop)),
      overlay: () => this.#toggleOverlay(!this.#overlay),
      larger: () => this.zoom.larger(),
      smaller: () => this.zoom.smaller(),
      whole: () => this.zoom.whole(),
    };
    if (!deeds[what]) return false;
    deeds[what]();
    return true;
  }

  /** To the moment `seconds` after the violation's beginning. */
  seek(seconds) {
    this.#inClip(() => {
      this.pause();
      this.place(seconds);
    });
  }

  pause() {
    this.#going = false;
    this.video?.pause();
  }

  /** As seek, while the clip plays on or stands as it does. */
  place(seconds) {
    const { video } = this;
    if (!video) return;
    const end = Number.isFinite(video.duration) ? video.duration : seconds - this.start;
    video.currentTime = Math.min(end, Math.max(0, seconds - this.start));
  }

  step(by) {
    this.#inClip(() => {
      this.pause();
      // A little into the picture: at its very beginning rounding might show the one before.
      this.place(this.start + (this.#shown ?? this.video.currentTime) + by * (this.#frame ?? 1 / 25) + 0.002);
    });
  }

  stop() {
    this.#alive = false;
    for (const video of this.videos) {
      video.pause();
      video.removeAttribute("src");
      video.load();
    }
  }

  #prepare(video) {
    video.controls = false;
    video.addEventListener("timeupdate", () => this.#draw());
    video.addEventListener("seeked", () => this.#draw());
    for (const name of ["play", "pause"]) video.addEventListener(name, () => this.#playing());
    const begin = () => {
      if (video !== this.video) return;
      const scrub = this.find("[data-scrub]");
      scrub.min = this.start;
      scrub.max = this.start + video.duration;
      this.place(-AROUND);
      this.#draw();
    };
    if (video.readyState >= 1) begin();
    else video.addEventListener("loadedmetadata", begin, { once: true });
    const tick = (_now, shown) => {
      if (!this.#alive) return;
      const apart = shown.mediaTime - (this.#shown ?? shown.mediaTime);
      if (!video.paused && apart > 0.005 && apart < (this.#frame ?? 1)) this.#frame = apart;
      this.#shown = shown.mediaTime;
      if (this.#loop && !video.paused && this.moment > this.seconds + AROUND) this.place(-AROUND);
      this.#draw();
      video.requestVideoFrameCallback(tick);
    };
    video.requestVideoFrameCallback?.(tick);
    video.addEventListener("ended", () => this.#going && this.#loop && this.#again());
  }

  #again() {
    this.place(-AROUND);
    this.#play();
  }

  #play() {
    this.#going = true;
    this.video?.play().catch(() => undefined); // refused, or replaced by another case meanwhile
  }

  #inClip(act) {
    if (!this.video) return;
    if (this.stage.dataset.view !== "clip") {
      this.stage.dataset.view = "clip";
      for (const name of ["clip", "still"]) this.#press(name, name === "clip");
    }
    act();
    this.#draw();
  }

  #choose(part) {
    this.pause();
    this.#part = part;
    this.stage.dataset.part = part;
    const scrub = this.find("[data-scrub]");
    scrub.min = this.start;
    scrub.max = this.start + (this.video.duration || 0);
    this.#play();
    this.#draw();
  }

  #speed(by) {
    if (!this.video) return;
    const at = SPEEDS.indexOf(this.video.playbackRate);
    const speed = SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, at + by))];
    for (const video of this.videos) video.playbackRate = speed;
    this.#tell("[data-speed]", `${speed}×`);
  }

  #toggleOverlay(on) {
    this.#overlay = on;
    this.stage.classList.toggle("bare", !on);
    this.#press("overlay", on);
    this.#draw();
  }

  #playing() {
    const icon = this.find("[data-icon]");
    if (icon) icon.dataset.icon = this.video.paused ? "play" : "pause";
  }

  #draw() {
    this.videos.forEach((video, index) => (video.hidden = index !== this.#part));
    const inClip = this.stage.dataset.view === "clip";
    const timed = this.video?.dataset.start !== undefined;
    this.overlay.canvas.hidden = !(inClip && this.#overlay && timed && !this.overlay.empty);
    if (!this.overlay.canvas.hidden) this.overlay.draw(this.moment);
    if (!this.video) return;
    this.#tell("[data-time]", `${this.moment >= 0 ? "+" : "−"}${Math.abs(this.moment).toFixed(2)} s`);
    const scrub = this.find("[data-scrub]");
    if (scrub && document.activeElement !== scrub) scrub.value = this.moment;
  }

  #clicked(event) {
    const button = event.target.closest("[data-do]");
    if (button) this.do(button.dataset.do);
  }

  #press(name, on) {
    this.find(`[data-do=${name}]`)?.setAttribute("aria-pressed", String(on));
  }

  #tell(what, text) {
    const place = this.find(what);
    if (place) place.textContent = text;
  }
}
