// Two pictures with synchronous zoom and pan, and their matches.
const pair = document.querySelector(".pair");
if (pair) {
  const views = [...pair.querySelectorAll(".view")];
  const lines = pair.querySelector(".lines");
  const state = { scale: 1, x: 0, y: 0 }; // x, y: shift as a share of the view
  let drawn = null;

  const show = () => {
    for (const view of views) {
      const image = view.querySelector("img");
      if (!image) continue;
      const { width, height } = view.getBoundingClientRect();
      image.style.transform =
        `translate(${state.x * width}px, ${state.y * height}px) scale(${state.scale})`;
      view.style.cursor = state.scale > 1 ? "grab" : "zoom-in";
    }
    place();
  };
  const bound = () => {
    state.scale = Math.min(8, Math.max(1, state.scale));
    const least = 1 - state.scale;
    state.x = Math.min(0, Math.max(least, state.x));
    state.y = Math.min(0, Math.max(least, state.y));
  };
  const zoom = (factor, view, event) => {
    const box = view.getBoundingClientRect();
    const [px, py] = event
      ? [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]
      : [0.5, 0.5];
    const before = state.scale;
    state.scale = Math.min(8, Math.max(1, before * factor));
    state.x = px - ((px - state.x) * state.scale) / before;
    state.y = py - ((py - state.y) * state.scale) / before;
    bound();
    show();
  };
  for (const view of views) {
    view.addEventListener("wheel", (event) => {
      event.preventDefault();
      zoom(event.deltaY < 0 ? 1.2 : 1 / 1.2, view, event);
    }, { passive: false });
    view.addEventListener("dblclick", (event) => zoom(state.scale > 1 ? 1 / state.scale : 2.5, view, event));
    const fingers = new Map();
    let apart = 0;
    view.addEventListener("pointerdown", (event) => {
      view.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, event);
      apart = 0;
    });
    view.addEventListener("pointermove", (event) => {
      const last = fingers.get(event.pointerId);
      if (!last) return;
      const box = view.getBoundingClientRect();
      fingers.set(event.pointerId, event);
      if (fingers.size === 2) {
        const [a, b] = [...fingers.values()];
        const now = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
        if (apart) zoom(now / apart, view, { clientX: (a.clientX + b.clientX) / 2, clientY: (a.clientY + b.clientY) / 2 });
        apart = now;
        return;
      }
      state.x += (event.clientX - last.clientX) / box.width;
      state.y += (event.clientY - last.clientY) / box.height;
      bound();
      show();
    });
    const lift = (event) => { fingers.delete(event.pointerId); apart = 0; };
    view.addEventListener("pointerup", lift);
    view.addEventListener("pointercancel", lift);
  }
  window.addEventListener("resize", show);

  // Thumbnails change which picture is large.
  for (const side of pair.querySelectorAll(".side")) {
    for (const button of side.querySelectorAll(".strip button")) {
      button.addEventListener("click", () => {
        const image = side.querySelector(".view img");
        if (!image) return;
        image.src = button.dataset.large;
        image.alt = button.dataset.label;
        side.dataset.sighting = button.dataset.sighting;
        side.querySelector(".when").textContent = button.dataset.when;
        side.querySelector(".where").textContent = button.dataset.where;
        side.querySelector(".flank").textContent = button.dataset.flank;
        for (const each of side.querySelectorAll(".strip button")) {
          each.setAttribute("aria-pressed", String(each === button));
        }
        drawn = null;
        if (matching()) draw();
      });
    }
  }

  // Position of a picture's point, in fractions, within the pair.
  const at = (view, fx, fy) => {
    const image = view.querySelector("img");
    const box = view.getBoundingClientRect();
    const outer = pair.getBoundingClientRect();
    const [w, h] = [image.naturalWidth, image.naturalHeight];
    const fit = Math.min(box.width / w, box.height / h);
    const left = (box.width - w * fit) / 2;
    const top = (box.height - h * fit) / 2;
    const x = (left + fx * w * fit) * state.scale + state.x * box.width;
    const y = (top + fy * h * fit) * state.scale + state.y * box.height;
    const inside = x >= 0 && y >= 0 && x <= box.width && y <= box.height;
    return { x: x + box.left - outer.left, y: y + box.top - outer.top, inside };
  };
  const toggle = document.querySelector("#matches");
  const told = document.querySelector("#matches-told");
  const matching = () => toggle && toggle.getAttribute("aria-pressed") === "true";
  const place = () => {
    lines.replaceChildren();
    if (!drawn || !matching()) return;
    for (const match of drawn.matches) {
      const [a, b] = [at(views[0], match.one[0], match.one[1]), at(views[1], match.other[0], match.other[1])];
      if (!a.inside || !b.inside) continue;
      const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
      for (const [name, value] of Object.entries({ x1: a.x, y1: a.y, x2: b.x, y2: b.y })) {
        line.setAttribute(name, value.toFixed(1));
      }
      line.setAttribute("stroke", match.colour);
      line.setAttribute("stroke-width", match.counts ? 2 : 1);
      line.setAttribute("stroke-opacity", match.counts ? 0.85 : 0.5);
      lines.append(line);
    }
  };
  const draw = async () => {
    const [one, other] = [...pair.querySelectorAll(".side")].map((side) => side.dataset.sighting);
    told.textContent = "comparing…";
    try {
      const answer = await fetch(`${pair.dataset.pairs}/${encodeURIComponent(one)}/${encodeURIComponent(other)}/matches`);
      const body = await answer.json();
      if (!answer.ok) throw new Error(body.detail);
      drawn = body;
      told.textContent = body.summary;
    } catch (error) {
      drawn = null;
      told.textContent = `no matches to show: ${error.message}`;
    }
    place();
  };
  if (toggle) {
    toggle.addEventListener("click", () => {
      toggle.setAttribute("aria-pressed", String(!matching()));
      if (matching() && !drawn) draw();
      else { if (!matching()) told.textContent = ""; place(); }
    });
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select")) return;
    if (event.key === "+" || event.key === "=") zoom(1.4, views[0]);
    if (event.key === "-") zoom(1 / 1.4, views[0]);
    if (event.key === "0") { Object.assign(state, { scale: 1, x: 0, y: 0 }); show(); }
  });
}
