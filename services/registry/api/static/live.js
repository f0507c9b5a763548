// New decisions, over server-sent events.
const list = document.querySelector("#live");
if (list) {
  const dot = document.querySelector("#live-dot");
  const said = document.querySelector("#live-said");
  const empty = document.querySelector("#live-empty");
  const template = document.querySelector("#live-card");
  const source = new EventSource(list.dataset.source);
  source.addEventListener("open", () => { dot.classList.add("on"); said.textContent = "listening"; });
  source.addEventListener("error", () => { dot.classList.remove("on"); said.textContent = "connection lost; reconnecting"; });
  source.addEventListener("decision", (event) => {
    const told = JSON.parse(event.data);
    const card = template.content.cloneNode(true);
    card.querySelector("a").href = told.path;
    const image = card.querySelector("img");
    if (told.picture) image.src = told.picture; else image.remove();
    image.alt = told.individual || told.outcome;
    card.querySelector("h3").textContent = told.individual || "no individual";
    const tag = card.querySelector(".tag");
    tag.textContent = told.outcome;
    tag.classList.add(told.outcome);
    card.querySelector(".more").textContent = told.more;
    empty.hidden = true;
    list.prepend(card);
    while (list.children.length > 60) list.lastElementChild.remove();
  });
}
