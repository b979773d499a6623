/* Makes a page fit for paper before it is printed, and puts it back: tables open, charts as wide as the sheet. */
(function () {
  "use strict";
  var SHEET = 640; // pixels between the margins of A4 and Letter
  var opened = [];
  function charts(width) {
    document.querySelectorAll(".js-plotly-plot").forEach(function (chart) {
      var change = width === null ? { autosize: true } : { width: Math.min(width, chart.offsetWidth), autosize: false };
      window.Plotly.relayout(chart, change);
    });
  }
  window.addEventListener("beforeprint", function () {
    opened = Array.prototype.slice.call(document.querySelectorAll("main details:not([open])"));
    opened.forEach(function (each) { each.open = true; });
    if (window.Plotly) charts(SHEET);
  });
  window.addEventListener("afterprint", function () {
    opened.forEach(function (each) { each.open = false; });
    if (window.Plotly) charts(null);
  });
})();
