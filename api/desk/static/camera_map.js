// One camera and its neighbours, on the page of a case.
import { cameraMarker, openMap, showAll } from "/static/map.js";

function show() {
  for (const element of document.querySelectorAll("[data-camera-map]:not(.leaflet-container)")) {
    const places = [...document.querySelectorAll(`#${element.dataset.cameraMap} [data-lat]`)];
    const map = openMap(element);
    showAll(map, places.map(({ dataset }) => [Number(dataset.lat), Number(dataset.lon)]));
    places.forEach((place, index) => cameraMarker(place, { chosen: index === 0 }).addTo(map));
  }
}

document.addEventListener("desk:shown", show); // another case took this one's place
show();
