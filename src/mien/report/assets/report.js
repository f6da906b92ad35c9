(() => {
"use strict";
// Every text of a table enters the page through textContent, a canvas or an attribute's value: never as markup.
const HEIGHTS = {confidence: 110, intensity: 270, rotation: 190, position: 160, gaze: 170, sides: 230, measures: 200};
const LANE_PX = 19, PRINT_PX = 680, MARKS_DRAWN = 500, DENSE = 1;
const data = JSON.parse(document.getElementById("mien-data").textContent);
const home = document.getElementById("charts");
if (!home) return;
const dark = matchMedia("(prefers-color-scheme: dark)");
const state = {face: data.faces[0], bytes: null, range: null, whole: null, charts: [], chosen: new Map(), slots: new Map(), busy: false};

function make(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function css(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }

function colours() { return dark.matches && !document.documentElement.dataset.print ? DARK : LIGHT; }

function colour(index) { return colours()[index % LIGHT.length]; }

function dash(index) { return DASHES[(index + Math.floor(index / LIGHT.length)) % DASHES.length]; }

async function unpack() {
  const packed = document.getElementById("mien-bytes").textContent;
  let bytes;
  if (Uint8Array.fromBase64) bytes = Uint8Array.fromBase64(packed);
  else {
    const text = atob(packed);
    bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  }
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function column(index) {
  const {at, rows, bits, low, step} = data.columns[index];
  const size = bits / 8, missing = 2 ** bits - 1, out = new Array(rows);
  let whole = 0;
  for (let row = 0; row < rows; row++) {
    let difference = 0;
    for (let plane = size - 1; plane >= 0; plane--) difference = difference * 256 + state.bytes[at + plane * rows + row];
    whole = (whole + difference) % (missing + 1);
    out[row] = whole === missing ? null : low + step * whole;
  }
  return out;
}

function clock(x, decimals) {
  if (state.face.unit !== "s") return x.toFixed(0);
  if (Math.abs(state.whole[1]) < 120) return x.toFixed(decimals);
  const sign = x < 0 ? "-" : "", tenths = Math.abs(x).toFixed(decimals), value = Number(tenths);
  const hours = Math.floor(value / 3600), minutes = Math.floor(value / 60) % 60;
  const seconds = (value % 60).toFixed(decimals).padStart(decimals ? 3 + decimals : 2, "0");
  return sign + (hours ? hours + ":" + String(minutes).padStart(2, "0") : minutes) + ":" + seconds;
}

function unitOfX() { return {s: "time, s", frame: "frame", face: "face"}[state.face.unit]; }

// --- zoom, for all charts at once

function zoom(begin, end) {
  const [first, last] = state.whole, least = Math.max((last - first) / 1e5, 1e-3);
  let width = Math.min(Math.max(end - begin, least), last - first);
  begin = Math.min(Math.max(begin, first), last - width);
  state.range = [begin, begin + width];
  state.busy = true;
  for (const each of state.charts) follow(each);
  state.busy = false;
  clearTimeout(settling);
  settling = setTimeout(settle, 250);
  said();
}

let settling = 0;
function settle() {
  state.busy = true;
  for (const each of state.charts) if (each.stale) each.plot.setScale("x", {min: state.range[0], max: state.range[1]});
  for (const each of state.charts) each.stale = false;
  state.busy = false;
}

// Charts that nobody sees follow when they come into view, or when nothing moves any more.
function follow(each) {
  each.stale = !each.seen && !document.documentElement.dataset.print;
  if (!each.stale) each.plot.setScale("x", {min: state.range[0], max: state.range[1]});
}

const watching = new IntersectionObserver(entries => {
  for (const entry of entries) {
    const each = state.charts.find(chart => chart.figure === entry.target);
    if (!each) continue;
    each.seen = entry.isIntersecting;
    if (!each.seen || !each.stale) continue;
    state.busy = true;
    follow(each);
    state.busy = false;
  }
}, {rootMargin: "150px"});

function scaled(factor, centre) {
  const [begin, end] = state.range, middle = centre ?? (begin + end) / 2;
  zoom(middle - (middle - begin) * factor, middle + (end - middle) * factor);
}

function moved(share) {
  const [begin, end] = state.range, by = (end - begin) * share;
  zoom(begin + by, end + by);
}

function all() { zoom(...state.whole); }

function said() {
  const [begin, end] = state.range, decimals = end - begin < 20 ? 2 : 0;
  const shown = document.getElementById("mien-range");
  const words = state.face.unit === "s" ? "" : unitOfX() + " ";
  if (shown) shown.value = words + clock(begin, decimals) + " to " + clock(end, decimals) + (state.whole[1] < 120 && !words ? " s" : "");
}

// --- drawing

function shade(plot) {
  const {ctx, bbox} = plot, [begin, end] = [plot.scales.x.min, plot.scales.x.max];
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.fillStyle = css("--lost");
  for (const [a, b] of state.face.lost) {
    if (b < begin || a > end) continue;
    const left = plot.valToPos(a, "x", true);
    ctx.fillRect(left, bbox.top, Math.max(plot.valToPos(b, "x", true) - left, devicePixelRatio), bbox.height);
  }
  ctx.restore();
}

// With many rows to a pixel, dashes can't be told apart, and anything but the thinnest line takes long to draw.
function dashed(plot, course, lines) {
  const [first, last] = plot.series[0].idxs ?? [0, 0], dense = (last - first) / plot.bbox.width * devicePixelRatio > DENSE;
  lines.forEach((line, order) => {
    const series = plot.series[order + 1];
    series.width = dense ? 1 / devicePixelRatio : 1.5;
    series.dash = dense ? [] : dash(look(course, line)).map(each => each * devicePixelRatio);
  });
}

function across(limits) {
  return plot => {
    const {ctx, bbox} = plot;
    ctx.save();
    ctx.strokeStyle = css("--limit");
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
    for (const limit of limits) {
      const y = plot.valToPos(limit, "y", true);
      if (y < bbox.top || y > bbox.top + bbox.height) continue;
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
    }
    ctx.restore();
  };
}

function events(lines, course) {
  const place = new Map(lines.map((line, order) => [line.name, {index: look(course, line), order}]));
  const marks = state.face.marks.filter(mark => place.has(mark[0]));
  return plot => {
    const {ctx, bbox} = plot, one = devicePixelRatio, [begin, end] = [plot.scales.x.min, plot.scales.x.max];
    const seen = marks.filter(mark => mark[3] >= begin && mark[1] <= end);
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    for (const [name, onset, apex, offset, peak] of seen) {
      const {index, order} = place.get(name);
      const left = plot.valToPos(onset, "x", true), right = plot.valToPos(offset, "x", true);
      ctx.fillStyle = colour(index);
      ctx.fillRect(left, bbox.top + bbox.height - (4 * order + 4) * one, Math.max(right - left, one), 3 * one);
      if (apex === null || peak === null || seen.length > MARKS_DRAWN) continue;
      const x = plot.valToPos(apex, "x", true), y = plot.valToPos(peak, "y", true) - 3 * one;
      ctx.beginPath();
      ctx.moveTo(x, y);
      ctx.lineTo(x - 4 * one, y - 7 * one);
      ctx.lineTo(x + 4 * one, y - 7 * one);
      ctx.fill();
    }
    ctx.restore();
  };
}

function spans(x, values) {
  const found = [];
  for (let row = 0; row < x.length; row++) {
    if (!(values[row] >= 0.5)) continue;
    const first = row;
    while (row + 1 < x.length && values[row + 1] >= 0.5) row++;
    const before = first ? (x[first] + x[first - 1]) / 2 : x[first];
    found.push([before, row + 1 < x.length ? (x[row] + x[row + 1]) / 2 : x[row]]);
  }
  return found;
}

function lanes(lines, course, x, columns) {
  const runs = columns.map(values => spans(x, values));
  return plot => {
    const {ctx, bbox} = plot, [begin, end] = [plot.scales.x.min, plot.scales.x.max];
    const height = bbox.height / lines.length;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    lines.forEach((line, order) => {
      ctx.fillStyle = colour(look(course, line));
      const top = bbox.top + order * height + 0.2 * height;
      for (const [a, b] of runs[order]) {
        if (b < begin || a > end) continue;
        const left = plot.valToPos(a, "x", true);
        ctx.fillRect(left, top, Math.max(plot.valToPos(b, "x", true) - left, devicePixelRatio), 0.6 * height);
      }
    });
    ctx.restore();
  };
}

// --- charts

function chosenOf(course) {
  if (!course.chooser) return course.lines;
  const names = state.chosen.get(course.chooser);
  return course.lines.filter(line => names.has(line.name));
}

function axes(course, lines) {
  const plain = {stroke: () => css("--ink"), grid: {stroke: () => css("--grid"), width: 1}, ticks: {stroke: () => css("--line"), width: 1}};
  const font = "12px system-ui, sans-serif";
  const whole = state.face.unit === "s" ? {incrs: [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 36000, 1e5, 1e6, 1e7, 1e8, 1e9]} : {incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 1e7, 1e8, 1e9]};
  const x = {...plain, ...whole, font, size: 34, values: (plot, splits, axis, space, step) =>
    splits.map(split => clock(split, step < 0.1 ? 2 : step % 1 ? 1 : 0))};
  const y = {...plain, font, size: 62};
  if (course.key === "presence") {
    y.splits = () => lines.map((line, order) => lines.length - order - 0.5);
    y.values = () => lines.map(line => line.name.slice(0, 8));
    y.grid = {show: false};
  }
  return [x, y];
}

function rangeOfY(course, lines, columns) {
  if (course.key === "presence") return () => [0, Math.max(lines.length, 1)];
  let low = course.low ?? Infinity, high = course.high ?? -Infinity;
  for (const values of columns) for (const value of values) if (value !== null) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) [low, high] = [0, 1];
  const room = (high - low || Math.abs(high) || 1) * 0.05;
  const range = [low === course.low ? low : low - room, high === course.high ? high : high + room];
  if (course.key === "intensity" || course.key === "confidence") return () => range;
  return (plot, least, most) => {
    if (least === null || most === null) return range;
    const pad = (most - least || Math.abs(most) || 1) * 0.06;
    return [Math.min(least - pad, course.low ?? least - pad), Math.max(most + pad, course.high ?? most + pad)];
  };
}

function swatch(index) {
  const namespace = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(namespace, "svg"), line = document.createElementNS(namespace, "line");
  drawing.setAttribute("viewBox", "0 0 30 10");
  drawing.setAttribute("aria-hidden", "true");
  for (const [key, value] of Object.entries({x1: 0, x2: 30, y1: 5, y2: 5, "stroke-width": 2.5, stroke: colour(index), "stroke-dasharray": dash(index).join(" ")})) line.setAttribute(key, value);
  drawing.append(line);
  return drawing;
}

// Which colour and dashes a line has: its place, or of a choice the first that is free, which it keeps.
function look(course, line) {
  if (!course.chooser) return course.lines.indexOf(line);
  const taken = state.slots.get(course.chooser), chosen = state.chosen.get(course.chooser);
  for (const name of [...taken.keys()]) if (!chosen.has(name)) taken.delete(name);
  if (!taken.has(line.name)) {
    const used = new Set(taken.values());
    let slot = 0;
    while (used.has(slot)) slot++;
    taken.set(line.name, slot);
  }
  return taken.get(line.name);
}

function chart(course, x) {
  const lines = chosenOf(course);
  if (!lines.length) return null;
  const columns = lines.map(line => column(line.column)), isLanes = course.key === "presence";
  const values = lines.map(() => make("b"));
  const keys = make("ul", {class: "keys"}, ...lines.map((line, order) =>
    make("li", {}, ...(isLanes ? [] : [swatch(look(course, line))]), line.label, values[order])));
  const place = make("div"), heading = course.unit ? course.title + " (" + course.unit + ")" : course.title;
  const figure = make("div", {class: "chart", role: "group", tabindex: "0", "aria-label": heading + ". Arrow keys move, plus and minus zoom, Home shows all, Shift with arrow keys reads values."},
    make("h3", {}, heading), ...(isLanes ? [] : [keys]), place);
  figure.dataset.course = course.key;
  home.append(figure);
  const drawn = [];
  if (isLanes) drawn.push(lanes(lines, course, x, columns));
  if (course.limits.length) drawn.push(across(course.limits));
  if (course.key === "intensity" && state.face.marks.length) drawn.push(events(lines, course));
  const points = x.length < 3 || state.face.unit === "face";
  const options = {
    width: width(), height: isLanes ? 40 + LANE_PX * lines.length : HEIGHTS[course.key] ?? 180,
    legend: {show: false},
    cursor: {sync: {key: "mien", setSeries: false}, drag: {x: true, y: false}, points: {show: !isLanes}},
    scales: {x: {time: false, range: (plot, low, high) => low === high ? [low - 1, high + 1] : [low, high]}, y: {range: rangeOfY(course, lines, columns)}},
    axes: axes(course, lines),
    series: [{}, ...lines.map(line => ({
      label: line.name, stroke: () => colour(look(course, line)), width: 1,
      spanGaps: false, show: !isLanes, paths: points ? () => null : undefined, points: {show: points ? true : undefined, size: 6},
    }))],
    hooks: {
      drawClear: [shade, plot => dashed(plot, course, lines)], draw: drawn,
      setScale: [(plot, key) => { if (key === "x" && !state.busy && state.range) zoom(plot.scales.x.min, plot.scales.x.max); }],
      setCursor: [plot => lines.forEach((line, order) => {
        const row = plot.cursor.idx, value = row === null || row === undefined ? null : columns[order][row];
        values[order].textContent = value === null ? "" : value.toFixed(course.key === "position" ? 0 : 2);
      })],
    },
  };
  const plot = new uPlot(options, [x, ...(isLanes ? columns.map(() => []) : columns)], place);
  figure.addEventListener("keydown", event => pressed(event, plot, lines, columns, x));
  plot.over.addEventListener("wheel", event => {
    if (!event.ctrlKey && !event.shiftKey) return;
    event.preventDefault();
    const share = (event.deltaY || event.deltaX) > 0 ? 1.25 : 0.8;
    scaled(share, plot.posToVal(event.offsetX, "x"));
  }, {passive: false});
  watching.observe(figure);
  return {plot, course, figure, seen: true, stale: false};
}

function pressed(event, plot, lines, columns, x) {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const way = {ArrowLeft: -1, ArrowRight: 1}[event.key];
  if (way && event.shiftKey) read(way, plot, lines, columns, x);
  else if (way) moved(way * 0.2);
  else if (event.key === "+" || event.key === "=") scaled(0.5);
  else if (event.key === "-") scaled(2);
  else if (event.key === "Home") all();
  else return;
  event.preventDefault();
}

function read(way, plot, lines, columns, x) {
  const step = Math.max((state.range[1] - state.range[0]) / 200, 0);
  const now = plot.cursor.left >= 0 ? plot.posToVal(plot.cursor.left, "x") : (state.range[0] + state.range[1]) / 2;
  let row = plot.valToIdx(now);
  const wanted = x[row] + way * step;
  row = Math.min(Math.max(way > 0 ? Math.max(plot.valToIdx(wanted), row + 1) : Math.min(plot.valToIdx(wanted), row - 1), 0), x.length - 1);
  if (x[row] < state.range[0] || x[row] > state.range[1]) moved(way * 0.5);
  for (const other of state.charts) other.plot.setCursor({left: other.plot.valToPos(x[row], "x"), top: 5});
  const heard = lines.map((line, order) => line.name + " " + (columns[order][row] === null ? "not measured" : columns[order][row].toFixed(2)));
  document.getElementById("mien-heard").textContent = clock(x[row], 2) + ": " + heard.join(", ");
}

function width() { return document.documentElement.dataset.print ? PRINT_PX : Math.max(home.clientWidth, 260); }

// --- controls

function button(words, action, label) {
  const made = make("button", {type: "button", ...(label ? {"aria-label": label, title: label} : {})}, words);
  made.addEventListener("click", action);
  return made;
}

function toolbar() {
  const bar = make("div", {class: "toolbar", role: "toolbar", "aria-label": "Time courses"});
  if (data.faces.length > 1) {
    const select = make("select", {"aria-label": "Face"}, ...data.faces.map((face, index) => make("option", {value: String(index)}, face.label)));
    select.value = String(data.faces.indexOf(state.face));
    select.addEventListener("change", () => { shown(data.faces[Number(select.value)]); document.querySelector(".toolbar select").focus(); });
    bar.append(select);
  }
  bar.append(
    button("+", () => scaled(0.5), "Zoom in"), button("−", () => scaled(2), "Zoom out"),
    button("◀", () => moved(-0.5), "Earlier"), button("▶", () => moved(0.5), "Later"), button("All", all, "Show all"),
    make("output", {id: "mien-range"}),
  );
  return bar;
}

function chooser(name, courses) {
  const lines = new Map();
  for (const course of courses) for (const line of course.lines) lines.set(line.name, line.label);
  const titles = {units: "Action units", sides: "Left and right", measures: "Measures"};
  const names = state.chosen.get(name);
  const pairs = name === "sides" ? [...lines.keys()].filter(key => key.endsWith("_left")) : [...lines.keys()].sort();
  const boxes = pairs.map(key => {
    const box = make("input", {type: "checkbox"});
    box.checked = names.has(key);
    box.addEventListener("change", () => {
      const both = name === "sides" ? [key, key.replace(/_left$/, "_right")] : [key];
      for (const each of both) if (box.checked) names.add(each); else names.delete(each);
      redraw();
    });
    return [box, make("label", {}, box, name === "sides" ? lines.get(key).replace(/ left$/, "") : lines.get(key))];
  });
  const every = value => { for (const [box] of boxes) if (box.checked !== value) { box.checked = value; box.dispatchEvent(new Event("change")); } };
  return make("fieldset", {}, make("legend", {}, titles[name] ?? name),
    make("div", {class: "choices"}, ...boxes.map(([, label]) => label)),
    make("p", {}, button("None", () => every(false), "Choose none: " + (titles[name] ?? name)), " ", button("All", () => every(true), "Choose all: " + (titles[name] ?? name))));
}

let asked = 0;
function redraw() {
  if (!asked) asked = requestAnimationFrame(() => { asked = 0; draw(); });
}

function draw() {
  const kept = state.range;
  for (const {plot} of state.charts) plot.destroy();
  watching.disconnect();
  home.querySelectorAll(".chart").forEach(each => each.remove());
  const x = column(state.face.x);
  state.range = null;
  state.charts = state.face.courses.map(course => chart(course, x)).filter(made => made !== null);
  // charts stand below the choice between their lines
  for (const field of home.querySelectorAll("fieldset")) {
    const first = [...home.querySelectorAll(".chart")].find(each => each.dataset.course === field.dataset.first);
    if (first) first.before(field);
  }
  state.range = kept;
  if (kept) zoom(...kept);
}

function shown(face) {
  state.face = face;
  for (const {plot} of state.charts) plot.destroy();
  state.charts = [];
  home.replaceChildren(make("p", {id: "mien-heard", role: "status", class: "rule"}), toolbar());
  const how = "Drag across a chart to zoom in, double-click to see all; Ctrl with the wheel zooms. ", hints = ["Grey: no usable row."];
  if (face.marks.length) hints.push("Below the curves a bar marks every event, ▼ its strongest moment.");
  if (face.rows_per_pair > 1) hints.push("The recording is long: two points, the least and the greatest value, stand for " + face.rows_per_pair + " rows.");
  home.append(make("p", {class: "rule"}, make("span", {class: "screen"}, how), hints.join(" ")));
  const x = column(face.x), first = x[0], last = x[x.length - 1];
  state.whole = first === last ? [first - 1, first + 1] : [first, last];
  state.range = [...state.whole];
  const choosers = new Map();
  for (const course of face.courses) if (course.chooser) choosers.set(course.chooser, [...(choosers.get(course.chooser) ?? []), course]);
  state.chosen = new Map([...choosers].map(([name, courses]) =>
    [name, new Set(courses.flatMap(course => course.lines.filter(line => line.chosen).map(line => line.name)))]));
  state.slots = new Map([...choosers.keys()].map(name => [name, new Map()]));
  for (const [name, courses] of choosers) {
    const field = chooser(name, courses);
    field.dataset.first = courses[0].key;
    home.append(field);
  }
  draw();
}

function jumps() {
  for (const figure of document.querySelectorAll("figure[data-moment]")) {
    const at = Number(figure.dataset.moment), name = figure.dataset.face;
    const label = "Show " + clock(at, 2) + " in the time courses";
    figure.querySelector("figcaption").append(make("br"), button("Show", () => {
      const face = data.faces.find(each => each.label === name);
      if (face && face !== state.face) shown(face);
      const half = Math.min((state.whole[1] - state.whole[0]) / 2, state.face.unit === "s" ? 3 : 90);
      zoom(at - half, at + half);
      document.getElementById("courses").scrollIntoView();
      document.getElementById("courses").focus({preventScroll: true});
    }, label));
  }
}

function printed(on) {
  if (on) document.documentElement.dataset.print = "1"; else delete document.documentElement.dataset.print;
  draw();
}

async function start() {
  if (!data.faces.length) return;
  if (typeof DecompressionStream === "undefined") {
    home.append(make("p", {}, "This browser is too old to draw the time courses: any of 2023 or later does."));
    return;
  }
  state.bytes = await unpack();
  shown(state.face);
  jumps();
  let before = width();
  new ResizeObserver(() => {
    if (width() === before || document.documentElement.dataset.print) return;
    before = width();
    for (const {plot} of state.charts) plot.setSize({width: before, height: plot.height});
  }).observe(home);
  dark.addEventListener("change", draw);
  addEventListener("beforeprint", () => printed(true));
  addEventListener("afterprint", () => printed(false));
  requestAnimationFrame(() => requestAnimationFrame(() => { document.documentElement.dataset.drawn = performance.now().toFixed(0); }));
}

start();
})();
