// Ctrl K (Command K) and "/" go to the search from anywhere but a field.
export function startSearch() {
  const find = document.getElementById("find");
  if (!find) return;

  document.addEventListener("keydown", (event) => {
    const combination = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k";
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (combination || (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey)) {
      event.preventDefault();
      find.focus();
      find.select();
    }
  });
}
