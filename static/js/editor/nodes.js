// What a text holds beside plain paragraphs: steps, callouts, pictures, pointers to documents.
// The names and attributes are those of documents/content/schema.py.
import { Node, mergeAttributes } from "@tiptap/core";
import { Table } from "@tiptap/extension-table";

export const Steps = Node.create({
  name: "steps",
  group: "block list",
  content: "listItem+",
  parseHTML: () => [{ tag: "ol.steps", priority: 60 }],
  renderHTML: () => ["ol", { class: "steps" }, 0],
  addCommands() {
    return { toggleSteps: () => ({ commands }) => commands.toggleList("steps", "listItem") };
  },
});

export const Callout = Node.create({
  name: "callout",
  group: "block",
  content: "block+",
  defining: true,
  addAttributes: () => ({
    kind: {
      default: "note",
      parseHTML: (element) => element.dataset.kind || "note",
      renderHTML: ({ kind }) => ({ "data-kind": kind, class: `callout callout-${kind}` }),
    },
  }),
  parseHTML: () => [{ tag: "aside[data-kind]" }],
  renderHTML: ({ HTMLAttributes }) => ["aside", mergeAttributes(HTMLAttributes), 0],
  addCommands() {
    return {
      setCallout: (kind) => ({ commands, editor }) => {
        if (!editor.isActive("callout")) return commands.wrapIn("callout", { kind });
        if (editor.isActive("callout", { kind })) return commands.lift("callout");
        return commands.updateAttributes("callout", { kind });
      },
    };
  },
});

export const Picture = Node.create({
  name: "image",
  group: "block",
  atom: true,
  draggable: true,
  addAttributes: () => ({
    attachment: { default: null, parseHTML: (element) => Number(element.dataset.attachment) || null },
    alt: { default: "", parseHTML: (element) => element.getAttribute("alt") || "" },
  }),
  // Only our own pictures are taken from a paste; others are uploaded by the person.
  parseHTML: () => [{ tag: "img[data-attachment]" }],
  renderHTML: ({ node }) => [
    "figure",
    {},
    ["img", { src: `/files/${node.attrs.attachment}/picture/large/`, alt: node.attrs.alt, "data-attachment": node.attrs.attachment }],
    ["figcaption", {}, node.attrs.alt || ""],
  ],
});

export const DocumentLink = Node.create({
  name: "documentLink",
  group: "inline",
  inline: true,
  atom: true,
  addAttributes: () => ({
    document: { default: null, parseHTML: (element) => Number(element.dataset.document) || null },
  }),
  addStorage: () => ({ names: {} }),
  parseHTML: () => [{ tag: "a[data-document]" }],
  renderHTML({ node }) {
    const key = node.attrs.document;
    return ["a", { "data-document": key, class: "document-link" }, this.storage.names[key] || `document ${key}`];
  },
});

// Without widths: the page and the paper set them, and a style attribute would be refused here.
export const PlainTable = Table.extend({
  renderHTML: () => ["table", {}, ["tbody", 0]],
}).configure({ resizable: false });
