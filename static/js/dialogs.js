// One dialog for the form of a step: htmx brings the form, this opens, closes and focuses it.
export function startDialogs() {
  const dialog = document.getElementById("dialog");
  const live = document.getElementById("live");
  if (!dialog) return;
  const body = document.getElementById("dialog-body");
  let opener = null;

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target !== body && !body.contains(event.detail.elt)) return;
    if (!dialog.open) {
      opener = document.activeElement;
      dialog.showModal();
    }
    focusFirst(body);
  });

  document.addEventListener("click", (event) => {
    const close = event.target.closest("[data-close]");
    const beside = event.target === dialog;
    if (dialog.open && (beside || (close && dialog.contains(close)))) {
      event.preventDefault();
      dialog.close();
    }
  });

  dialog.addEventListener("close", () => {
    body.replaceChildren();
    if (opener && opener.isConnected) opener.focus();
    opener = null;
  });

  document.addEventListener("htmx:responseError", (event) => {
    const status = event.detail.xhr.status;
    say(
      live,
      status === 403
        ? "Your role does not allow this. Ask the quality manager if it should."
        : "The server could not answer. Reload the page, then try again.",
    );
  });

  document.addEventListener("htmx:sendError", () => {
    say(live, "There is no connection to the server. Check the network, then try again.");
  });
}

function focusFirst(body) {
  const wrong = body.querySelector("[data-error-summary]");
  const field = body.querySelector("input:not([type=hidden]), select, textarea, button[type=submit]");
  const target = wrong || field;
  if (target) target.focus();
}

// Said aloud and shown: a sentence only for screen readers would leave everyone else waiting.
function say(live, sentence) {
  live.textContent = sentence;
  const page = document.getElementById("page");
  const shown = document.createElement("div");
  shown.className = "flash flash-error";
  shown.textContent = sentence;
  page.prepend(shown);
}
