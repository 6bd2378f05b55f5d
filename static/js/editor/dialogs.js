// Small questions of the editor, asked in the page's own <dialog>, never by window.prompt.
export function ask(title, fields, action = "Insert") {
  return new Promise((done) => {
    const dialog = document.createElement("dialog");
    dialog.className = "dialog";
    const form = document.createElement("form");
    form.method = "dialog";
    const head = document.createElement("h2");
    head.textContent = title;
    form.append(head);
    for (const field of fields) {
      const place = document.createElement("div");
      place.className = "field";
      const label = document.createElement("label");
      label.textContent = field.label;
      label.append(field.input);
      place.append(label);
      if (field.below) place.append(field.below);
      form.append(place);
    }
    const said = document.createElement("p");
    said.className = "wrong";
    said.setAttribute("role", "alert");
    const buttons = document.createElement("div");
    buttons.className = "buttons";
    const go = Object.assign(document.createElement("button"), { type: "submit", className: "btn btn-primary", textContent: action });
    const no = Object.assign(document.createElement("button"), { type: "button", className: "btn", textContent: "Cancel" });
    buttons.append(go, no);
    form.append(said, buttons);
    dialog.append(form);
    document.body.append(dialog);
    const close = (answer) => {
      dialog.close();
      dialog.remove();
      done(answer);
    };
    no.addEventListener("click", () => close(null));
    dialog.addEventListener("cancel", () => close(null));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      go.disabled = true;
      try {
        for (const field of fields) if (field.check) await field.check();
        close(fields.map((field) => field.value ? field.value() : field.input.value));
      } catch (error) {
        said.textContent = error.message;
        go.disabled = false;
      }
    });
    dialog.showModal();
    fields[0].input.focus();
  });
}

export function input(type, more = {}) {
  return Object.assign(document.createElement("input"), { type, ...more });
}
