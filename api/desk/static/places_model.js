// What is drawn: zones, lanes, the ground and which rules look where. Coordinates are parts of the picture, 0 to 1.

const ROUND = 10000;
const UNDO = 100;

export const round = (value) => Math.round(Math.min(1, Math.max(0, value)) * ROUND) / ROUND;

export class Places {
  constructor(given, changed) {
    this.zones = (given.zones ?? []).map((zone, was) => ({ was, ...zone }));
    this.lanes = (given.lanes ?? []).map((lane, was) => ({ was, ...lane }));
    this.ground = given.ground ?? null;
    this.rules = (given.rules ?? []).map((rule, was) => ({ was, ...rule }));
    this.hadGround = Boolean(given.ground);
    this.chosen = null; // {kind, index, line, point}
    this.changed = changed;
    this.before = [];
  }

  // A place of a kind: {id, polygon, direction?}, or the ground {points, metres}.
  place({ kind, index }) {
    return kind === "ground" ? this.ground : this[kind][index];
  }

  line({ kind, index, line }) {
    return kind === "ground" ? this.ground?.points : this[kind][index]?.[line];
  }

  all() {
    const named = ["zones", "lanes"].flatMap((kind) => this[kind].map((place, index) => ({ kind, index, place })));
    return this.ground ? [...named, { kind: "ground", index: 0, place: this.ground }] : named;
  }

  remember() {
    this.before.push(this.snapshot());
    if (this.before.length > UNDO) this.before.shift();
  }

  undo() {
    if (!this.before.length) return;
    Object.assign(this, JSON.parse(this.before.pop()));
    this.chosen = null;
    this.changed();
  }

  snapshot() {
    const { zones, lanes, ground, rules } = this;
    return JSON.stringify({ zones, lanes, ground, rules });
  }

  choose(chosen) {
    this.chosen = chosen;
    this.changed();
  }

  move(where, [x, y]) {
    this.line(where)[where.point] = [round(x), round(y)];
    this.changed();
  }

  insert(where, [x, y]) {
    this.remember();
    this.line(where).splice(where.point, 0, [round(x), round(y)]);
    if (where.kind === "ground") this.ground.metres.splice(where.point, 0, [0, 0]);
    this.choose(where);
  }

  // A point between this one and the next, or beyond the last of a line.
  insertAfter(where) {
    const line = this.line(where);
    const here = line[where.point];
    const closed = where.line === "polygon";
    const next = line[where.point + 1] ?? (closed ? line[0] : null);
    const other = next ?? line[where.point - 1] ?? here;
    const part = next ? 0.5 : -0.5;
    const point = [here[0] + (other[0] - here[0]) * part, here[1] + (other[1] - here[1]) * part];
    this.insert({ ...where, point: where.point + 1 }, point);
  }

  delete(where) {
    this.remember();
    this.line(where).splice(where.point, 1);
    if (where.kind === "ground") this.ground.metres.splice(where.point, 1);
    this.choose({ ...where, point: Math.max(0, Math.min(where.point, this.line(where).length - 1)) });
  }

  add(kind, polygon, direction) {
    this.remember();
    if (kind === "ground") {
      this.ground = { points: polygon, metres: polygon.map(() => [0, 0]) };
    } else {
      const place = { was: null, id: this.freeName(kind), polygon };
      if (kind === "lanes") place.direction = direction;
      this[kind].push(place);
    }
    const index = kind === "ground" ? 0 : this[kind].length - 1;
    this.choose({ kind, index, line: kind === "ground" ? "points" : "polygon", point: 0 });
  }

  remove({ kind, index }) {
    this.remember();
    if (kind === "ground") {
      this.ground = null;
    } else {
      const { id } = this[kind][index];
      this[kind].splice(index, 1);
      this.renamed(kind, id, null);
    }
    this.choose(null);
  }

  rename({ kind, index }, id) {
    this.renamed(kind, this[kind][index].id, id);
    this[kind][index].id = id;
    this.changed();
  }

  // Rules name places: they follow a new name, and forget one that is gone.
  renamed(kind, old, id) {
    for (const rule of this.rules) {
      for (const field of kind === "zones" ? ["zones", "exclude"] : ["lanes"]) {
        rule[field] = rule[field]?.flatMap((name) => (name === old ? (id === null ? [] : [id]) : [name]));
      }
    }
  }

  freeName(kind) {
    const word = kind === "zones" ? "zone" : "lane";
    for (let number = 1; ; number += 1) {
      if (!this[kind].some((place) => place.id === `${word}-${number}`)) return `${word}-${number}`;
    }
  }

  // As the server takes it; of a rule only its kind, name and places.
  get change() {
    const rules = this.rules.map(({ was, kind, id, zones, exclude, lanes }) => ({ was, kind, id, zones, exclude, lanes }));
    const ground = this.ground || this.hadGround ? { ground: this.ground } : {};
    return JSON.stringify({ zones: this.zones, lanes: this.lanes, rules, ...ground });
  }
}
