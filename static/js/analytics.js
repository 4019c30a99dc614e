"use strict";
// Draws charts from the JSON beside each canvas, and keeps the cards of a page fresh. Without it the tables say the same.
(() => {
  // Canvas knows no variables and no light-dark(): an element that nobody sees resolves them.
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  const colour = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const faded = (name) => {
    probe.style.color = `color-mix(in srgb, var(--${name}) 22%, transparent)`;
    return getComputedStyle(probe).color;
  };
  const charts = new Map();
  const shown = new Intl.NumberFormat(document.documentElement.lang || "en", { maximumFractionDigits: 2 });
  const short = new Intl.NumberFormat(document.documentElement.lang || "en", { notation: "compact" });
  const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;

  const dataset = (kind) => (line) => ({
    label: line.label,
    data: line.values,
    borderColor: colour(line.colour),
    backgroundColor: kind === "bar" && !line.right ? colour(line.colour) : faded(line.colour),
    borderDash: line.dashed ? [4, 4] : [],
    borderWidth: kind === "bar" && !line.right ? 0 : 2,
    borderRadius: 3,
    // A single day between two gaps would not be seen as a line.
    pointRadius: line.values.filter((value) => value !== null).length < 3 ? 3 : 0,
    pointHitRadius: 12,
    pointBackgroundColor: colour(line.colour),
    yAxisID: line.right ? "right" : "y",
    type: line.right ? "line" : kind,
    spanGaps: false,
  });
  const axis = (more) => ({
    grid: { color: colour("border"), drawTicks: false },
    border: { display: false },
    ticks: { color: colour("muted"), padding: 6, maxRotation: 0, autoSkipPadding: 16, ...more },
  });
  const draw = (canvas) => {
    const source = document.getElementById(canvas.dataset.chart);
    if (!source || !window.Chart) return;
    const { kind, labels, lines } = JSON.parse(source.textContent);
    charts.get(canvas)?.destroy();
    charts.set(canvas, new window.Chart(canvas, {
      type: kind,
      data: { labels, datasets: lines.map(dataset(kind)) },
      options: {
        animation: isStill ? false : { duration: 200 },
        maintainAspectRatio: false,
        interaction: { mode: "index", intersect: false },
        scales: {
          x: { ...axis({}), grid: { display: false } },
          y: { ...axis({ callback: (value) => short.format(value), precision: 0 }), beginAtZero: canvas.id !== "chart-followers" },
          right: { ...axis({ callback: (value) => short.format(value), precision: 0 }), position: "right", beginAtZero: true, grid: { display: false }, display: lines.some((line) => line.right) },
        },
        plugins: {
          legend: { position: "bottom", align: "start", labels: { color: colour("text"), boxWidth: 12, boxHeight: 12, usePointStyle: true, pointStyle: "rectRounded" } },
          tooltip: {
            backgroundColor: colour("raised"), titleColor: colour("text"), bodyColor: colour("text"),
            borderColor: colour("border-strong"), borderWidth: 1, padding: 10, usePointStyle: true,
            callbacks: { label: (item) => ` ${item.dataset.label}: ${shown.format(item.parsed.y)}` },
          },
        },
      },
    }));
  };
  const drawAll = () => document.querySelectorAll("canvas[data-chart]").forEach(draw);
  if (window.Chart) window.Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  drawAll();
  new MutationObserver(drawAll).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);

  // Cards that change while the page is open. A page nobody looks at holds no connection.
  const badge = document.querySelector("[data-live]");
  let source = null;
  const say = (isLive, text) => {
    badge.classList.toggle("health-ok", isLive);
    badge.classList.toggle("health-off", !isLive);
    badge.textContent = text;
  };
  const update = (event) => {
    Object.entries(JSON.parse(event.data)).forEach(([key, text]) => {
      const card = document.querySelector(`[data-kpi="${key}"]`);
      if (!card || !text || card.textContent === text) return;
      card.textContent = text;
      card.classList.remove("is-fresh");
      // Reading a size lets the same animation begin again.
      void card.offsetWidth;
      card.classList.add("is-fresh");
    });
    say(true, "Live");
  };
  const listen = () => {
    source = new EventSource(badge.dataset.live);
    source.addEventListener("kpis", update);
    source.addEventListener("open", () => say(true, "Live"));
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) say(false, "Not live: reload the page");
    });
  };
  const rest = () => {
    source?.close();
    source = null;
    say(false, "Paused");
  };
  if (badge && window.EventSource) {
    document.addEventListener("visibilitychange", () => (document.hidden ? rest() : source || listen()));
    addEventListener("pagehide", () => source?.close());
    listen();
  }

  document.addEventListener("change", (event) => event.target.closest("[data-submit-on-change]")?.requestSubmit());
})();
