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
for (const box of document.querySelectorAll("[data-counts]")) {
  const form = box.closest("form");
  const tell = () => {
    const count = form.querySelectorAll(".pick:checked").length;
    box.textContent = count === 1 ? "1 picture selected" : `${count} pictures selected`;
    for (const button of form.querySelectorAll("button[data-picks]")) button.disabled = count === 0;
  };
  form.addEventListener("change", tell);
  tell();
}

// Keyboard shortcuts press the button with their data-key.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.closest("input, textarea, select")) return;
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
