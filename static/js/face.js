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

// On a narrow screen a record's path scrolls: begin at the step it has reached.
for (const step of document.querySelectorAll(".path [aria-current=step]")) {
  step.parentElement.scrollLeft = step.offsetLeft - step.parentElement.offsetLeft - 16;
}
