// A marked passage of a document becomes what the comment is about.
const form = document.querySelector("[data-comment]");
const text = document.querySelector(".prose");

function blockOf(node) {
  const element = node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement;
  const block = element?.closest("[id^='b']");
  return block && text.contains(block) && /^b\d+$/.test(block.id) ? block.id.slice(1) : "";
}

if (form && text) {
  const shown = form.querySelector("[data-passage]");
  document.addEventListener("selectionchange", () => {
    const selection = document.getSelection();
    if (!selection.rangeCount || selection.isCollapsed || !text.contains(selection.anchorNode)) return;
    const words = selection.toString().replace(/\s+/g, " ").trim().slice(0, 500);
    if (!words) return;
    form.elements.quote.value = words;
    form.elements.block.value = blockOf(selection.getRangeAt(0).startContainer);
    shown.textContent = words;
    shown.hidden = false;
  });
}
