// Progress of an upload and its import.
const form = document.querySelector("form[data-upload]");
if (form) {
  const wrong = document.querySelector("#wrong");
  const sending = form.querySelector(".sending");
  const button = form.querySelector("button");
  const stop = (told) => {
    wrong.textContent = told;
    wrong.hidden = false;
    sending.hidden = true;
    button.disabled = false;
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    wrong.hidden = true;
    sending.hidden = false;
    button.disabled = true;
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "text/html");
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      const share = loaded / (total || 1);
      sending.querySelector("progress").value = share;
      sending.querySelector("span").textContent =
        share < 1 ? `${Math.floor(100 * share)} % sent` : "unpacking";
    });
    request.addEventListener("error", () => stop("Cannot reach the server. Try again."));
    request.addEventListener("load", () => {
      if (request.responseURL !== form.action) {
        location.assign(request.responseURL);
        return;
      }
      const answer = new DOMParser().parseFromString(request.responseText, "text/html");
      stop(answer.querySelector("#wrong, .detail")?.textContent || "The upload was refused.");
    });
    request.send(new FormData(form));
  });
}

let briefly = 10; // polls for the start of a calibration
const following = async () => {
  const now = document.querySelector("#import");
  if (!now?.hasAttribute("data-moving")) return;
  if (now.dataset.moving === "briefly" && briefly-- === 0) return;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    const text = await answer.text();
    const next = new DOMParser().parseFromString(text, "text/html").querySelector("#import");
    if (next) {
      now.replaceWith(next);
      const state = next.querySelector("h2").textContent;
      const said = document.querySelector("#import-said");
      if (said.textContent !== state) said.textContent = state; // for screen readers
    }
  } catch { /* offline: the page says so; try on */ }
  setTimeout(following, 2000);
};
setTimeout(following, 700);
