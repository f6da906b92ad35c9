(() => {
"use strict";
// Every text from outside enters the page through textContent or a canvas: never as markup.
const HISTORY_S = 30, PICTURES_MS = 66, NUMBERS_EVERY = 3, STALE_MS = 2500, ALIVE_MS = 10000, FACELESS_MS = 400, GAP_S = 1;
const FIRST_CHOSEN = ["AU01", "AU06", "AU12", "AU25"], MOST_CHOSEN = LIGHT.length, SURE_ROWS = 60;
const LINE = "rgb(77,208,255)", POINT = "rgb(184,236,255)", SHADE = "rgb(8,10,14)", GAZE = "rgb(255,226,92)";
const query = (() => {
  const token = new URLSearchParams(location.search).get("token");
  return token ? "?token=" + encodeURIComponent(token) : "";
})();
const dark = matchMedia("(prefers-color-scheme: dark)"), calm = matchMedia("(prefers-reduced-motion: reduce)");
const by = id => document.getElementById(id);
const canvas = by("picture"), pen = canvas.getContext("2d", {alpha: false});
const page = {
  socket: null, hello: null, state: {state: "starting", saved: []}, connection: "connecting", waits: 0,
  rows: [], run: null, about: null, bitmap: null, shownNumber: 0, arrived: 0, faceless: 0, hasFace: null,
  units: [], chosen: new Map(), charts: [], ticks: 0, drawnMs: [], seen: 0, pictures: 0,
};

function make(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function say(id, text) {
  const place = by(id);
  if (place.textContent !== text) place.textContent = text;
}

function css(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }

function colour(index) { return (dark.matches ? DARK : LIGHT)[index % LIGHT.length]; }

function dash(index) { return DASHES[index % DASHES.length]; }

function count(number) { return number.toLocaleString("en"); }

function signed(value, decimals) {
  if (value === null || value === undefined) return "–";
  const text = value.toFixed(decimals);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

// --- the connection

function connect() {
  const socket = new WebSocket((location.protocol === "https:" ? "wss://" : "ws://") + location.host + "/live" + query);
  page.socket = socket;
  socket.binaryType = "arraybuffer";
  socket.onmessage = event => typeof event.data === "string" ? told(JSON.parse(event.data)) : given(event.data);
  socket.onclose = event => {
    // attempts that fail say nothing new
    if (page.connection === "open" || page.connection === "connecting" || event.code === 1013)
      page.connection = {1001: "gone", 1013: "full"}[event.code] ?? "lost";
    words();
    setTimeout(connect, Math.min(500 * 2 ** page.waits++, 5000));
  };
}

function send(what) {
  if (page.socket && page.socket.readyState === WebSocket.OPEN) page.socket.send(JSON.stringify(what));
}

function told(message) {
  if (message.hello) {
    page.connection = "open";
    page.waits = 0;
    page.arrived = performance.now();
    page.shownNumber = 0;
    page.rows = [];
    if (JSON.stringify(message.hello) !== JSON.stringify(page.hello)) welcome(message.hello);
  } else {
    page.state = message;
    kept();
  }
  words();
}

function given(data) {
  const size = new DataView(data).getUint32(0, true);
  const about = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, size)));
  page.arrived = performance.now();
  if (about.run !== page.run) {
    page.run = about.run;
    page.rows = [];
  }
  for (const row of about.rows) {
    page.rows.push(row);
    if (row[2]) page.seen++;
  }
  const last = page.rows.length ? page.rows[page.rows.length - 1][0] : 0;
  let old = 0;
  while (page.rows[old][0] < last - HISTORY_S) old++;
  if (old) page.rows.splice(0, old);
  if (about.drawn_ms !== null) page.drawnMs.push(about.drawn_ms);
  if (page.drawnMs.length > 31) page.drawnMs.shift();
  const jpeg = new Uint8Array(data, 4 + size);
  if (!jpeg.length) return show(about, null);
  createImageBitmap(new Blob([jpeg], {type: "image/jpeg"})).then(bitmap => show(about, bitmap), () => show(about, null));
}

// The word that a picture is drawn goes out after the browser has made the frame with it.
const drawn = new MessageChannel();
drawn.port1.onmessage = event => send({drawn: event.data});

function show(about, bitmap) {
  if (about.number < page.shownNumber) {
    bitmap?.close();
    return;
  }
  page.bitmap?.close();
  [page.about, page.bitmap, page.shownNumber] = [about, bitmap, about.number];
  page.pictures++;
  paint();
  face(about);
  requestAnimationFrame(() => drawn.port2.postMessage(about.number));
}

function face(about) {
  const now = performance.now();
  if (about.drawing) page.faceless = 0;
  else if (!page.faceless) page.faceless = now;
  const has = about.drawing !== null || now - page.faceless < FACELESS_MS && page.hasFace !== null;
  if (has !== page.hasFace) {
    page.hasFace = has;
    words();
  }
}

// --- words

function stateNow() {
  const {state, words: why} = page.state, camera = page.hello?.camera;
  if (page.connection === "connecting") return ["starting", "connecting …", true];
  if (page.connection === "full") return ["lost", "all places are taken: trying again …", true];
  if (page.connection === "gone") return ["lost", "mien has ended; waiting for it to come back …", true];
  if (page.connection === "lost") return ["lost", "connection lost: trying again …", true];
  if (state === "paused") return ["paused", camera ? "paused: the camera is released" : "paused", true];
  if (state === "ended") return ["ended", camera ? "the camera has ended" : "the video has ended", true];
  if (state === "failed") return ["failed", "stopped: " + why, true];
  if (state === "starting") return ["starting", "getting ready …", true];
  const quiet = performance.now() - page.arrived;
  if (quiet > STALE_MS && !document.hidden) return ["starting", "no new picture for " + Math.floor(quiet / 1000) + " s", true];
  if (page.hasFace === false) return ["no-face", "running: no face in the picture", false];
  return ["running", "running", false];
}

function words() {
  const [kind, text, veiled] = stateNow();
  by("state").dataset.state = kind;
  say("state-words", text);
  say("veil", text);
  by("veil").classList.toggle("on", veiled);
  document.body.dataset.state = kind;
  document.title = (kind === "running" ? "" : text.split(":")[0] + " · ") + (page.hello ? page.hello.name + " · " : "") + "mien live";
  const open = page.connection === "open", {state, recording, saving} = page.state;
  const running = state === "running", paused = state === "paused";
  by("start").disabled = !(open && (paused || state === "ended" || state === "failed"));
  say("start", paused ? "Go on" : state === "ended" && !page.hello?.camera ? "Play again" : "Start");
  by("stop").disabled = !(open && running);
  by("record").disabled = !(open && (running || paused));
  by("record").setAttribute("aria-pressed", String(Boolean(recording)));
  say("record-words", recording ? "Stop recording" : "Record");
  by("save").disabled = !(open && !saving && page.about?.table_rows);
  say("save", saving ? "Saving …" : "Save table");
  say("trouble", page.state.trouble || "");
  by("trouble").hidden = !page.state.trouble;
}

function rowsKept() {
  const about = page.about, parts = [];
  if (!about) return;
  parts.push(count(about.table_rows ?? 0) + " rows since the start can be saved");
  if (page.state.recording) parts.push("recording into " + page.state.recording + ": " + count(about.recorded_rows ?? 0) + " rows");
  say("kept-words", parts.join("; ") + ".");
}

function kept() {
  const list = by("files"), saved = [...(page.state.saved ?? [])].reverse();
  const key = JSON.stringify(saved);
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  list.replaceChildren(...saved.map(each => {
    const words = (each.kind === "table" ? "table, " : "recording, ") + count(each.rows) + (each.rows === 1 ? " row:" : " rows:");
    return make("li", {}, words, ...each.files.map(name => {
      const button = make("button", {type: "button"}, "Download " + name);
      button.addEventListener("click", () => download(name, button));
      return button;
    }));
  }));
}

async function download(name, button) {
  button.disabled = true;
  try {
    const parts = [];
    for (let part = 0, all = 1; part < all; part++) {
      const answer = await fetch("files/" + encodeURIComponent(name) + (query ? query + "&" : "?") + "part=" + part);
      if (!answer.ok) throw new Error(await answer.text());
      all = Number(answer.headers.get("Mien-Parts"));
      parts.push(await answer.blob());
    }
    const link = make("a", {href: URL.createObjectURL(new Blob(parts)), download: name});
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  } catch (error) {
    page.state = {...page.state, trouble: name + " can't be downloaded: " + error.message};
    words();
  }
  button.disabled = false;
}

// --- the picture

function fit() {
  const [width, height] = page.about?.size[0] ? page.about.size : [640, 480];
  const frame = by("frame");
  frame.style.aspectRatio = width + " / " + height;
  frame.style.setProperty("--ratio", width / height);
  const room = canvas.getBoundingClientRect(), dense = Math.min(devicePixelRatio || 1, 2);
  const wide = Math.max(Math.round(room.width * dense), 1), high = Math.max(Math.round(room.height * dense), 1);
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
  }
}

function paint() {
  const about = page.about;
  if (!about) return;
  if (canvas.dataset.size !== String(about.size)) {
    canvas.dataset.size = String(about.size);
    fit();
  }
  const [width, height] = about.size[0] ? about.size : [640, 480];
  const scale = Math.min(canvas.width / width, canvas.height / height);
  const left = (canvas.width - width * scale) / 2, top = (canvas.height - height * scale) / 2;
  const mirrored = by("mirrored").checked;
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.fillStyle = "#000";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.setTransform(mirrored ? -scale : scale, 0, 0, scale, mirrored ? canvas.width - left : left, top);
  if (page.bitmap) pen.drawImage(page.bitmap, 0, 0, width, height);
  if (about.drawing) lines(about.drawing, scale);
  canvas.dataset.number = about.number;
}

function trace(flat, closed) {
  for (let i = 0; i < flat.length; i += 2) pen[i ? "lineTo" : "moveTo"](flat[i] + 0.5, flat[i + 1] + 0.5);
  if (closed && flat.length) pen.closePath();
}

function stroke(paths, width, ink, closed, opacity = 1) {
  if (!paths.length) return;
  pen.beginPath();
  for (const path of paths) trace(path, closed);
  pen.lineJoin = pen.lineCap = "round";
  for (const [wide, style, alpha] of [[width * 2.2, SHADE, 0.4 * opacity], [width, ink, opacity]]) {
    pen.lineWidth = wide;
    pen.strokeStyle = style;
    pen.globalAlpha = alpha;
    pen.stroke();
  }
  pen.globalAlpha = 1;
}

function dots(flat, radius, ink, opacity = 1) {
  pen.globalAlpha = opacity;
  pen.fillStyle = ink;
  pen.beginPath();
  for (let i = 0; i < flat.length; i += 2) {
    pen.moveTo(flat[i] + 0.5 + radius, flat[i + 1] + 0.5);
    pen.arc(flat[i] + 0.5, flat[i + 1] + 0.5, radius, 0, 7);
  }
  pen.fill();
  pen.globalAlpha = 1;
}

function lines(drawing, scale) {
  const {points, rings, gaze, near, far, mesh} = drawing;
  let low = Infinity, high = -Infinity;
  for (let i = 1; i < points.length; i += 2) {
    low = Math.min(low, points[i]);
    high = Math.max(high, points[i]);
  }
  // small faces get thinner lines, but none that can't be seen
  const one = Math.min(Math.max((high - low) / 150, 1 / scale), 2.2 / scale * (devicePixelRatio || 1));
  if (by("show-head").checked) stroke(far, 0.8 * one, LINE, false, 0.4);
  if (by("show-landmarks").checked && points.length) {
    if (mesh.length) dots(mesh, 0.5 * one, LINE, 0.5);
    const contours = rings.length ? page.hello.contours : [...page.hello.contours, ...page.hello.eyes.map(each => [each, true])];
    for (const closed of [false, true]) {
      const some = contours.filter(each => each[1] === closed);
      stroke(some.map(each => each[0].flatMap(i => [points[2 * i], points[2 * i + 1]])), one, LINE, closed, 0.75);
    }
    dots(points, 2.1 * one, SHADE, 0.45);
    dots(points, 1.4 * one, POINT);
    stroke(rings.map(each => each[0]), 0.8 * one, "#fff", true, 0.85);
    stroke(rings.map(each => each[1]), 0.8 * one, GAZE, true, 0.9);
  }
  if (by("show-head").checked) stroke(near, 1.3 * one, LINE, false, 0.95);
  if (by("show-gaze").checked) {
    stroke(gaze, 1.5 * one, GAZE, false);
    for (const ray of gaze) dots(ray.slice(2), 2.6 * one, GAZE);
  }
}

// --- numbers

function welcome(hello) {
  page.hello = hello;
  say("name", hello.name);
  say("models", "Models: " + hello.models + (hello.approximate ? "; intensities (~) are on a scale close to OpenFace's, not the same" : "")
    + (hello.anonymous === "blur" ? "; faces are blurred" : hello.anonymous === "black" ? "; nothing of the picture is sent" : ""));
  page.units = hello.units.map(unit => unitRow(unit));
  by("rows").replaceChildren(...page.units.map(each => each.row));
  page.chosen.clear();
  for (const name of FIRST_CHOSEN) choose(name, true);
  charts();
}

function unitRow(unit) {
  const fill = make("i"), value = make("td", {class: "number"}), present = make("td"), first = make("td");
  const row = make("tr", {}, first, make("th", {scope: "row"}, unit.name + " ", make("span", {}, unit.words)),
    make("td", {class: "wide"}, ...(unit.intensity === null ? [] : [make("div", {class: "bar"}, fill)])), value, present);
  const made = {unit, row, fill, value, present, first, box: null, known: 0};
  if (unit.intensity !== null) {
    made.box = make("input", {type: "checkbox", "aria-label": unit.name + " in the time course"});
    made.box.addEventListener("change", () => {
      choose(unit.name, made.box.checked);
      charts();
    });
    first.append(make("label", {class: "pick"}, made.box));
  }
  return made;
}

// A line keeps the first colour that is free.
function choose(name, on) {
  const unit = page.units.find(each => each.unit.name === name);
  if (on && page.chosen.size < MOST_CHOSEN) {
    const used = new Set(page.chosen.values());
    let slot = 0;
    while (used.has(slot)) slot++;
    page.chosen.set(name, slot);
  } else if (!on) page.chosen.delete(name);
  for (const each of page.units) {
    if (!each.box) continue;
    const slot = page.chosen.get(each.unit.name);
    each.box.checked = slot !== undefined;
    each.box.disabled = slot === undefined && page.chosen.size >= MOST_CHOSEN;
    each.first.querySelector("svg")?.remove();
    if (slot !== undefined) each.first.firstChild.append(swatch(slot));
  }
  return unit;
}

function bars() {
  const row = page.rows[page.rows.length - 1];
  if (!row) return;
  const text = page.ticks % NUMBERS_EVERY === 0, mark = page.hello.approximate ? "~" : "";
  for (const each of page.units) {
    const {unit, fill, value, present} = each;
    const intensity = unit.intensity === null ? null : row[unit.intensity] ?? null;
    if (intensity !== null) each.known++;
    const scale = "scaleX(" + Math.min(Math.max(intensity ?? 0, 0) / 5, 1).toFixed(3) + ")";
    if (unit.intensity !== null && fill.style.transform !== scale) fill.style.transform = scale;
    if (!text) continue;
    const number = unit.intensity === null ? "" : intensity === null ? "–" : mark + signed(intensity, 2);
    if (value.textContent !== number) value.textContent = number;
    const is = row[unit.presence] ?? null, sign = is === null ? "–" : is ? "● yes" : "○ no";
    if (is !== null) each.known++;
    if (present.textContent !== sign) present.textContent = sign;
  }
  if (text) numbers(row);
}

function numbers(row) {
  const about = page.about, names = page.hello.row, at = name => row[names.indexOf(name)];
  const sorted = [...page.drawnMs].sort((a, b) => a - b);
  say("fps", about.fps === null ? "–" : about.fps.toFixed(0));
  say("latency", about.latency_ms.toFixed(0) + " ms");
  say("drawn", sorted.length ? sorted[sorted.length >> 1].toFixed(0) + " ms" : "–");
  say("dropped", count(about.dropped));
  by("dropped").classList.toggle("bad", about.dropped > 0);
  say("confidence", signed(at("confidence"), 2));
  say("head", "pitch " + signed(at("pitch"), 0) + "  yaw " + signed(at("yaw"), 0) + "  roll " + signed(at("roll"), 0));
  say("place", "x " + signed(at("x"), 0) + "  y " + signed(at("y"), 0) + "  z " + signed(at("z"), 0));
  say("gaze", sided(at("gaze_x"), "left", "right") + ", " + sided(at("gaze_y"), "up", "down"));
  say("viewers", about.viewers === 1 ? "1 viewer" : about.viewers + " viewers");
  rowsKept();
  if (page.seen > SURE_ROWS) unmeasured();
  if (by("save").disabled) words();
}

function sided(value, before, after) {
  return value === null ? "–" : Math.abs(value).toFixed(0) + " " + (value < 0 ? before : after);
}

function unmeasured() {
  const never = page.units.filter(each => !each.known).map(each => each.unit.name);
  for (const each of page.units) each.row.hidden = !each.known;
  by("unmeasured").hidden = !never.length;
  if (never.length) say("unmeasured", "Not measured with these models: " + never.join(", ") + ".");
  const presences = page.rows.some(row => page.units.some(each => (row[each.unit.presence] ?? null) !== null));
  by("rows").parentNode.classList.toggle("no-presence", !presences);
}

// --- time courses

function swatch(index) {
  const namespace = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(namespace, "svg"), line = document.createElementNS(namespace, "line");
  drawing.setAttribute("viewBox", "0 0 26 10");
  drawing.setAttribute("aria-hidden", "true");
  const look = {x1: 0, x2: 26, y1: 5, y2: 5, "stroke-width": 2.5, stroke: colour(index), "stroke-dasharray": dash(index).join(" ")};
  for (const [key, value] of Object.entries(look)) line.setAttribute(key, value);
  drawing.append(line);
  return drawing;
}

function charts() {
  for (const each of page.charts) each.plot.destroy();
  const names = page.hello.row, at = name => names.indexOf(name);
  const units = page.units.filter(each => page.chosen.has(each.unit.name))
    .map(each => ({name: each.unit.name, column: each.unit.intensity, look: page.chosen.get(each.unit.name)}));
  page.charts = [
    chart("chart-units", units, (low, high) => [Math.min(Math.floor(2 * (low ?? 0)) / 2, 0), Math.max(Math.ceil(high ?? 0), 2)]),
    chart("chart-head", ["pitch", "yaw", "roll"].map((name, look) => ({name, column: at(name), look})), wide(10)),
    chart("chart-gaze", [["to the image's right", "gaze_x"], ["down", "gaze_y"]].map(([name, key], look) => ({name, column: at(key), look})), wide(10)),
  ];
  courses();
}

function wide(least) {
  return (low, high) => low === null || low === undefined ? [-least, least]
    : [Math.floor(Math.min(low, -least) / 5) * 5, Math.ceil(Math.max(high, least) / 5) * 5];
}

function chart(id, lines, range) {
  const home = by(id), place = home.querySelector(".plot");
  home.querySelector(".keys").replaceChildren(...lines.map(line => make("li", {}, swatch(line.look), line.name)));
  const plain = {stroke: () => css("--ink"), grid: {stroke: () => css("--grid"), width: 1}, ticks: {show: false}, font: "12px system-ui, sans-serif"};
  const plot = new uPlot({
    width: Math.max(place.clientWidth, 200), height: 150, legend: {show: false}, cursor: {show: false},
    scales: {x: {time: false, range: () => [-HISTORY_S, 0]}, y: {range: (self, low, high) => range(low, high)}},
    axes: [{...plain, size: 26, incrs: [5, 10], values: (self, splits) => splits.map(each => each ? "−" + -each + " s" : "now")}, {...plain, size: 40, space: 24}],
    series: [{}, ...lines.map(line => ({stroke: () => colour(line.look), dash: dash(line.look), width: 1.6, points: {show: false}, spanGaps: false}))],
    hooks: {drawClear: [shade]},
  }, [[], ...lines.map(() => [])], place);
  return {plot, place, lines};
}

function shade(plot) {
  const {ctx, bbox} = plot, rows = page.rows, last = rows.length ? rows[rows.length - 1][0] : 0;
  ctx.save();
  ctx.fillStyle = css("--lost");
  for (let i = 0; i < rows.length; i++) {
    if (rows[i][2]) continue;
    const first = i;
    while (i + 1 < rows.length && !rows[i + 1][2]) i++;
    const left = Math.max(plot.valToPos(rows[first][0] - last, "x", true), bbox.left);
    const right = plot.valToPos(rows[Math.min(i + 1, rows.length - 1)][0] - last, "x", true);
    ctx.fillRect(left, bbox.top, Math.max(right - left, 1), bbox.height);
  }
  ctx.restore();
}

function courses() {
  const rows = page.rows, last = rows.length ? rows[rows.length - 1][0] : 0, x = [], kept = [];
  rows.forEach((row, index) => {
    if (index && row[0] - rows[index - 1][0] > GAP_S) {
      x.push((row[0] + rows[index - 1][0]) / 2 - last);
      kept.push(null);
    }
    x.push(row[0] - last);
    kept.push(row);
  });
  for (const {plot, lines} of page.charts) plot.setData([x, ...lines.map(line => kept.map(row => row === null ? null : row[line.column] ?? null))]);
}

// --- what happens by itself

function tick() {
  if (document.hidden || !page.hello) return;
  page.ticks++;
  bars();
  if (page.ticks % (calm.matches ? 5 * NUMBERS_EVERY : NUMBERS_EVERY) === 0 && page.connection === "open" && page.state.state === "running") courses();
  if (page.ticks % 5 === 0) words();
}

for (const [id, what] of [["start", "start"], ["stop", "stop"], ["save", "save"]]) by(id).addEventListener("click", () => send({do: what}));
by("record").addEventListener("click", () => send({do: page.state.recording ? "end-record" : "record"}));
for (const id of ["show-landmarks", "show-head", "show-gaze", "mirrored"]) by(id).addEventListener("change", paint);
new ResizeObserver(() => { fit(); paint(); }).observe(canvas);
new ResizeObserver(() => {
  for (const {plot, place} of page.charts) if (Math.abs(plot.width - place.clientWidth) > 1) plot.setSize({width: Math.max(place.clientWidth, 200), height: plot.height});
}).observe(by("courses"));
dark.addEventListener("change", () => { if (page.hello) { choose("", false); charts(); } });
setInterval(tick, PICTURES_MS);
setInterval(() => send({alive: true}), ALIVE_MS);
connect();
})();
