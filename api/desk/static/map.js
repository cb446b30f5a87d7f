// The desk's maps: cameras and journeys on the site's own ground. Nothing is asked of any other server.
// A keyboard has the list or table beside each map: hundreds of markers to step through would be none.
import * as L from "/static/vendor/leaflet/leaflet-src.esm.js";

const CLOSEST = 18;
const NEAR = 16;
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Pictures of the ground. Leaflet's own layer gives up a tile by an address that the page's policy refuses. */
const Tiles = L.GridLayer.extend({
  initialize(address, options) {
    this.address = address;
    L.setOptions(this, options);
  },
  createTile(place, done) {
    const tile = document.createElement("img");
    tile.alt = "";
    tile.onload = () => done(null, tile);
    tile.onerror = () => done(new Error("no such tile"), tile);
    tile.src = L.Util.template(this.address, place);
    return tile;
  },
});

/** A map in `element`, whose data attributes name its ground; without ground it is plain, with a scale. */
export function openMap(element) {
  const { tiles, layer, attribution, mostZoom, leastZoom, zoomIn, zoomOut } = element.dataset;
  const map = L.map(element, { zoomControl: false, maxZoom: CLOSEST, zoomAnimation: !calm, fadeAnimation: !calm, markerZoomAnimation: !calm });
  map.attributionControl.setPrefix(false);
  L.control.zoom({ zoomInTitle: zoomIn, zoomOutTitle: zoomOut }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);
  if (tiles) {
    new Tiles(tiles, { maxZoom: CLOSEST, maxNativeZoom: Number(mostZoom), minNativeZoom: Number(leastZoom) }).addTo(map);
    if (attribution) map.attributionControl.addAttribution(plainText(attribution));
  }
  if (layer) addLayer(map, layer);
  return map;
}

/** Shows all of these places, [latitude, longitude], at once. */
export function showAll(map, places) {
  if (places.length) map.fitBounds(L.latLngBounds(places), { padding: [36, 36], maxZoom: NEAR, animate: false });
  else map.setView([0, 0], 1);
}

/** Moves to a marker and opens what it tells. */
export function showMarker(map, marker) {
  map.setView(marker.getLatLng(), Math.max(map.getZoom(), NEAR), { animate: !calm });
  marker.openPopup();
}

/** A camera as an element describes it: `data-lat`, `data-lon`, `data-name`, `data-condition`, and perhaps
    `data-heading`, `data-angle`, `data-count`. The popup shows the element's own content. */
export function cameraMarker(element, { chosen = false } = {}) {
  const { lat, lon, name, condition = "idle", heading, angle, count = "0" } = element.dataset;
  const icon = L.divIcon({
    className: `camera-icon ${condition}${chosen ? " chosen" : ""}`,
    html: cameraPicture(condition, heading, angle, Number(count)),
    iconSize: [64, 64],
    iconAnchor: [32, 32],
    popupAnchor: [0, -12],
  });
  const marker = L.marker([Number(lat), Number(lon)], { icon, keyboard: false, title: name, zIndexOffset: chosen ? 1000 : Math.min(500, Number(count)) });
  return marker.bindPopup(() => contentOf(element));
}

/** A numbered stop of a journey. */
export function stopMarker(place, label, { flagged = false, title = "", content }) {
  const icon = L.divIcon({ className: `stop-icon${flagged ? " flagged" : ""}`, html: plainText(label), iconSize: null });
  return L.marker(place, { icon, keyboard: false, title }).bindPopup(content);
}

/** The way from one stop to the next, with an arrow half way. */
export function legLine(map, from, to, { kind = "", told = "" }) {
  const line = L.polyline([from, to], { className: `leg ${kind}` });
  if (told) line.bindTooltip(plainText(told), { sticky: true });
  const [start, end] = [map.project(from, CLOSEST), map.project(to, CLOSEST)];
  const turn = (Math.atan2(end.y - start.y, end.x - start.x) * 180) / Math.PI;
  const html = `<svg viewBox="-8 -8 16 16" width="16" height="16"><path transform="rotate(${turn.toFixed(1)})" d="M-5-6 7 0-5 6z"/></svg>`;
  const icon = L.divIcon({ className: `arrow-icon ${kind}`, html, iconSize: [16, 16], iconAnchor: [8, 8] });
  const middle = map.unproject(start.add(end).divideBy(2), CLOSEST);
  return L.layerGroup([line, L.marker(middle, { icon, interactive: false, keyboard: false })]);
}

export function markers(list) {
  return L.featureGroup(list);
}

/** The element's content, without what only the list needs. */
export function contentOf(element) {
  const content = document.createElement("div");
  content.append(...[...element.cloneNode(true).childNodes].filter((part) => !part.matches?.("[data-list-only]")));
  content.className = "popup";
  return content;
}

function cameraPicture(condition, heading, angle, count) {
  const size = count > 0 ? Math.min(16, 10 + Math.log2(1 + count)) : 8;
  const shapes = {
    live: `<circle class="body" r="${size}"/>`,
    trouble: `<path class="body" d="M0-${size + 3} ${size + 3} 0 0 ${size + 3}-${size + 3} 0z"/>`,
    idle: `<circle class="body" r="${size}"/>`,
  };
  const number = count > 0 ? `<text y="4">${count > 999 ? "999+" : count}</text>` : "";
  return `<svg viewBox="-32 -32 64 64" width="64" height="64" aria-hidden="true">${view(heading, angle)}${shapes[condition] ?? shapes.idle}${number}</svg>`;
}

function view(heading, angle) {
  if (heading === undefined) return "";
  const half = (Math.min(340, Number(angle ?? 60)) / 2) * (Math.PI / 180);
  const [x, y] = [30 * Math.sin(half), -30 * Math.cos(half)];
  const large = half > Math.PI / 2 ? 1 : 0;
  return `<path class="view" transform="rotate(${Number(heading)})" d="M0 0 ${(-x).toFixed(1)} ${y.toFixed(1)}A30 30 0 ${large} 1 ${x.toFixed(1)} ${y.toFixed(1)}z"/>`;
}

async function addLayer(map, address) {
  const answer = await fetch(address, { credentials: "same-origin" });
  if (!answer.ok) return;
  const bindName = (feature, shape) => {
    const name = feature.properties?.name;
    if (name) shape.bindTooltip(plainText(String(name)), { sticky: true });
  };
  L.geoJSON(await answer.json(), { style: (feature) => ({ className: feature.geometry.type.includes("Polygon") ? "ground area" : "ground" }), pointToLayer: () => L.layerGroup(), onEachFeature: bindName })
    .addTo(map)
    .bringToBack();
}

/** Leaflet takes texts as HTML. */
function plainText(text) {
  const holder = document.createElement("span");
  holder.textContent = text;
  return holder.innerHTML;
}
