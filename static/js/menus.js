// Menus are <details>: close them on Escape, on a click beside them, and when another one opens.
export function startMenus() {
  const open = () => document.querySelectorAll("details.menu[open]");

  document.addEventListener("click", (event) => {
    for (const menu of open()) {
      const drawer = menu.classList.contains("side-open") && event.target === menu;
      if (drawer || !menu.contains(event.target)) menu.open = false;
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of open()) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  const choices = document.querySelectorAll("button[data-theme-choice]");
  const show = () => {
    const now = window.qmsTheme ? window.qmsTheme.chosen() : "auto";
    for (const each of choices) {
      each.setAttribute("aria-pressed", String(each.dataset.themeChoice === now));
    }
  };
  for (const each of choices) {
    each.addEventListener("click", () => {
      localStorage.setItem("theme", each.dataset.themeChoice);
      window.qmsTheme.apply();
      show();
    });
  }
  show();
}
