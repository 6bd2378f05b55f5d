// Who writes: this page says every few seconds that it is still open, and shows who else is here.
const SECONDS = 20;

export function keepLease(place, csrf) {
  if (!place) return;
  const { lease, token } = place.dataset;
  let lost = false;

  const show = (told) => {
    const others = (told.readers || []).join(", ");
    place.querySelector("[data-presence]").textContent = others ? `${others} looks at it too.` : "";
    const taken = place.querySelector("[data-taken]");
    taken.hidden = !told.taken_by;
    if (told.taken_by) taken.querySelector("span").textContent = `${told.taken_by} has taken over the writing. Your text is still here; copy what you need before you leave.`;
    if (told.taken_by && !lost) {
      lost = true;
      for (const each of document.querySelectorAll("form [type=submit]")) if (each.closest("form").querySelector("[data-editor]")) each.disabled = true;
    }
  };

  const tell = async (leaving) => {
    const body = new URLSearchParams({ token, ...(leaving ? { leaving: "1" } : {}) });
    const headers = { "X-CSRFToken": csrf() };
    try {
      const response = await fetch(lease, { method: "POST", body, headers, keepalive: Boolean(leaving) });
      if (!leaving && response.ok) show(await response.json());
    } catch { /* the network is away; the lease runs out by itself */ }
  };

  const timer = setInterval(() => { if (!lost) tell(false); }, SECONDS * 1000);
  window.addEventListener("pagehide", () => { clearInterval(timer); if (!lost) tell(true); });
  tell(false);
}
