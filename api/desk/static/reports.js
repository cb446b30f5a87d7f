// The form of a report: shows the days that its span needs.
const form = document.querySelector("[data-report]");

function fit() {
  for (const field of form.querySelectorAll("[data-for]")) {
    field.hidden = !field.dataset.for.split(" ").includes(form.elements.span.value);
  }
}

form.elements.span.addEventListener("change", fit);
fit();
