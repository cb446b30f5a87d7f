// Keys of a page: each presses something that the page also offers to the mouse.

const TYPING = "input:not([type=radio], [type=checkbox], [type=range]), textarea, select";

/** Whether the key belongs to a field, or presses the button or link that has the focus. */
function taken(event) {
  if (event.target.matches(TYPING)) return true;
  return (event.key === " " || event.key === "Enter") && event.target.matches("a, button, summary, [type=checkbox]");
}

/** Call `act(key, event)` for each key that no field takes; it returns false for one that it does not know.
 *  `typed(event)` sees those of the fields first, and returns true where it deals with them. */
export function listen(act, typed = () => false) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (document.querySelector("dialog[open]")) return;
    if (typed(event)) {
      event.preventDefault();
      return;
    }
    if (event.key === "Escape") event.target.blur();
    if (taken(event)) return;
    if (event.key === "?") help();
    else if (act(event.key, event) === false) return;
    event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-help]")) help();
  });
}

function help() {
  document.querySelector("dialog.keys")?.showModal();
}
