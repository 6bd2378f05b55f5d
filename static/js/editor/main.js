// The editor of documents: takes the place of the textarea and writes its tree back into it.
// Without a script the textarea stays and takes Markdown; the server reads both.
import { Editor } from "@tiptap/core";
import { TableCell, TableHeader, TableRow } from "@tiptap/extension-table";
import { Placeholder } from "@tiptap/extensions";
import StarterKit from "@tiptap/starter-kit";

import { backup } from "./backup.js";
import { ask, input } from "./dialogs.js";
import { keepLease } from "./lease.js";
import { Callout, DocumentLink, PlainTable, Picture, Steps } from "./nodes.js";
import { toolbar, useSprite } from "./toolbar.js";

const csrf = () => document.querySelector("[name=csrfmiddlewaretoken]").value;

async function answerOf(response) {
  const told = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(told.detail || "The server did not answer. Try again.");
  return told;
}

async function upload(address, file) {
  const body = new FormData();
  body.append("file", file);
  const headers = { "X-CSRFToken": csrf() };
  return answerOf(await fetch(address, { method: "POST", body, headers }));
}

function pictureTool(address, places) {
  return {
    icon: "photo",
    label: "Picture",
    why: address ? "" : "Save the draft first; then pictures can be put in.",
    async run(editor) {
      const file = input("file", { accept: "image/png,image/jpeg,image/webp" });
      const alt = input("text", { maxLength: 300 });
      let kept = null;
      const check = async () => {
        if (!file.files.length) throw new Error("Choose a picture.");
        kept = await upload(address, file.files[0]);
      };
      const asked = await ask("Picture", [
        { label: "File", input: file, check },
        { label: "What it shows, for those who cannot see it", input: alt },
      ]);
      if (asked) editor.chain().focus().insertContent({ type: "image", attrs: { attachment: kept.attachment, alt: alt.value } }).run();
    },
  };
}

const linkTool = {
  icon: "link",
  label: "Link",
  on: "link",
  async run(editor) {
    const address = input("text", { value: editor.getAttributes("link").href || "", placeholder: "https://" });
    const asked = await ask("Link", [{ label: "Address; empty takes the link away", input: address }], "Set");
    if (!asked) return;
    const chain = editor.chain().focus().extendMarkRange("link");
    if (address.value.trim()) chain.setLink({ href: address.value.trim() }).run();
    else chain.unsetLink().run();
  },
};

function documentTool(address) {
  return {
    icon: "file-symlink",
    label: "Document",
    why: address ? "" : "Documents cannot be looked up here.",
    async run(editor) {
      const query = input("search", { placeholder: "Number or title" });
      const list = Object.assign(document.createElement("div"), { className: "found-list" });
      list.setAttribute("role", "radiogroup");
      let chosen = null;
      let latest = 0;
      const look = async () => {
        const mine = ++latest;
        const response = await fetch(`${address}?q=${encodeURIComponent(query.value)}`);
        const { found } = await answerOf(response);
        if (mine !== latest) return;
        list.replaceChildren(...found.map((each) => {
          const label = document.createElement("label");
          label.className = "check";
          const radio = input("radio", { name: "found-document" });
          radio.addEventListener("change", () => { chosen = each; });
          label.append(radio, Object.assign(document.createElement("span"), { textContent: each.name }));
          return label;
        }));
      };
      query.addEventListener("input", () => { look().catch(() => list.replaceChildren()); });
      const check = async () => { if (!chosen) throw new Error("Choose a document from those found."); };
      const asked = await ask("Point at a document", [{ label: "Find", input: query, below: list, check }]);
      if (!asked) return;
      editor.storage.documentLink.names[chosen.id] = chosen.name;
      editor.chain().focus().insertContent({ type: "documentLink", attrs: { document: chosen.id } }).run();
    },
  };
}

function start(field) {
  const textarea = field.querySelector("textarea");
  const label = document.querySelector(`label[for="${textarea.id}"]`);
  const { tree, names, pictures, documents, sprite } = field.dataset;
  useSprite(sprite);
  const place = document.createElement("div");
  place.className = "editor";
  const editor = new Editor({
    element: place,
    injectCSS: false,
    content: JSON.parse(tree),
    extensions: [
      StarterKit.configure({
        heading: { levels: [1, 2, 3, 4] },
        link: { openOnClick: false, autolink: true, protocols: ["mailto"] },
      }),
      PlainTable, TableRow, TableCell, TableHeader, Steps, Callout, Picture, DocumentLink,
      Placeholder.configure({ placeholder: "Write here. What is done, by whom, and how one sees that it is done well." }),
    ],
    editorProps: {
      attributes: {
        class: "prose",
        role: "textbox",
        "aria-multiline": "true",
        "aria-label": label ? label.textContent.trim() : "Text",
      },
    },
    onBeforeCreate({ editor: made }) {
      Object.assign(made.storage.documentLink.names, JSON.parse(names || "{}"));
    },
  });
  const tools = toolbar(editor, [linkTool, documentTool(documents), pictureTool(pictures)]);
  textarea.hidden = true;
  field.querySelector(".help")?.remove();
  const help = document.getElementById(`${textarea.id}_helptext`);
  if (help) help.hidden = true;
  field.append(...tools, place);

  const write = () => { textarea.value = JSON.stringify(editor.getJSON()); };
  const changed = () => { write(); textarea.dispatchEvent(new Event("input", { bubbles: true })); };
  const form = textarea.form;
  const kept = backup(field, editor, form);
  editor.on("update", () => { changed(); kept.changed(); });
  form.addEventListener("submit", write);
  // What the browser restores after "back" is the tree, not Markdown.
  if (textarea.value.startsWith("{")) {
    try { editor.commands.setContent(JSON.parse(textarea.value)); } catch { /* as it was */ }
  }
  write();
  field.editor = editor;
}

document.querySelectorAll("[data-editor]").forEach(start);
keepLease(document.querySelector("[data-lease]"), csrf);
// After a refusal htmx puts the form anew.
document.body.addEventListener("htmx:afterSwap", () => {
  document.querySelectorAll("[data-editor]").forEach((field) => { if (!field.editor) start(field); });
});
