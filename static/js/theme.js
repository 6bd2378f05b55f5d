// Sets light or dark before the first paint. A classic script, so that nothing flashes.
(function () {
  "use strict";
  var root = document.documentElement;
  var dark = window.matchMedia("(prefers-color-scheme: dark)");

  function chosen() {
    try {
      return localStorage.getItem("theme") || "auto";
    } catch (refused) {
      return "auto";
    }
  }

  function apply() {
    var choice = chosen();
    var isDark = choice === "dark" || (choice === "auto" && dark.matches);
    root.setAttribute("data-bs-theme", isDark ? "dark" : "light");
    root.setAttribute("data-theme-choice", choice);
  }

  apply();
  dark.addEventListener("change", apply);
  window.addEventListener("storage", apply);
  window.qmsTheme = { apply: apply, chosen: chosen };
})();
