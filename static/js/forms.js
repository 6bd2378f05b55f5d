// Forms: send once, warn before typed text is lost, lead to what is wrong.
export function startForms() {
  const wrong = document.querySelector("main [data-error-summary]");
  if (wrong) wrong.focus();

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent && !form.hasAttribute("hx-post")) {
      event.preventDefault();
      return;
    }
    if (form.method !== "post") return;
    form.dataset.sent = "yes";
    delete form.dataset.changed;
    // A page brought back by the Back button may be sent again.
    window.addEventListener("pageshow", () => delete form.dataset.sent, { once: true });
  });

  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-guard]");
    if (form) form.dataset.changed = "yes";
  });

  window.addEventListener("beforeunload", (event) => {
    if (document.querySelector("form[data-changed]")) event.preventDefault();
  });
}
