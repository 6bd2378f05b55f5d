// Answering clause after clause by keyboard: 1 to 5 rate, n and p move, Ctrl+Enter saves.
const form = document.querySelector("form[data-answer]");

function isTyping(target) {
  return target.matches("textarea, select, input:not([type=radio], [type=checkbox])");
}

document.addEventListener("keydown", (event) => {
  if (form && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form.requestSubmit(form.querySelector("[data-send]"));
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const rate = form?.querySelectorAll("input[name=rating]")[Number(event.key) - 1];
  if (rate) {
    rate.click();
    rate.focus();
    openPlan();
    return;
  }
  const way = document.querySelector(`a[data-key="${CSS.escape(event.key)}"]`);
  if (way) way.click();
});

// Who says that something is missing plans what will be done; the fields come to them.
function openPlan() {
  const chosen = form?.querySelector("input[name=rating]:checked")?.value;
  const plan = form?.querySelector(".plan-part");
  if (plan && ["not_started", "partly", "largely"].includes(chosen)) plan.open = true;
}

// What was ticked among the found records stays, whatever is searched next.
function keepPicked(box) {
  document.querySelector(".picks").append(box.closest("label"));
  form.elements.another.value = "";
  document.getElementById("found-records").replaceChildren();
}

form?.addEventListener("change", (event) => {
  if (event.target.closest("#found-records")) keepPicked(event.target);
  if (event.target.name === "rating") openPlan();
});
