// What every page does beyond HTML. Each part works on the elements that ask for it by a data
// attribute; without any of this the pages still work.
import { startDialogs } from "./dialogs.js";
import { startForms } from "./forms.js";
import { startMenus } from "./menus.js";
import { startSearch } from "./search.js";

startMenus();
startSearch();
startForms();
startDialogs();

// On a narrow screen a path and tabs scroll: begin at the step reached, the tab one is on.
for (const here of document.querySelectorAll(".path [aria-current=step], .tabs [aria-current]")) {
  const strip = here.closest("ul, ol");
  strip.scrollLeft = here.getBoundingClientRect().left - strip.getBoundingClientRect().left - 16;
}

// A picture of time that is wider than the screen begins where the newest stands.
for (const drawn of document.querySelectorAll(".chart-of-time")) {
  const view = drawn.closest(".figure-view");
  if (view) view.scrollLeft = view.scrollWidth;
}
