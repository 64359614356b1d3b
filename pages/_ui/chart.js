// A figure in the page. Plotly draws it once and from then on changes what differs, in place.

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

// Of several figures that wait for the library or a font, only the last one is drawn
async function draw(chart) {
  const number = ++chart.number;
  const current = () => chart.attached && chart.number === number;
  const { data, layout, config, script } = chart.figure;
  try {
    const waits = missingFonts(chart.figure);
    const Plotly = window.Plotly ?? (await library(script));
    if (waits.length) await fontsOrTooLate(waits);
    if (!current()) return;
    chart.width = chart.plot.clientWidth;
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
  holder.append(plot, message);
  parentElement.append(holder);
  const chart = { attached: true, drawn: false, holder, plot, message, number: 0, width: 0 };
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
