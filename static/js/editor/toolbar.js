// The tools above the text: plain buttons, told apart by words, pressed where they hold.
const STYLES = [
  ["paragraph", "Text"],
  ["1", "Heading"],
  ["2", "Smaller heading"],
  ["3", "Smallest heading"],
];
const CALLOUTS = [
  ["", "Callout"],
  ["note", "Note"],
  ["important", "Important"],
  ["warning", "Warning"],
];

const TOOLS = [
  { icon: "bold", label: "Bold", on: "bold", run: (c) => c.toggleBold() },
  { icon: "italic", label: "Italic", on: "italic", run: (c) => c.toggleItalic() },
  { icon: "underline", label: "Underline", on: "underline", run: (c) => c.toggleUnderline() },
  null,
  { icon: "list", label: "List", on: "bulletList", run: (c) => c.toggleBulletList() },
  { icon: "list-numbers", label: "Numbered list", on: "orderedList", run: (c) => c.toggleOrderedList() },
  { icon: "stairs-up", label: "Steps", on: "steps", run: (c) => c.toggleSteps() },
  null,
  { icon: "blockquote", label: "Quotation", on: "blockquote", run: (c) => c.toggleBlockquote() },
  { icon: "code", label: "Code", on: "codeBlock", run: (c) => c.toggleCodeBlock() },
  { icon: "separator-horizontal", label: "Line", run: (c) => c.setHorizontalRule() },
  { icon: "table", label: "Table", on: "table", run: (c) => c.insertTable({ rows: 3, cols: 3, withHeaderRow: true }) },
];
const TABLE = [
  ["Row below", (c) => c.addRowAfter()],
  ["Column right", (c) => c.addColumnAfter()],
  ["Remove row", (c) => c.deleteRow()],
  ["Remove column", (c) => c.deleteColumn()],
  ["Remove table", (c) => c.deleteTable()],
];
const LAST = [
  { icon: "arrow-back-up", label: "Undo", run: (c) => c.undo() },
  { icon: "arrow-forward-up", label: "Redo", run: (c) => c.redo() },
];

let sprite = "";
export const useSprite = (address) => { sprite = address; };

function drawn(icon) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${sprite}#${icon}`);
  svg.append(use);
  return svg;
}

export function button({ icon, label, text = "" }) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = text ? "btn btn-quiet" : "btn btn-quiet btn-icon";
  made.title = label;
  if (icon) made.append(drawn(icon));
  if (text) made.append(text);
  else made.setAttribute("aria-label", label);
  return made;
}

function select(label, options) {
  const made = document.createElement("select");
  made.setAttribute("aria-label", label);
  for (const [value, words] of options) made.append(new Option(words, value));
  return made;
}

// `extras` are tools of the page (picture, link, document): { icon, label, run(editor) }.
export function toolbar(editor, extras) {
  const bar = document.createElement("div");
  bar.className = "editor-tools";
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", "Text");
  const shows = [];
  const chain = () => editor.chain().focus();

  const style = select("Kind of paragraph", STYLES);
  style.addEventListener("change", () => {
    if (style.value === "paragraph") chain().setParagraph().run();
    else chain().setHeading({ level: Number(style.value) }).run();
  });
  shows.push(() => {
    const level = [1, 2, 3, 4].find((each) => editor.isActive("heading", { level: each }));
    style.value = level ? String(Math.min(level, 3)) : "paragraph";
  });
  bar.append(style);

  const add = (tool) => {
    if (!tool) {
      bar.append(Object.assign(document.createElement("span"), { className: "tools-gap" }));
      return;
    }
    const made = button(tool);
    made.addEventListener("click", () => (tool.page ? tool.run(editor) : tool.run(chain()).run()));
    if (tool.on) shows.push(() => made.setAttribute("aria-pressed", String(editor.isActive(tool.on))));
    if (tool.why) {
      made.disabled = true;
      made.title = tool.why;
    }
    bar.append(made);
  };
  TOOLS.forEach(add);

  const callout = select("Callout", CALLOUTS);
  callout.addEventListener("change", () => {
    if (callout.value) chain().setCallout(callout.value).run();
    else chain().lift("callout").run();
  });
  shows.push(() => { callout.value = editor.getAttributes("callout").kind || ""; });
  bar.append(callout);
  extras.forEach((tool) => add({ ...tool, page: true }));
  LAST.forEach(add);

  const rows = document.createElement("div");
  rows.className = "editor-table-tools";
  rows.hidden = true;
  for (const [label, run] of TABLE) {
    const made = button({ label, text: label });
    made.addEventListener("click", () => run(chain()).run());
    rows.append(made);
  }
  shows.push(() => { rows.hidden = !editor.isActive("table"); });

  const show = () => shows.forEach((each) => each());
  editor.on("transaction", show);
  show();
  return [bar, rows];
}
