// A card drawn into another lane opens the form of that step. Nothing is moved here: the form asks,
// the server refuses. Without this script the buttons on the card lead to the same forms.

const ways = (card) =>
  new Map(
    (card.dataset.leads || "")
      .split(" ")
      .filter(Boolean)
      .map((pair) => pair.split(/=(.*)/s).slice(0, 2)),
  );

let drawn = null;

for (const card of document.querySelectorAll(".card-case")) {
  if (!ways(card).size) continue;
  card.draggable = true;
  card.addEventListener("dragstart", (event) => {
    drawn = card;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", card.querySelector(".card-title").textContent.trim());
    for (const lane of document.querySelectorAll(".lane")) {
      lane.classList.toggle("lane-open", ways(card).has(lane.dataset.lane));
    }
  });
  card.addEventListener("dragend", () => {
    drawn = null;
    for (const lane of document.querySelectorAll(".lane")) lane.classList.remove("lane-open");
  });
}

for (const lane of document.querySelectorAll(".lane")) {
  lane.addEventListener("dragover", (event) => {
    if (drawn && ways(drawn).has(lane.dataset.lane)) event.preventDefault();
  });
  lane.addEventListener("drop", (event) => {
    const way = drawn && ways(drawn).get(lane.dataset.lane);
    if (!way) return;
    event.preventDefault();
    window.location.assign(way);
  });
}
