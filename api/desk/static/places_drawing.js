// The places as they lie on the picture: drawn, chosen, moved and begun with the mouse, a finger or the keyboard.

const SVG = "http://www.w3.org/2000/svg";
const STEP = 0.002;
const FAR = 0.02;
const NEAR = 12; // Pixels of the screen within which a click means the first corner.
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const SQUARE = [[0.4, 0.4], [0.6, 0.4], [0.6, 0.6], [0.4, 0.6]];
const COURSE = [[0.5, 0.58], [0.5, 0.42]];

function element(name, attributes, parent) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent.append(made);
  return made;
}

export class Drawing {
  constructor(places, holder, hint) {
    this.places = places;
    this.svg = holder.querySelector("svg");
    this.picture = holder.querySelector("img");
    this.hint = hint;
    this.begun = null; // {kind, line: "polygon" | "direction" | "ground", polygon, points}
    this.dragged = null;
    this.size = [1280, 720];
    if (this.picture) this.picture.addEventListener("load", () => this.fit());
    this.fit();
    this.svg.addEventListener("pointerdown", (event) => this.press(event));
    this.svg.addEventListener("pointermove", (event) => this.drag(event));
    this.svg.addEventListener("pointerup", () => this.release());
    this.svg.addEventListener("dblclick", () => this.end(1));
    this.svg.addEventListener("keydown", (event) => this.key(event));
  }

  fit() {
    if (this.picture?.naturalWidth) this.size = [this.picture.naturalWidth, this.picture.naturalHeight];
    this.svg.setAttribute("viewBox", `0 0 ${this.size.join(" ")}`);
    this.show();
  }

  begin(kind) {
    this.begun = { kind, line: kind === "ground" ? "ground" : "polygon", points: [] };
    this.places.chosen = null;
    this.svg.focus();
    this.show();
  }

  // `surplus`: points of a double click that were clicked twice.
  end(surplus = 0) {
    const begun = this.begun;
    if (!begun) return;
    const points = begun.points.slice(0, begun.points.length - surplus);
    if (begun.line === "direction") {
      this.finish(begun.kind, begun.polygon, points.length > 1 ? points : COURSE);
    } else if (points.length && points.length < (begun.kind === "ground" ? 4 : 3)) {
      begun.points = points; // too few yet
    } else if (begun.kind === "lanes" && points.length) {
      this.begun = { kind: "lanes", line: "direction", polygon: points, points: [] };
    } else {
      this.finish(begun.kind, points.length ? points : structuredClone(SQUARE), structuredClone(COURSE));
    }
    this.show();
  }

  finish(kind, polygon, direction) {
    this.begun = null;
    this.places.add(kind, polygon, direction);
  }

  at(event) {
    const bounds = this.svg.getBoundingClientRect();
    return [(event.clientX - bounds.left) / bounds.width, (event.clientY - bounds.top) / bounds.height];
  }

  press(event) {
    if (event.button) return;
    if (this.begun) {
      event.preventDefault();
      this.svg.focus();
      if (this.closes(event)) this.end();
      else this.begun.points.push(this.at(event).map((part) => Math.round(part * 10000) / 10000));
      this.show();
      return;
    }
    const { dataset } = event.target;
    if (!dataset.kind) return;
    const where = { kind: dataset.kind, index: Number(dataset.index), line: dataset.line, point: Number(dataset.point ?? 0) };
    if (dataset.edge) {
      this.places.insert({ ...where, point: Number(dataset.edge) }, this.at(event));
      where.point = Number(dataset.edge);
      this.dragged = where;
    } else if (dataset.point) {
      this.places.remember();
      this.dragged = where;
    }
    this.places.choose(where);
    this.svg.setPointerCapture(event.pointerId);
    this.focusPoint();
  }

  drag(event) {
    if (this.dragged) this.places.move(this.dragged, this.at(event));
    else if (this.begun) this.show(this.at(event));
  }

  release() {
    this.dragged = null;
  }

  closes(event) {
    const { line, points } = this.begun;
    if (line !== "polygon" || points.length < 3) return false;
    const bounds = this.svg.getBoundingClientRect();
    const [x, y] = this.at(event);
    return Math.hypot((x - points[0][0]) * bounds.width, (y - points[0][1]) * bounds.height) < NEAR;
  }

  key(event) {
    if (event.key === "Escape" && this.begun) {
      this.begun = null;
      this.show();
    } else if (event.key === "Enter" && this.begun) {
      this.end();
    } else {
      const { chosen } = this.places;
      if (!chosen || this.begun) return;
      const point = this.places.line(chosen)?.[chosen.point];
      if (!point) return;
      if (ARROWS[event.key]) {
        const step = event.shiftKey ? FAR : STEP;
        if (!event.repeat) this.places.remember();
        this.places.move(chosen, point.map((part, axis) => part + ARROWS[event.key][axis] * step));
      } else if (event.key === "Delete") {
        this.places.delete(chosen);
      } else if (event.key === "+") {
        this.places.insertAfter(chosen);
      } else {
        return;
      }
      this.focusPoint();
    }
    event.preventDefault();
  }

  focusPoint() {
    (this.svg.querySelector("circle.chosen") ?? this.svg).focus({ preventScroll: true });
  }

  show(pointer) {
    this.svg.replaceChildren();
    this.svg.classList.toggle("drawing-now", Boolean(this.begun));
    this.hint.textContent = this.hint.dataset[this.begun?.line ?? "idle"];
    const own = ({ kind, index }) => kind === this.places.chosen?.kind && index === this.places.chosen.index;
    const onTop = this.places.all().sort((one, other) => own(one) - own(other)); // its points can be taken hold of
    for (const { kind, index, place } of onTop) this.showPlace(kind, index, place);
    if (this.begun) this.showBegun(pointer);
  }

  pixels(points) {
    return points.map(([x, y]) => [x * this.size[0], y * this.size[1]]);
  }

  showPlace(kind, index, place) {
    const { chosen } = this.places;
    const own = chosen?.kind === kind && chosen.index === index;
    const group = element("g", { class: `place-shape ${kind}${own ? " chosen" : ""}` }, this.svg);
    const lines = kind === "ground" ? ["points"] : kind === "lanes" ? ["polygon", "direction"] : ["polygon"];
    for (const line of lines) {
      const points = place[line] ?? [];
      const data = { "data-kind": kind, "data-index": index, "data-line": line };
      const shape = { points: this.pixels(points).join(" "), class: line, ...data };
      element(line === "direction" ? "polyline" : "polygon", shape, group);
      if (line === "direction") this.showArrows(points, group);
      if (own) this.showPoints(points, line, data, group);
    }
    const [x, y] = this.pixels(place.polygon ?? place.points)[0] ?? [0, 0];
    if (place.id) element("text", { x: x + this.unit * 6, y: y - this.unit * 6 }, group).textContent = place.id;
  }

  // Pixels of the picture for one of the screen.
  get unit() {
    return this.size[0] / (this.svg.getBoundingClientRect().width || this.size[0]);
  }

  showPoints(points, line, data, group) {
    const pixels = this.pixels(points);
    const closed = line !== "direction";
    pixels.forEach(([x, y], point) => {
      const next = pixels[point + 1] ?? (closed ? pixels[0] : null);
      if (next && line !== "points") {
        const edge = { x1: x, y1: y, x2: next[0], y2: next[1], class: "edge", "data-edge": point + 1, ...data };
        element("line", edge, group);
      }
    });
    pixels.forEach(([x, y], point) => {
      const { chosen } = this.places;
      const own = chosen.line === line && chosen.point === point;
      const label = `${line} ${point + 1}: ${points[point].join(", ")}`;
      const circle = { cx: x, cy: y, r: this.unit * (own ? 8 : 6), class: own ? "chosen" : "", tabindex: 0, role: "img" };
      const made = element("circle", { ...circle, "aria-label": label, "data-point": point, ...data }, group);
      made.addEventListener("focus", () => own || this.chooseFocused({ ...chosen, line, point }));
    });
  }

  chooseFocused(where) {
    if (this.dragged) return;
    this.places.choose(where);
    this.focusPoint();
  }

  showArrows(points, group) {
    const pixels = this.pixels(points);
    for (let index = 1; index < pixels.length; index += 1) {
      const [x, y] = pixels[index];
      const turn = (Math.atan2(y - pixels[index - 1][1], x - pixels[index - 1][0]) * 180) / Math.PI;
      const size = this.unit * 14;
      const shape = `M 0 0 L ${-size} ${size / 2} L ${-size} ${-size / 2} Z`;
      element("path", { d: shape, transform: `translate(${x} ${y}) rotate(${turn})`, class: "arrow" }, group);
    }
  }

  showBegun(pointer) {
    const { kind, line, points, polygon } = this.begun;
    const group = element("g", { class: `place-shape begun ${kind}` }, this.svg);
    if (polygon) element("polygon", { points: this.pixels(polygon).join(" "), class: "polygon" }, group);
    const way = pointer && points.length ? [...points, pointer] : points;
    const drawn = line === "direction" ? "direction" : "polygon";
    element("polyline", { points: this.pixels(way).join(" "), class: drawn }, group);
    for (const [x, y] of this.pixels(points)) element("circle", { cx: x, cy: y, r: this.unit * 5 }, group);
  }
}
