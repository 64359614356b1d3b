// A figure in the page. Plotly draws it once and from then on changes what differs, in place.
//
// Plotly draws what the pointer finds. Words and lines that only stand there are written here, below
// and above its drawing: it measures each word, and takes far longer for them than for the curves.

const FAMILY = '"IBM Plex Sans", "Noto Sans SC"';
const WEIGHTS = [400, 500, 600];
const FONT_MILLISECONDS = 2000;
const LIBRARY = Symbol.for("sts.plotly");
const charts = new WeakMap();

// Paths are relative to where the page's own program came from: that is right below any prefix
function fullAddress(path) {
  const own = document.querySelector('script[src*="/static/js/"]');
  const root = own ? own.src.replace(/static\/js\/[^/]*$/, "") : document.baseURI;
  return new URL(path, root).href;
}

function library(path) {
  window[LIBRARY] ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = fullAddress(path);
    script.async = true;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      // the next figure asks again
      script.remove();
      delete window[LIBRARY];
      reject(new Error("the chart library did not arrive"));
    };
    document.head.append(script);
  });
  return window[LIBRARY];
}

// Plotly measures text when it draws: a font that arrives later would leave wrong places
function missingFonts(figure) {
  // shapes have no words, but long paths
  const layout = { ...figure.layout, shapes: [] };
  const written = JSON.stringify([layout, figure.data.map((trace) => trace.name)]);
  const characters = [...new Set(written)].join("");
  return WEIGHTS.map((weight) => `${weight} 13px ${FAMILY}`)
    .filter((font) => !document.fonts.check(font, characters))
    .map((font) => document.fonts.load(font, characters));
}

function fontsOrTooLate(fonts) {
  const late = new Promise((resolve) => setTimeout(resolve, FONT_MILLISECONDS));
  return Promise.race([Promise.allSettled(fonts), late]);
}

function say(chart, words) {
  if (window.Plotly) window.Plotly.purge(chart.plot);
  chart.drawn = false;
  chart.listens = false;
  chart.plot.replaceChildren();
  chart.below.replaceChildren();
  chart.above.replaceChildren();
  chart.message.textContent = words;
}

// A mark may say whom it counts; the page's listener opens the list of them
function countOf(chart, { points: [point] }) {
  const own = point?.data.meta?.counts;
  return chart.figure.counts?.[Array.isArray(own) ? own[point.pointNumber] : own];
}

function listen(chart) {
  if (chart.listens) return;
  chart.listens = true;
  const pointer = (shape) => {
    for (const layer of chart.plot.querySelectorAll(".nsewdrag")) layer.style.cursor = shape;
  };
  chart.plot.on("plotly_click", (event) => {
    const count = countOf(chart, event);
    if (count) document.dispatchEvent(new CustomEvent("sts-count", { detail: count }));
  });
  chart.plot.on("plotly_hover", (event) => pointer(countOf(chart, event) ? "pointer" : ""));
  chart.plot.on("plotly_unhover", () => pointer(""));
}

const SVG = "http://www.w3.org/2000/svg";
const LINE_HEIGHT = 1.3;
const ASCENT = 1.025;
const ANCHORS = { left: "start", center: "middle", right: "end" };
const ENTITIES = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };

function element(name, attributes, ...inside) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...inside);
  return made;
}

function axisOf(layout, ref) {
  const [name] = ref.split(" ");
  return layout[`${name[0]}axis${name.slice(1)}`];
}

// Where a value stands between the drawing's left or lower end, 0, and the other one, 1
function part(layout, ref, value) {
  if (ref === "paper") return value;
  const { range, domain: [start, end] = [0, 1] } = axisOf(layout, ref);
  const [low, high] = ref.endsWith("domain") ? [0, 1] : range;
  return start + ((value - low) / (high - low)) * (end - start);
}

// What a shape's coordinate is on its axis: a logarithmic one counts in powers of ten
function onAxis(layout, ref, value) {
  const isLog = ref !== "paper" && !ref.endsWith("domain") && axisOf(layout, ref).type === "log";
  return isLog ? Math.log10(value) : value;
}

function look({ line, fillcolor }) {
  const dash = line.dash && line.dash !== "solid" ? { "stroke-dasharray": line.dash } : {};
  return { fill: fillcolor ?? "none", stroke: line.width ? line.color : "none", "stroke-width": line.width, ...dash };
}

// A shape whose ends are parts of the drawing stretches with it; its strokes keep their width
function stretched(layout, shape) {
  const { type, xref, yref, path } = shape;
  const along = (value) => part(layout, xref, onAxis(layout, xref, value));
  const up = (value) => 1 - part(layout, yref, onAxis(layout, yref, value));
  const drawn = { ...look(shape), "vector-effect": "non-scaling-stroke" };
  if (type === "path") {
    const [x, y] = [part(layout, xref, 0), 1 - part(layout, yref, 0)];
    const [dx, dy] = [part(layout, xref, 1) - x, 1 - part(layout, yref, 1) - y];
    // thin level and upright lines are sharp
    const crisp = shape.line.width === 1 && !path.includes("L") ? { "shape-rendering": "crispEdges" } : {};
    return element("path", { ...drawn, ...crisp, d: path, transform: `matrix(${dx} 0 0 ${dy} ${x} ${y})` });
  }
  return element("path", { ...drawn, d: outline(type, along(shape.x0), up(shape.y0), along(shape.x1), up(shape.y1)) });
}

// A shape that has its width in pixels stands at a part of the drawing's width
function anchored(layout, height, shape) {
  const { type, xref, yref, xanchor, yanchor, ysizemode, x0, x1, y0, y1 } = shape;
  const down = (value) => height * (1 - part(layout, yref, value));
  const [top, bottom] = ysizemode === "pixel" ? [down(yanchor) - y0, down(yanchor) - y1] : [down(y0), down(y1)];
  const drawn = element("path", { ...look(shape), d: outline(type, x0, top, x1, bottom) });
  return element("svg", { x: `${100 * part(layout, xref, xanchor)}%`, overflow: "visible" }, drawn);
}

function outline(type, x0, y0, x1, y1) {
  return type === "rect" ? `M${x0} ${y0}H${x1}V${y1}H${x0}Z` : `M${x0} ${y0}L${x1} ${y1}`;
}

function isOurs(shape, layout) {
  if (shape.xsizemode === "pixel") return shape.type !== "path";
  const logarithmic = (ref) => ref !== "paper" && axisOf(layout, ref).type === "log";
  return shape.ysizemode !== "pixel" && !(shape.type === "path" && (logarithmic(shape.xref) || logarithmic(shape.yref)));
}

function linesOf(text) {
  return text.split("<br>").map((line) => line.replace(/&(lt|gt|amp);/g, (entity) => ENTITIES[entity]));
}

// `x` is a part of the width, `dx` pixels beside it, `y` the first line's pixels from above
function words(text, { size, weight, color }, anchor, x, dx, y) {
  const place = { x: `${100 * x}%`, dx };
  const font = { "font-size": size, "font-weight": weight, fill: color, "text-anchor": anchor };
  const [first, ...more] = linesOf(text);
  if (!more.length) return element("text", { ...place, ...font, y }, first);
  const lines = [first, ...more].map((line, row) =>
    element("tspan", { ...place, y: y + row * LINE_HEIGHT * size }, line),
  );
  return element("text", font, ...lines);
}

function annotated(layout, height, note) {
  const { text, font, x, y, xref, yref, xanchor, yanchor, xshift = 0, yshift = 0, borderpad = 1 } = note;
  const tall = LINE_HEIGHT * font.size * linesOf(text).length;
  // Plotly leaves room around a text, and for a frame
  const room = borderpad + 1;
  const above = { top: -room, middle: tall / 2, bottom: tall + room }[yanchor];
  const beside = { left: room, center: 0, right: -room }[xanchor];
  const top = height * (1 - part(layout, yref, y)) - yshift - above;
  return words(text, font, ANCHORS[xanchor], part(layout, xref, x), xshift + beside, top + ASCENT * font.size);
}

function labels(layout, height, { x, y, text, textfont, xaxis = "x", yaxis = "y" }) {
  return text.map((label, at) => {
    const middle = height * (1 - part(layout, yaxis, y[at]));
    return words(label, textfont, "middle", part(layout, xaxis, x[at]), 0, middle + textfont.size / 4);
  });
}

// Writes what only stands there, and gives what is left for Plotly
function write(chart, { data, layout, minWidth }) {
  const { l, r, t, b } = layout.margin;
  const height = layout.height - t - b;
  const ours = layout.shapes.filter((shape) => isOurs(shape, layout));
  const shapes = layout.shapes.filter((shape) => !isOurs(shape, layout));
  const notes = layout.annotations.filter((note) => !note.showarrow);
  const texts = data.filter((trace) => trace.mode === "text");
  for (const [svg, isBelow] of [[chart.below, true], [chart.above, false]]) {
    const own = ours.filter((shape) => (shape.layer === "below") === isBelow);
    const [fixed, loose] = [true, false].map((is) => own.filter((shape) => (shape.xsizemode === "pixel") === is));
    const stretch = { viewBox: "0 0 1 1", preserveAspectRatio: "none", width: "100%", height: "100%", overflow: "visible" };
    const drawn = [
      element("svg", stretch, ...loose.map((shape) => stretched(layout, shape))),
      ...fixed.map((shape) => anchored(layout, height, shape)),
    ];
    if (!isBelow) {
      drawn.push(...notes.map((note) => annotated(layout, height, note)));
      drawn.push(...texts.flatMap((trace) => labels(layout, height, trace)));
    }
    Object.assign(svg.style, {
      left: `${l}px`,
      top: `${t}px`,
      width: `calc(100% - ${l + r}px)`,
      minWidth: `${Math.max(minWidth - l - r, 0)}px`,
      height: `${height}px`,
      fontFamily: layout.font.family,
    });
    svg.replaceChildren(...drawn);
  }
  return {
    // a text that can be clicked stays a point
    data: data.filter((trace) => !(trace.mode === "text" && trace.hoverinfo === "skip"))
      .map((trace) => (trace.mode === "text" ? { ...trace, mode: "none" } : trace)),
    layout: { ...layout, shapes, annotations: layout.annotations.filter((note) => note.showarrow) },
  };
}

// Of several figures that wait for the library or a font, only the last one is drawn
async function draw(chart) {
  const number = ++chart.number;
  const current = () => chart.attached && chart.number === number;
  const { config, script } = chart.figure;
  try {
    const waits = missingFonts(chart.figure);
    const Plotly = window.Plotly ?? (await library(script));
    if (waits.length) await fontsOrTooLate(waits);
    if (!current()) return;
    chart.width = chart.plot.clientWidth;
    const { data, layout } = write(chart, chart.figure);
    await Plotly.react(chart.plot, data, layout, config);
    if (!current()) return;
    chart.drawn = true;
    chart.message.textContent = "";
    listen(chart);
  } catch (error) {
    if (!current()) return;
    console.error(error);
    say(chart, "This figure could not be drawn. Reload the page to try again; the table below and the export hold the same numbers.");
  }
}

function begin(parentElement) {
  const holder = document.createElement("div");
  holder.className = "sts-chart";
  const plot = document.createElement("div");
  plot.setAttribute("role", "img");
  const message = document.createElement("p");
  message.setAttribute("role", "status");
  // the image's own words say what it shows
  const [below, above] = [0, 1].map(() => element("svg", { "aria-hidden": "true", class: "sts-written" }));
  holder.append(below, plot, above, message);
  parentElement.append(holder);
  const chart = { attached: true, drawn: false, holder, plot, below, above, message, number: 0, width: 0 };
  chart.observer = new ResizeObserver(() => {
    const width = plot.clientWidth;
    // a hidden tab has no width
    if (!chart.drawn || !width || width === chart.width) return;
    chart.width = width;
    window.Plotly.Plots.resize(plot);
  });
  chart.observer.observe(plot);
  return chart;
}

// The theme can change without a rerun, and colours come from the server: ask for them, once
function followTheme(chart, setStateValue) {
  const dark = getComputedStyle(chart.plot).colorScheme === "dark";
  if (dark === chart.figure.dark) {
    chart.asked = undefined;
  } else if (chart.asked !== dark) {
    chart.asked = dark;
    setStateValue("dark", dark);
  }
}

// The server sends what the texts of a curve have in common once, and their numbers, rounded
function withTexts({ meta, ...trace }) {
  if (!meta?.texts) return { meta, ...trace };
  const { patterns, pattern, columns, decimals, skip } = meta.texts;
  const words = pattern.map((which, row) =>
    patterns[which]
      .map((part) => (typeof part === "number" ? columns[part][row].toFixed(decimals[part]) : part))
      .join(""),
  );
  return { ...trace, meta: { counts: meta.counts }, text: trace.x.map((_, point) => words[(point + skip) >> 1]) };
}

export default function show({ data: sent, parentElement, setStateValue }) {
  if (!sent.data) {
    // no figure yet: the library is fetched while the user reads; a figure says it if this fails
    const fetchIt = () => library(sent.script).catch(() => {});
    if (window.requestIdleCallback) window.requestIdleCallback(fetchIt, { timeout: 2000 });
    else setTimeout(fetchIt);
    return () => {};
  }
  const figure = { ...sent, data: sent.data.map(withTexts) };
  let chart = charts.get(parentElement);
  if (!chart) {
    chart = begin(parentElement);
    charts.set(parentElement, chart);
  }
  chart.figure = figure;
  chart.plot.setAttribute("aria-label", figure.alt);
  // the place is taken before anything is drawn, so that nothing below it moves
  chart.plot.style.height = `${figure.layout.height}px`;
  chart.plot.style.minWidth = `${figure.minWidth}px`;
  followTheme(chart, setStateValue);
  draw(chart);
  return () => {
    chart.attached = false;
    chart.observer.disconnect();
    if (window.Plotly) window.Plotly.purge(chart.plot);
    chart.holder.remove();
    charts.delete(parentElement);
  };
}
