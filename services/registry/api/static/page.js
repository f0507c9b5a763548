// Common to all pages: keyboard shortcuts, forms, failed pictures, offline state.
for (const form of document.querySelectorAll("form[data-auto]")) {
  form.addEventListener("change", () => form.requestSubmit());
}
const failed = (image) => {
  const blank = document.createElement("div");
  blank.className = image.closest(".view") ? "missing" : "blank";
  blank.textContent = image.closest(".view")
    ? "The picture cannot be shown: its crop was deleted."
    : image.dataset.gone || "";
  image.replaceWith(blank);
};
for (const image of document.querySelectorAll("img")) {
  if (image.complete && image.naturalWidth === 0 && image.getAttribute("src")) failed(image);
  else image.addEventListener("error", () => failed(image));
}
const offline = document.querySelector("#offline");
const online = () => { offline.hidden = navigator.onLine; };
window.addEventListener("online", online);
window.addEventListener("offline", online);
online();
// Selecting cards: a count, buttons that need some, ranges, and the keyboard.
for (const box of document.querySelectorAll("[data-counts]")) {
  const form = box.closest("form");
  const picks = [...form.querySelectorAll(".pick")];
  let latest = null;
  const tell = () => {
    const count = picks.filter((pick) => pick.checked).length;
    box.textContent = `${count} ${box.dataset.counts}${count === 1 ? "" : "s"} selected`;
    for (const button of form.querySelectorAll("button[data-picks]")) {
      button.disabled = count < Number(button.dataset.picks);
    }
  };
  const choose = (pick, checked, range) => {
    const [from, to] = [range && latest ? picks.indexOf(latest) : picks.indexOf(pick), picks.indexOf(pick)];
    for (let at = Math.min(from, to); at <= Math.max(from, to); at += 1) picks[at].checked = checked;
    latest = pick;
    tell();
  };
  for (const [at, pick] of picks.entries()) {
    pick.addEventListener("click", (event) => choose(pick, pick.checked, event.shiftKey));
    pick.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      const next = step && picks[at + step];
      if (!next) return;
      event.preventDefault();
      if (event.shiftKey) choose(pick, true, false);
      next.focus();
      if (event.shiftKey) choose(next, true, false);
    });
    // With Shift, Ctrl or Command a click on the card selects it instead of opening it.
    pick.closest(".card").querySelector("a").addEventListener("click", (event) => {
      if (!event.shiftKey && !event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      choose(pick, event.shiftKey || !pick.checked, event.shiftKey);
      pick.focus();
    });
  }
  form.addEventListener("reset", () => { latest = null; setTimeout(tell); });
  tell();
}

// Keyboard shortcuts press the button with their data-key.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.closest("input:not(.pick), textarea, select")) return;
  const target = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (target && !target.disabled) {
    event.preventDefault();
    target.click();
  }
});
// Submit once: a second key press must not answer the next question.
let sent = false;
document.addEventListener("submit", (event) => {
  if (event.target.method !== "post") return; // downloads may be repeated
  if (sent) event.preventDefault();
  sent = true;
});
window.addEventListener("pageshow", () => { sent = false; });
