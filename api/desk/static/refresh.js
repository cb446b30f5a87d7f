// Parts of a page that look after themselves: every so many seconds, and only while somebody can see them.
function refresh(part) {
  if (!document.hidden) part.dispatchEvent(new Event("refresh"));
}

for (const { id, dataset } of document.querySelectorAll("[data-refresh]")) {
  const now = () => document.getElementById(id);
  setInterval(() => refresh(now()), 1000 * Number(dataset.refresh));
  document.addEventListener("visibilitychange", () => refresh(now()));
}

// A session that has ended answers with the page to sign in, which is no part of this one.
document.addEventListener("htmx:before:swap", (event) => {
  if (!event.detail.ctx?.response?.raw?.redirected) return;
  event.preventDefault();
  location.reload();
});

for (const button of document.querySelectorAll("[data-fullscreen]")) {
  button.hidden = !document.fullscreenEnabled;
  button.addEventListener("click", () => document.getElementById(button.dataset.fullscreen).requestFullscreen());
}
