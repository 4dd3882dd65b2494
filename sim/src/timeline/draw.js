"use strict";
// The chart: draws what lies in the page as JSON. All text goes through textContent or the canvas, so
// nothing in the data can become markup.
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const canvas = $("chart"), overview = $("overview");
const LABEL = 62, AXIS = 24, CUT = 17, LANE = 92, BAR = 15, CLIENT = 13;
const END = Math.max(data.end, 1);
const MOST_MESSAGES = 6000;

const kinds = {
  append: ["append", "#2563eb"], answer: ["answers to appends", "#93b4f5"],
  vote: ["votes", "#b4237a"], heartbeat: ["heartbeats", "#9aa4b2"],
  snapshot: ["snapshots", "#0d9488"], other: ["other messages", "#7c5cff"],
};
const marks = {
  campaign: ["campaign", "#b4237a", "▲"], vote: ["vote given", "#d694bb", "△"],
  leader: ["elected", "#1b7f3b", "★"], follower: ["follows", "#9aa4b2", "▽"],
  snapshot: ["snapshot", "#0d9488", "◆"], fault: ["fault", "#c62828", "⚡"],
  end: ["process ends", "#c62828", "✖"], halt: ["halts", "#c62828", "◼"],
  start: ["starts", "#1b7f3b", "▸"], trouble: ["trouble", "#d97706", "!"],
  note: ["other notes", "#667085", "·"],
};
const spans = {
  up: ["up (down is dark)", "#dbe7d9"], paused: ["paused", "#f6c453"], full: ["disk full", "#e08a4f"],
  isolated: ["isolated", "#e9a8a2"],
};
const ends = {
  done: ["answered", "#3b9a5b"], failed: ["refused by the store", "#c9a227"],
  refused: ["not carried out", "#b8c0cc"], unknown: ["unknown", "#c66a62"],
  watch: ["watches", "#8fa6c9"], open: ["open", "#8e99a8"],
};
const off = new Set(["heartbeat", "follower", "note", "answer"]);
let view = { from: 0, to: END }, hits = [], pointer = null;

const seconds = (us, digits = 6) => (us / 1e6).toFixed(digits) + " s";
const termColour = (term) => `hsl(${(term * 67 + 190) % 360} 55% 42%)`;
const name = (host) => "n" + host;

// ---- where things are

// Cuts overlap; each takes the first row that is free.
const cutRows = [];
for (const cut of data.cuts) {
  let row = cutRows.findIndex((end) => end <= cut.from);
  if (row < 0) row = cutRows.push(0) - 1;
  cutRows[row] = cut.to;
  cut.row = row;
}
const cutsHeight = Math.max(cutRows.length, 1) * CUT + 8;
const laneTop = (host) => AXIS + cutsHeight + host * LANE;
const barMiddle = (host) => laneTop(host) + 10 + BAR / 2;
const clientTop = (client) => laneTop(data.members.length) + 10 + client * CLIENT;
const height = clientTop(data.clients.length) + 14;

const width = () => canvas.clientWidth;
const scale = () => (width() - LABEL - 10) / (view.to - view.from);
const x = (at) => LABEL + (at - view.from) * scale();
const timeAt = (px) => view.from + (px - LABEL) / scale();
const within = (from, to) => to >= view.from && from <= view.to;

function show(from, to) {
  const least = 20, length = Math.min(Math.max(to - from, least), END);
  from = Math.min(Math.max(from, 0), END - length);
  view = { from, to: from + length };
  history.replaceState(null, "", `#t=${(view.from / 1e6).toFixed(6)},${(view.to / 1e6).toFixed(6)}`);
  draw();
}
function zoom(factor, at = (view.from + view.to) / 2) {
  show(at - (at - view.from) * factor, at + (view.to - at) * factor);
}
const goTo = (at, length) => show(at - length / 2, at + length / 2);

// ---- drawing

function prepare(element, high) {
  const ratio = window.devicePixelRatio || 1;
  element.style.height = high + "px";
  element.width = Math.round(element.clientWidth * ratio);
  element.height = Math.round(high * ratio);
  const c = element.getContext("2d");
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  c.clearRect(0, 0, element.clientWidth, high);
  return c;
}
function box(c, from, to, top, high, colour, text) {
  if (!within(from, to)) return;
  const left = Math.max(x(from), LABEL), right = Math.min(x(to), width());
  const wide = Math.max(right - left, 1.2);
  c.fillStyle = colour;
  c.fillRect(left, top, wide, high);
  if (text) hits.push({ left, right: left + wide, top, bottom: top + high, text });
  return [left, wide];
}
function words(c, text, left, wide, base, colour) {
  if (wide < 26) return;
  c.save();
  c.beginPath();
  c.rect(left, base - 12, wide - 3, 18);
  c.clip();
  c.fillStyle = colour;
  c.fillText(text, left + 4, base);
  c.restore();
}
function axis(c) {
  const about = (view.to - view.from) / Math.max(width() / 130, 2);
  const power = 10 ** Math.floor(Math.log10(about));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= about);
  const digits = Math.max(0, 6 - Math.floor(Math.log10(step)));
  for (let at = Math.ceil(view.from / step) * step; at <= view.to; at += step) {
    c.fillStyle = "#eef0f4";
    c.fillRect(x(at), AXIS, 1, height - AXIS);
    c.fillStyle = "#667085";
    c.fillText(seconds(at, digits), x(at) + 3, 16);
  }
}
// The indexes between which members move in the window: who lags shows only at that scale.
let indexes = { low: 0, high: 1 };
function scaleIndexes() {
  let low = Infinity, high = -Infinity;
  for (const steps of data.members.flatMap((m) => [m.applied, m.committed])) {
    let before = null;
    for (const [at, index] of steps) {
      if (at > view.to) break;
      if (at < view.from) before = index;
      else [low, high] = [Math.min(low, index), Math.max(high, index)];
    }
    if (before !== null) [low, high] = [Math.min(low, before), Math.max(high, before)];
  }
  indexes = low < high ? { low, high } : { low: Math.min(low, 1e15) - 1, high: Math.max(low, 0) + 1 };
}
function cuts(c) {
  label(c, "network", AXIS + 14, "#667085");
  for (const cut of data.cuts) {
    const top = AXIS + 4 + cut.row * CUT;
    const colour = cut.kind === "partition" ? "#f2b8b5" : "#f5d3a8";
    const place = box(c, cut.from, cut.to, top, CUT - 3, colour, told(cut.kind, cut));
    if (place) words(c, cut.text, ...place, top + 11, "#5c2b29");
  }
}
const told = (kind, span) =>
  `${kind}\n${seconds(span.from)} to ${seconds(span.to)} (${seconds(span.to - span.from)})\n${span.text}`;
function label(c, text, base, colour) {
  c.fillStyle = colour;
  c.fillText(text, 8, base);
}
function stairs(c, host, steps, colour) {
  const bottom = laneTop(host) + LANE - 8, high = LANE - 52;
  const y = (index) => bottom - ((index - indexes.low) / (indexes.high - indexes.low)) * high;
  c.strokeStyle = colour;
  c.beginPath();
  let last = null;
  for (const [at, index] of steps) {
    if (at > view.to) break;
    // What lies before the window only says where the line begins.
    if (at >= view.from) {
      if (last === null) c.moveTo(x(at), y(index));
      else c.lineTo(x(at), y(last));
      c.lineTo(x(at), y(index));
    } else {
      c.moveTo(LABEL, y(index));
    }
    last = index;
  }
  if (last !== null) c.lineTo(Math.min(x(END), width()), y(last));
  c.stroke();
}
function member(c, host) {
  c.fillStyle = host % 2 ? "#ffffff" : "#fafbfc";
  c.fillRect(LABEL, laneTop(host), width() - LABEL, LANE);
  label(c, name(host), laneTop(host) + 22, "#1d2430");
}
function memberBars(c, host) {
  const lane = data.members[host], top = laneTop(host) + 10;
  box(c, 0, END, top, BAR, "#3f4652", `${name(host)} is down`);
  for (const kind of ["up", "paused", "full", "isolated"]) {
    if (off.has(kind)) continue;
    for (const span of lane.spans) {
      if (span.kind !== kind) continue;
      const thin = kind === "full" || kind === "isolated";
      const at = kind === "full" ? top + BAR + 1 : kind === "isolated" ? top - 5 : top;
      box(c, span.from, span.to, at, thin ? 4 : BAR, spans[kind][1], told(`${name(host)} ${kind}`, span));
    }
  }
  for (const lead of lane.leads) {
    const text = `${name(host)} leads term ${lead.term}\n${seconds(lead.from)} to ${seconds(lead.to)}`;
    const place = box(c, lead.from, lead.to, top, BAR, termColour(lead.term), text);
    if (place) words(c, `leads term ${lead.term}`, ...place, top + 11, "#fff");
  }
  stairs(c, host, lane.committed, "#a9b3c2");
  stairs(c, host, lane.applied, "#2563eb");
}
function memberMarks(c, host) {
  const top = laneTop(host) + 10 + BAR + 15;
  c.textAlign = "center";
  for (const mark of data.members[host].marks) {
    if (off.has(mark.kind) || !within(mark.at, mark.at)) continue;
    const [, colour, sign] = marks[mark.kind], at = x(mark.at);
    c.fillStyle = colour;
    c.fillText(sign, at, top);
    const text = `${name(host)} ${marks[mark.kind][0]}, ${seconds(mark.at)}\n${mark.text}`;
    hits.push({ left: at - 5, right: at + 5, top: top - 11, bottom: top + 3, text });
  }
  c.textAlign = "left";
}
function messages(c) {
  const seen = data.messages.filter((m) => !off.has(m[0]) && within(m[3], m[4]));
  let drawn = seen;
  if (seen.length > MOST_MESSAGES) drawn = seen.filter((m) => m[0] === "vote" || m[0] === "snapshot");
  const thin = drawn.length > 600;
  const alpha = Math.max(0.07, Math.min(0.75, 450 / drawn.length));
  for (const [kind, from, to, sent, at, lost, text] of drawn) {
    const y1 = barMiddle(from), y2 = barMiddle(to);
    const end = lost ? y1 + (y2 - y1) * 0.55 : y2;
    c.strokeStyle = c.fillStyle = kinds[kind][1];
    c.globalAlpha = alpha;
    c.setLineDash(lost ? [3, 3] : []);
    c.beginPath();
    c.moveTo(x(sent), y1);
    c.lineTo(x(at), end);
    c.stroke();
    if (!thin) c.fillText(lost ? "×" : "•", x(at) - 3, end + 4);
    const line = [x(sent), y1, x(at), end];
    hits.push({ line, text: () => `${name(from)} → ${name(to)}${lost ? " lost" : ""}\n` +
      `sent ${seconds(sent)}, ${lost ? "lost" : "arrived"} ${seconds(at)} (${((at - sent) / 1000).toFixed(3)} ms)\n` +
      data.words[text] });
  }
  c.globalAlpha = 1;
  c.setLineDash([]);
  return seen.length - drawn.length;
}
function clients(c) {
  data.clients.forEach((operations, client) => {
    const top = clientTop(client);
    label(c, "c" + client, top + 10, "#667085");
    for (const [from, to, end, host, asked, answer] of operations) {
      if (off.has(end)) continue;
      const text = `c${client} asks ${name(host)}\n${seconds(from)} to ${seconds(to)}\n` +
        `${data.words[asked]}\n${data.words[answer]}`;
      const place = box(c, from, to, top, CLIENT - 3, ends[end][1], text);
      if (place && place[1] > 60) words(c, data.words[asked], ...place, top + 9, "#fff");
    }
  });
}
function verticals(c) {
  if (data.calm !== null && within(data.calm, data.calm)) {
    c.fillStyle = "#1b7f3b";
    c.fillRect(x(data.calm), AXIS, 1, height - AXIS);
    const left = x(data.calm) + 90 > width();
    c.textAlign = left ? "right" : "left";
    c.fillText("liveness phase", x(data.calm) + (left ? -4 : 4), height - 4);
    c.textAlign = "left";
  }
  if (data.violation && within(data.violation.at, data.violation.at)) {
    const at = x(data.violation.at), host = data.violation.member;
    c.fillStyle = "#c62828";
    c.fillRect(at - 1, AXIS, 2, height - AXIS);
    if (host !== null && host < data.members.length) {
      c.beginPath();
      c.arc(at, barMiddle(host), 7, 0, 7);
      c.fill();
    }
    hits.push({ left: at - 6, right: at + 6, top: AXIS, bottom: height, text: data.violation.text });
  }
}
function draw() {
  hits = [];
  const c = prepare(canvas, height);
  c.font = "11px system-ui, 'DejaVu Sans', sans-serif";
  data.members.forEach((_, host) => member(c, host));
  axis(c);
  c.save();
  cuts(c);
  scaleIndexes();
  c.beginPath();
  c.rect(LABEL, 0, width() - LABEL, height);
  c.clip();
  const hidden = messages(c);
  data.members.forEach((_, host) => memberBars(c, host));
  data.members.forEach((_, host) => memberMarks(c, host));
  c.restore();
  clients(c);
  verticals(c);
  const more = hidden > 0 ? ` — zoom in to see ${hidden} more messages` : "";
  $("window").textContent =
    `${seconds(view.from, 3)} to ${seconds(view.to, 3)} (${seconds(view.to - view.from, 3)})${more}`;
  drawOverview();
}
function drawOverview() {
  const c = prepare(overview, 34), wide = overview.clientWidth;
  const px = (at) => (at / END) * wide;
  for (const cut of data.cuts) {
    c.fillStyle = "#f2b8b5";
    c.fillRect(px(cut.from), 1, Math.max(px(cut.to) - px(cut.from), 1), 5);
  }
  const high = 24 / data.members.length;
  data.members.forEach((lane, host) => {
    const top = 8 + host * high;
    for (const span of lane.spans) {
      if (span.kind !== "up") continue;
      c.fillStyle = "#dbe7d9";
      c.fillRect(px(span.from), top, px(span.to) - px(span.from), high - 1);
    }
    for (const lead of lane.leads) {
      c.fillStyle = termColour(lead.term);
      c.fillRect(px(lead.from), top, Math.max(px(lead.to) - px(lead.from), 1), high - 1);
    }
  });
  if (data.violation) {
    c.fillStyle = "#c62828";
    c.fillRect(px(data.violation.at) - 2, 0, 3, 34);
  }
  c.strokeStyle = "#1d2430";
  c.lineWidth = 1.5;
  c.strokeRect(px(view.from) + 1, 1, Math.max(px(view.to) - px(view.from) - 2, 3), 32);
}
