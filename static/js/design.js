// Designing a form: the head of a field says its label while it is typed.
document.addEventListener("input", (event) => {
  const label = event.target.closest("[data-label]");
  const title = label?.closest("details")?.querySelector("[data-title]");
  if (title) title.textContent = label.value.trim() || "New field";
});

// A field that was just added or moved is looked at, also where the page was swapped.
document.addEventListener("htmx:afterSettle", () => {
  const first = document.querySelector("#design [autofocus]");
  first?.focus();
  first?.closest("details")?.scrollIntoView({ block: "nearest" });
});
