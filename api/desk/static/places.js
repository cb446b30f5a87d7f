// The editor of a camera's zones and lanes: the picture, the same as figures, and what the server says of it.
import { Drawing } from "/static/places_drawing.js";
import { Places, round } from "/static/places_model.js";

const { places: given, rulePlaces, words, fields } = JSON.parse(document.getElementById("data").textContent);
const form = document.getElementById("places");
const list = document.querySelector("#list [data-list]");
const rules = document.querySelector("#rules [data-list]");
const places = new Places(given, () => show());
const drawing = new Drawing(places, document.getElementById("drawing"), document.getElementById("hint"));
const first = places.snapshot();

function copy(name) {
  return document.querySelector(`[data-template="${name}"]`).content.firstElementChild.cloneNode(true);
}

function show() {
  drawing.show();
  showList();
  showRules();
  form.elements.places.value = places.change;
  form.querySelector('[data-do="undo"]').disabled = !places.before.length;
}

// Figures are written into the rows that are there, so that whoever types in one keeps the place.
function showList() {
  const all = places.all();
  while (list.children.length > all.length) list.lastElementChild.remove();
  while (list.children.length < all.length) list.append(copy("place"));
  all.forEach(({ kind, index, place }, number) => {
    const item = list.children[number];
    Object.assign(item.dataset, { place: `${kind}[${index}]`, kind, index });
    item.open = places.chosen?.kind === kind && places.chosen.index === index;
    item.querySelector("[data-name]").textContent = place.id ?? words.ground;
    item.querySelector("[data-kind]").textContent = words[kind];
    item.querySelector("[data-id-label]").hidden = kind === "ground";
    write(item.querySelector("[data-id]"), place.id ?? "");
    const tables = item.querySelector("[data-tables]");
    const lines = kind === "ground" ? ["ground"] : kind === "lanes" ? ["polygon", "direction"] : ["polygon"];
    if ([...tables.children].map((table) => table.dataset.line).join() !== lines.join()) {
      tables.replaceChildren(...lines.map(copy));
    }
    for (const table of tables.children) showRows(table, kind === "ground" ? "points" : table.dataset.line, place);
  });
  document.querySelector("#list [data-empty]").hidden = all.length > 0;
}

function showRows(table, line, place) {
  const rows = table.tBodies[0];
  while (rows.children.length > place[line].length) rows.lastElementChild.remove();
  while (rows.children.length < place[line].length) rows.append(copy(`${table.dataset.line}-row`));
  place[line].forEach((point, number) => {
    const row = rows.children[number];
    row.dataset.point = number;
    row.classList.toggle("selected", places.chosen?.line === line && places.chosen.point === number);
    row.querySelector("th").textContent = number + 1;
    row.querySelectorAll("[data-axis]").forEach((input) => write(input, point[input.dataset.axis]));
    row.querySelectorAll("[data-metre]").forEach((input) => write(input, place.metres[number][input.dataset.metre]));
  });
}

function write(input, value) {
  if (input !== document.activeElement && input.value !== String(value)) input.value = value;
}

function showRules() {
  rules.replaceChildren(
    ...places.rules.map((rule, index) => {
      const item = copy("rule");
      item.dataset.place = `rules[${index}]`;
      item.dataset.index = index;
      const option = document.querySelector(`#new-rule option[value="${rule.kind}"]`);
      item.querySelector("[data-kind]").textContent = `${option?.textContent ?? rule.kind}${rule.id ? ` (${rule.id})` : ""}`;
      const kinds = rulePlaces[rule.kind] ?? [];
      item.querySelector("[data-fields]").replaceChildren(...kinds.map((field) => choices(rule, field)));
      return item;
    }),
  );
}

function choices(rule, field) {
  const group = document.createElement("div");
  group.className = "rule-places";
  group.append(`${fields[field]}: `);
  for (const { id } of places[field === "lanes" ? "lanes" : "zones"]) {
    const label = document.createElement("label");
    const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: Boolean(rule[field]?.includes(id)) });
    Object.assign(box.dataset, { field, choice: id });
    label.append(box, ` ${id}`);
    group.append(label);
  }
  return group;
}

function where(target) {
  const { kind, index } = target.closest("[data-kind][data-index]").dataset;
  const line = target.closest("[data-line]")?.dataset.line ?? "polygon";
  const point = Number(target.closest("[data-point]")?.dataset.point ?? 0);
  return { kind, index: Number(index), line: kind === "ground" ? "points" : line, point };
}

const ACTIONS = {
  draw: (button) => drawing.begin(button.dataset.kind),
  undo: () => places.undo(),
  insert: (button) => places.insertAfter(where(button)),
  delete: (button) => places.delete(where(button)),
  remove: (button) => places.remove(where(button)),
  "add-rule": () => {
    places.remember();
    places.rules.push({ was: null, kind: document.getElementById("new-rule").value });
    show();
  },
  "remove-rule": (button) => {
    places.remember();
    places.rules.splice(Number(button.closest("[data-index]").dataset.index), 1);
    show();
  },
};

form.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-do]");
  if (button) ACTIONS[button.dataset.do](button);
  const summary = event.target.closest(".place > summary");
  if (!summary) return;
  event.preventDefault();
  const chosen = { ...where(summary), point: 0 };
  const own = places.chosen?.kind === chosen.kind && places.chosen.index === chosen.index;
  places.choose(own ? null : chosen);
});

form.addEventListener("focusin", (event) => {
  if (event.target.matches("[data-axis], [data-metre]")) places.choose(where(event.target));
});

form.addEventListener("change", (event) => {
  const input = event.target;
  if (input.matches("[data-id], [data-axis], [data-metre], [data-field]")) places.remember();
  if (input.matches("[data-id]")) places.rename(where(input), input.value.trim());
  if (input.matches("[data-axis]")) {
    const point = where(input);
    const value = [...places.line(point)[point.point]];
    value[input.dataset.axis] = round(Number(input.value));
    places.move(point, value);
    input.value = value[input.dataset.axis];
  }
  if (input.matches("[data-metre]")) {
    places.ground.metres[where(input).point][input.dataset.metre] = Number(input.value);
    show();
  }
  if (input.matches("[data-field]")) {
    const rule = places.rules[Number(input.closest("[data-index]").dataset.index)];
    const { field, choice } = input.dataset;
    rule[field] = input.checked ? [...(rule[field] ?? []), choice] : rule[field].filter((name) => name !== choice);
    show();
  }
});

// Enter in a figure is no wish to see what changes.
form.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches("input")) return;
  event.preventDefault();
  event.target.dispatchEvent(new Event("change", { bubbles: true }));
});

// What the server found wrong stands beside the place that it is about, too.
document.addEventListener("htmx:after:swap", () => {
  for (const item of document.querySelectorAll("[data-place]")) {
    const own = [...document.querySelectorAll("#outcome [data-field]")].filter(({ dataset }) => belongs(dataset.field, item.dataset));
    const errors = item.querySelector("[data-errors]");
    errors.hidden = own.length === 0;
    errors.textContent = own.map((fault) => fault.textContent).join("\n");
    item.classList.toggle("wrong", own.length > 0);
  }
});

function belongs(field, { place, kind }) {
  return field === place || field.startsWith(`${place}.`) || (kind === "ground" && field.startsWith("ground"));
}

addEventListener("beforeunload", (event) => {
  if (places.snapshot() !== first && !form.dataset.saving) event.preventDefault();
});
form.addEventListener("submit", (event) => {
  if (event.submitter?.value === "save") form.dataset.saving = "";
});

show();
