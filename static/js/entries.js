// Filling in a form: more rows of a table without leaving the page.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-more-rows]");
  if (!button) return;
  const body = button.closest(".table-input").querySelector("tbody");
  const last = body.rows[body.rows.length - 1];
  const row = last.cloneNode(true);
  for (const input of row.querySelectorAll("input, select")) {
    input.value = "";
    input.name = input.name.replace(/-(\d+)-/, (_, at) => `-${Number(at) + 1}-`);
    input.ariaLabel = input.ariaLabel.replace(/\d+$/, (at) => String(Number(at) + 1));
  }
  body.append(row);
  row.querySelector("input, select").focus();
  event.preventDefault();
});
