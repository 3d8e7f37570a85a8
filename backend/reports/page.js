"use strict";
// Draws the figures of a saved report from the data block beside this script.
(() => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const axis = { automargin: true, gridcolor: "#e7e5e4", zerolinecolor: "#a8a29e", linecolor: "#a8a29e", ticks: "" };
  const template = {
    layout: {
      font: { family: "system-ui, sans-serif", size: 12, color: "#292524" },
      paper_bgcolor: "#ffffff",
      plot_bgcolor: "#ffffff",
      xaxis: axis,
      yaxis: axis,
    },
  };
  document.querySelectorAll(".plot").forEach((element, at) => {
    const { data, layout } = figures[at];
    const own = { ...layout, template, title: undefined, autosize: true, height: layout.height ?? 400 };
    own.margin = { ...layout.margin, t: layout.meta.head ?? 16 };
    element.style.height = `${own.height}px`;
    if (layout.meta.min_width) element.style.minWidth = `${layout.meta.min_width}px`;
    Plotly.newPlot(element, data, own, { responsive: true, displaylogo: false, displayModeBar: false });
  });
})();
