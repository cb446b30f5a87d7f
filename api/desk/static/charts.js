// Draws the tables of a page as charts. The tables stay behind them, for those who do not see charts.
import uPlot from "/static/vendor/uplot/uPlot.esm.js";

const COLOURS = ["#0b5394", "#c2571a", "#2e8b57", "#7a4fa3", "#8a6d00", "#5b6b7a"];
const HEIGHT = 210;
const INK = "#566574";
const GRID = { stroke: "#e4eaef", width: 1 };
const FONT = "12px system-ui, sans-serif";

for (const figure of document.querySelectorAll("figure[data-chart]")) draw(figure);

function draw(figure) {
  const table = figure.querySelector("table");
  const rows = [...table.tBodies[0].rows];
  const [first, ...heads] = table.tHead.rows[0].cells;
  const names = heads.map((cell) => cell.textContent.trim());
  const colours = heads.map((cell, column) => COLOURS[Number(cell.dataset.colour ?? column) % COLOURS.length]);
  const labels = rows.map((row) => row.cells[0].textContent.trim());
  const values = names.map((_, column) => rows.map((row) => numberOf(row.cells[column + 1])));
  const holder = figure.querySelector("[data-drawing]");
  if (!rows.length || !names.length) return;
  const shares = figure.dataset.chart === "shares";
  const plot = new uPlot(options(holder.clientWidth, { first: first.textContent, names, colours, labels, values, shares }), shares ? [indices(rows), ...values] : [indices(rows), ...stacked(values)], holder);
  new ResizeObserver(() => plot.setSize({ width: holder.clientWidth, height: HEIGHT })).observe(holder);
}

function options(width, { first, names, colours, labels, values, shares }) {
  const columns = shares ? indices(names) : indices(names).reverse(); // as `stacked` orders them
  const series = columns.map((column) => ({
    label: names[column],
    stroke: colours[column],
    fill: shares ? undefined : colours[column],
    width: shares ? 2 : 0,
    points: { show: shares, size: 6 },
    paths: shares ? undefined : uPlot.paths.bars({ size: [0.72, 48] }),
    value: (_, __, ___, index) => (index === null ? "–" : written(values[column][index], shares)),
  }));
  return {
    width,
    height: HEIGHT,
    cursor: { y: false, drag: { setScale: false } },
    legend: { markers: { fill: (_, index) => colours[columns[index - 1]] ?? "transparent" } },
    scales: { x: { time: false, range: [-0.6, labels.length - 0.4] }, y: { range: shares ? shareRange(values) : (_, __, most) => [0, Math.max(4, most * 1.06)] } },
    series: [{ label: first, value: (_, __, ___, index) => (index === null ? "–" : labels[index]) }, ...series],
    axes: [
      { stroke: INK, font: FONT, size: 26, grid: { show: false }, ticks: { show: false }, splits: (plot) => every(plot.width, labels), values: (_, splits) => splits.map((split) => labels[split] ?? "") },
      { stroke: INK, font: FONT, grid: GRID, ticks: { show: false }, size: 52, incrs: shares ? [0.01, 0.05, 0.1, 0.25, 0.5] : [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5], values: (_, splits) => splits.map((split) => written(split, shares)) },
    ],
  };
}

/** Each series on top of those before it; the highest comes first, so that the lower ones are drawn over it. */
function stacked(values) {
  const sums = [];
  for (const series of values) sums.push(series.map((value, index) => (value ?? 0) + (sums.at(-1)?.[index] ?? 0)));
  return sums.reverse();
}

/** As many labels as fit. */
function every(width, labels) {
  const longest = Math.max(...labels.map((label) => label.length));
  const step = Math.max(1, Math.ceil((labels.length * (longest * 7 + 14)) / Math.max(120, width - 60)));
  return indices(labels).filter((index) => index % step === 0);
}

function shareRange(values) {
  const least = Math.min(...values.flat().filter((value) => value !== null));
  return [Math.min(0.9, Math.floor(least * 10) / 10), 1.005];
}

function indices(list) {
  return list.map((_, index) => index);
}

function numberOf(cell) {
  return cell.dataset.value === "" ? null : Number(cell.dataset.value ?? cell.textContent);
}

function written(value, shares) {
  if (value === null || value === undefined) return "–";
  return shares ? `${(value * 100).toFixed(value > 0.99 && value < 1 ? 1 : 0)} %` : value.toLocaleString(document.documentElement.lang);
}
