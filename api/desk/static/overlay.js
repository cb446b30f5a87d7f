// What the rule saw, drawn over the clip: the boxes of the decision trace and the way that its subject took.

const APART = 0.6; // seconds between two moments that one box is drawn between
const NEAR = 0.3; // seconds from a moment within which its boxes are shown
const BOX = "#ff3b30";
const WAY = "#19a7ff";

/** `moments` are [seconds, [[left, top, right, bottom], …]], in order of time; coordinates in pixels of the still.
 *  `follows` where they are one vehicle's, which goes from one box to the next. */
export class Overlay {
  constructor(canvas, moments, follows, width, height) {
    this.canvas = canvas;
    this.moments = moments;
    this.width = width;
    this.height = height;
    this.follows = follows;
  }

  get empty() {
    return this.moments.length === 0;
  }

  /** Draw the moment `seconds` after the violation's beginning. */
  draw(seconds) {
    const scale = Math.min(2, window.devicePixelRatio || 1);
    const across = Math.round(this.canvas.clientWidth * scale);
    const down = Math.round(this.canvas.clientHeight * scale);
    if (this.canvas.width !== across || this.canvas.height !== down) {
      this.canvas.width = across;
      this.canvas.height = down;
    }
    const pen = this.canvas.getContext("2d");
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, across, down);
    if (!across) return;
    pen.setTransform(across / this.width, 0, 0, down / this.height, 0, 0);
    const line = Math.max(1, (2 * scale * this.width) / across);
    if (this.follows) this.#way(pen, seconds, line);
    const boxes = this.#boxes(seconds);
    this.canvas.dataset.drawn = boxes.length;
    for (const [left, top, right, bottom] of boxes) {
      pen.lineWidth = 3 * line;
      pen.strokeStyle = "#0009";
      pen.strokeRect(left, top, right - left, bottom - top);
      pen.lineWidth = 1.5 * line;
      pen.strokeStyle = BOX;
      pen.strokeRect(left, top, right - left, bottom - top);
    }
  }

  #boxes(seconds) {
    let after = this.moments.findIndex(([time]) => time > seconds);
    if (after < 0) after = this.moments.length;
    const [before, next] = [this.moments[after - 1], this.moments[after]];
    if (this.follows && before && next && next[0] - before[0] <= APART) {
      const part = (seconds - before[0]) / (next[0] - before[0]);
      return [before[1][0].map((side, index) => side + part * (next[1][0][index] - side))];
    }
    const nearest = [before, next].filter(Boolean).sort((one, two) => Math.abs(one[0] - seconds) - Math.abs(two[0] - seconds))[0];
    return nearest && Math.abs(nearest[0] - seconds) <= NEAR ? nearest[1] : [];
  }

  #way(pen, seconds, line) {
    const feet = this.moments.filter(([time]) => time <= seconds).map(([, [box]]) => [(box[0] + box[2]) / 2, box[3]]);
    if (feet.length < 2) return;
    pen.lineWidth = 1.5 * line;
    pen.strokeStyle = WAY;
    pen.beginPath();
    for (const [x, y] of feet) pen.lineTo(x, y);
    pen.stroke();
  }
}
