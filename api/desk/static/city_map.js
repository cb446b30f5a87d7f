// All cameras of the city, beside their list.
import { cameraMarker, openMap, showAll, showMarker } from "/static/map.js";

const list = document.querySelector("#cameras-on-map");
const entries = [...list.querySelectorAll("[data-lat]")];
const map = openMap(document.querySelector("#city-map"));
const places = new Map(entries.map((entry) => [entry, cameraMarker(entry)]));

const placesOf = (shown) => shown.map(({ dataset }) => [Number(dataset.lat), Number(dataset.lon)]);
showAll(map, placesOf(entries));
for (const marker of places.values()) marker.addTo(map);

list.addEventListener("click", (event) => {
  const entry = event.target.closest("[data-show]")?.closest("[data-lat]");
  if (entry) showMarker(map, places.get(entry));
});

for (const choice of document.querySelectorAll("[data-only]")) {
  choice.addEventListener("change", () => {
    const wanted = new Set([...document.querySelectorAll("[data-only]:checked")].map((box) => box.value));
    for (const entry of list.children) entry.hidden = !wanted.has(entry.dataset.condition);
    for (const [entry, marker] of places) entry.hidden ? marker.remove() : marker.addTo(map);
  });
}
