// On the map of the processes: pointing at one shows its own lines, the others step back.
const map = document.querySelector(".process-map");

function point(key) {
  map.classList.toggle("is-pointed", key !== null);
  for (const line of map.querySelectorAll(".map-line")) {
    line.classList.toggle("is-on", line.dataset.from === key || line.dataset.to === key);
  }
}

if (map) {
  for (const box of map.querySelectorAll(".map-box")) {
    for (const begin of ["pointerenter", "focus"]) {
      box.addEventListener(begin, () => point(box.dataset.key));
    }
    for (const end of ["pointerleave", "blur"]) {
      box.addEventListener(end, () => point(null));
    }
  }
}
