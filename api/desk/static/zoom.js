// Enlarging and moving a picture: by the wheel, by dragging, by plus, minus and the arrows.

const MOST = 12;
const STEP = 1.4;

export class Zoom {
  scale = 1;
  #x = 0;
  #y = 0;

  /** `canvas` fills `viewport` at scale 1; `told(scale)` hears of each change. */
  constructor(viewport, canvas, told) {
    this.viewport = viewport;
    this.canvas = canvas;
    this.told = told;
    viewport.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    viewport.addEventListener("dblclick", (event) => (this.scale > 1 ? this.whole() : this.by(3, this.#place(event))));
    viewport.addEventListener("pointerdown", (event) => this.#grab(event));
  }

  larger() {
    this.by(STEP);
  }

  smaller() {
    this.by(1 / STEP);
  }

  whole() {
    this.scale = 1;
    this.#x = this.#y = 0;
    this.#show();
  }

  /** Enlarge about a point of the viewport, its middle by default. */
  by(factor, [x, y] = [this.viewport.clientWidth / 2, this.viewport.clientHeight / 2]) {
    const scale = Math.min(MOST, Math.max(1, this.scale * factor));
    const [left, top] = [this.canvas.offsetLeft, this.canvas.offsetTop];
    this.#x = x - left - ((x - left - this.#x) * scale) / this.scale;
    this.#y = y - top - ((y - top - this.#y) * scale) / this.scale;
    this.scale = scale;
    this.#show();
  }

  /** Move by parts of the viewport; false where the whole picture is seen. */
  move(right, down) {
    if (this.scale === 1) return false;
    this.#x -= right * this.viewport.clientWidth;
    this.#y -= down * this.viewport.clientHeight;
    this.#show();
    return true;
  }

  #show() {
    const [width, height] = [this.canvas.offsetWidth, this.canvas.offsetHeight];
    this.#x = Math.min(0, Math.max(width - width * this.scale, this.#x));
    this.#y = Math.min(0, Math.max(height - height * this.scale, this.#y));
    this.canvas.style.transform = `translate(${this.#x}px, ${this.#y}px) scale(${this.scale})`;
    this.viewport.classList.toggle("enlarged", this.scale > 1);
    this.told(this.scale);
  }

  #place(event) {
    const box = this.viewport.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  #wheel(event) {
    if (event.ctrlKey) return; // the browser's own zoom
    event.preventDefault();
    this.by(event.deltaY < 0 ? 1.2 : 1 / 1.2, this.#place(event));
  }

  #grab(event) {
    if (this.scale === 1 || event.button !== 0) return;
    event.preventDefault();
    this.viewport.focus({ preventScroll: true });
    this.viewport.setPointerCapture(event.pointerId);
    const start = [event.clientX - this.#x, event.clientY - this.#y];
    const drag = (moved) => {
      this.#x = moved.clientX - start[0];
      this.#y = moved.clientY - start[1];
      this.#show();
    };
    this.viewport.addEventListener("pointermove", drag);
    const drop = () => this.viewport.removeEventListener("pointermove", drag);
    this.viewport.addEventListener("pointerup", drop, { once: true });
    this.viewport.addEventListener("pointercancel", drop, { once: true });
  }
}
