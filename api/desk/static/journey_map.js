// The journey of one plate: its stops in order of time, and the way between them, as the table beside it tells.
import { legLine, markers, openMap, showAll, showMarker, stopMarker } from "/static/map.js";

const element = document.querySelector("#journey-map");
if (element) {
  const map = openMap(element);
  const stops = [...document.querySelectorAll("[data-stop]")].filter((row) => row.dataset.lat);
  const place = ({ dataset }) => [Number(dataset.lat), Number(dataset.lon)];
  showAll(map, stops.map(place));

  stops.forEach((row, index) => {
    const { metres, leg, kind } = row.dataset;
    if (index && Number(metres) > 0) legLine(map, place(stops[index - 1]), place(row), { kind, told: leg }).addTo(map);
  });

  const atOnePlace = new Map();
  for (const row of stops) {
    const key = `${row.dataset.lat} ${row.dataset.lon}`;
    atOnePlace.set(key, [...(atOnePlace.get(key) ?? []), row]);
  }
  const found = new Map();
  for (const rows of atOnePlace.values()) {
    const content = document.createElement("div");
    content.className = "popup";
    const heading = document.createElement("strong");
    heading.textContent = rows[0].dataset.camera;
    const times = document.createElement("ol");
    for (const row of rows) {
      const entry = document.createElement("li");
      entry.value = Number(row.dataset.stop);
      entry.textContent = [row.dataset.time, row.dataset.leg].filter(Boolean).join(" · ");
      times.append(entry);
    }
    content.append(heading, times);
    const label = rows.length > 3 ? `${rows[0].dataset.stop}…${rows.at(-1).dataset.stop}` : rows.map((row) => row.dataset.stop).join(", ");
    const flagged = rows.some((row) => row.dataset.kind === "cloned");
    const marker = stopMarker(place(rows[0]), label, { flagged, title: `${label}: ${rows[0].dataset.camera}`, content });
    for (const row of rows) found.set(row, marker);
  }
  markers([...new Set(found.values())]).addTo(map);

  document.querySelector("#stops").addEventListener("click", (event) => {
    const row = event.target.closest("[data-show]")?.closest("[data-stop]");
    if (found.has(row)) showMarker(map, found.get(row));
  });
}
