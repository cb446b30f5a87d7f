// The queue by the keyboard: j and k walk the list, Enter opens the case that has the focus.
import { listen } from "./keys.js";

function walk(by) {
  const cases = [...document.querySelectorAll("a.case")];
  if (!cases.length) return;
  const at = cases.indexOf(document.activeElement);
  const next = at < 0 ? (by > 0 ? 0 : cases.length - 1) : Math.min(cases.length - 1, Math.max(0, at + by));
  cases[next].focus();
  cases[next].scrollIntoView({ block: "nearest" });
}

const KEYS = {
  j: () => walk(1),
  k: () => walk(-1),
  n: () => document.querySelector("[data-review-next]")?.click(),
  "/": () => document.querySelector(".filters select")?.focus(),
};

/** Where the review of what waits begins, under the filter as it stands now. */
function begin() {
  const fields = new FormData(document.querySelector(".filters"));
  const chosen = [...fields].filter(([, value]) => value);
  return `/review/next?${new URLSearchParams(chosen)}`;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-review-next]");
  if (link) link.href = begin();
});

listen((key) => (KEYS[key.toLowerCase()] ? KEYS[key.toLowerCase()]() : false));

// What asks for all needs no mention in the address.
document.addEventListener("formdata", ({ formData }) => {
  for (const [name, value] of [...formData]) if (!value) formData.delete(name);
});
