// What was typed and not yet saved survives a closed tab: kept in this browser until it is saved.
const DAYS = 14;

export function backup(field, editor, form) {
  const key = `qms-draft:${location.pathname}`;
  const version = form.querySelector("[name=version]")?.value || "new";

  const forget = () => localStorage.removeItem(key);
  const keep = () => {
    try {
      localStorage.setItem(key, JSON.stringify({ at: Date.now(), version, tree: editor.getJSON() }));
    } catch { /* the browser keeps nothing: then only saving does */ }
  };

  const stored = (() => {
    try { return JSON.parse(localStorage.getItem(key)); } catch { return null; }
  })();
  const now = JSON.stringify(editor.getJSON());
  if (stored && Date.now() - stored.at < DAYS * 86400000 && JSON.stringify(stored.tree) !== now) {
    offer(field, editor, stored, version, forget);
  } else if (stored) {
    forget();
  }

  let timer = 0;
  form.addEventListener("submit", keep);
  return {
    changed() {
      clearTimeout(timer);
      timer = setTimeout(keep, 500);
    },
  };
}

function offer(field, editor, stored, version, forget) {
  const note = document.createElement("p");
  note.className = "note";
  note.setAttribute("role", "status");
  const when = new Date(stored.at).toLocaleString();
  const since = stored.version === version ? "" : " The draft was saved by somebody since.";
  note.append(`There is text from ${when} that was not saved here.${since} `);
  const take = Object.assign(document.createElement("button"), { type: "button", className: "btn", textContent: "Put it back" });
  const drop = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-quiet", textContent: "Forget it" });
  take.addEventListener("click", () => { editor.commands.setContent(stored.tree); note.remove(); });
  drop.addEventListener("click", () => { forget(); note.remove(); });
  note.append(take, drop);
  field.prepend(note);
}
