// The menu of further pages closes by Escape, and when the reader turns to something else.
function close() {
  const menu = document.querySelector(".further[open]");
  if (menu) menu.open = false;
  return menu;
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") close()?.querySelector("summary").focus();
});
for (const name of ["pointerdown", "focusin"]) {
  document.addEventListener(name, (event) => event.target.closest?.(".further") ?? close());
}
