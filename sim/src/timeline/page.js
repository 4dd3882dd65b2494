// How the chart is looked at, and what stands around it.

function hit(px, py) {
  // What was drawn last lies on top; a message counts within 4 pixels.
  for (let at = hits.length - 1; at >= 0; at--) {
    const { line, left, right, top, bottom } = hits[at];
    if (line ? distance(px, py, line) < 4 : px >= left - 1 && px <= right + 1 && py >= top && py <= bottom) {
      return typeof hits[at].text === "function" ? hits[at].text() : hits[at].text;
    }
  }
  return null;
}
function distance(px, py, [x1, y1, x2, y2]) {
  const dx = x2 - x1, dy = y2 - y1, length = dx * dx + dy * dy || 1;
  const t = Math.min(1, Math.max(0, ((px - x1) * dx + (py - y1) * dy) / length));
  return Math.hypot(px - x1 - t * dx, py - y1 - t * dy);
}
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
    const by = ((event.deltaX || event.deltaY) / width()) * (view.to - view.from);
    show(view.from + by, view.to + by);
  } else {
    zoom(1.0015 ** event.deltaY, timeAt(event.offsetX));
  }
}, { passive: false });
canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  pointer = { x: event.offsetX, from: view.from, to: view.to, moved: false };
});
canvas.addEventListener("pointerup", (event) => {
  if (pointer && !pointer.moved) {
    const text = hit(event.offsetX, event.offsetY);
    $("pinned").hidden = text === null;
    $("pinned").textContent = text ?? "";
  }
  pointer = null;
});
canvas.addEventListener("pointermove", (event) => {
  if (pointer) {
    pointer.moved ||= Math.abs(event.offsetX - pointer.x) > 3;
    const by = (pointer.x - event.offsetX) / scale();
    if (pointer.moved) show(pointer.from + by, pointer.to + by);
    return;
  }
  const text = hit(event.offsetX, event.offsetY), tip = $("tip");
  tip.hidden = text === null;
  if (text === null) return;
  tip.textContent = text;
  tip.style.left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8) + "px";
  tip.style.top = Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 8) + "px";
});
canvas.addEventListener("pointerleave", () => { $("tip").hidden = true; });
function choose(event) {
  if (event.buttons !== 1) return;
  const at = (event.offsetX / overview.clientWidth) * END;
  goTo(at, view.to - view.from >= END ? END / 20 : view.to - view.from);
}
overview.addEventListener("pointerdown", choose);
overview.addEventListener("pointermove", choose);
document.addEventListener("keydown", (event) => {
  const by = (view.to - view.from) / 5;
  const actions = {
    "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), "0": () => show(0, END),
    ArrowLeft: () => show(view.from - by, view.to - by),
    ArrowRight: () => show(view.from + by, view.to + by),
    v: () => data.violation && goTo(data.violation.at, 2e6),
  };
  actions[event.key]?.();
});
$("all").onclick = () => show(0, END);
$("in").onclick = () => zoom(0.5);
$("out").onclick = () => zoom(2);
$("fail").onclick = () => goTo(data.violation.at, 2e6);
addEventListener("resize", draw);

// ---- what stands around it

function add(parent, tag, text) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}
function legend() {
  const groups = { messages: kinds, members: spans, events: marks, clients: ends };
  for (const [title, group] of Object.entries(groups)) {
    const line = add($("legend"), "div");
    add(line, "em", title);
    for (const [key, [text, colour, sign]] of Object.entries(group)) {
      const item = add(line, "label");
      const tick = add(item, "input");
      tick.type = "checkbox";
      tick.checked = !off.has(key);
      tick.onchange = () => { tick.checked ? off.delete(key) : off.add(key); draw(); };
      const sample = add(item, sign ? "b" : "i", sign);
      if (sign) sample.style.color = colour; else sample.style.background = colour;
      add(item, "span", text);
    }
  }
}
function events() {
  const rows = [];
  data.members.forEach((lane, host) => {
    for (const mark of lane.marks) {
      if (!["note", "vote", "snapshot", "follower"].includes(mark.kind)) {
        rows.push([mark.at, name(host), marks[mark.kind][0], mark.text]);
      }
    }
  });
  for (const cut of data.cuts) rows.push([cut.from, "", cut.kind, cut.text]);
  if (data.calm !== null) rows.push([data.calm, "", "liveness phase", ""]);
  if (data.violation) {
    const { at, member, text } = data.violation;
    rows.push([at, member === null ? "" : name(member), "violation", text]);
  }
  rows.sort((a, b) => a[0] - b[0]);
  const body = $("events").tBodies[0];
  for (const [at, ...texts] of rows) {
    const row = add(body, "tr");
    add(row, "td", seconds(at));
    for (const text of texts) add(row, "td", text);
    row.onclick = () => { goTo(at, Math.min(view.to - view.from, 4e6)); canvas.scrollIntoView(); };
  }
}
const title = `${data.world}: seed ${data.seed}, ${data.members.length} members, ${seconds(END, 3)} simulated`;
$("title").textContent = document.title = title;
$("options").textContent = `${data.options}\n\n${data.stats}\ndigest ${data.digest}`;
if (data.violation) {
  $("violation").hidden = $("fail").hidden = false;
  $("violation").textContent = `${seconds(data.violation.at)}  ${data.violation.text}`;
}
legend();
events();
const asked = location.hash.match(/^#t=([\d.]+),([\d.]+)$/);
if (asked) show(asked[1] * 1e6, asked[2] * 1e6); else draw();
