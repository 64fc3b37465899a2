// Draws each figure's option with ECharts, in the colours of page.css, and again when those change.
"use strict";
(() => {
  const PRINTED_WIDTH_PX = 680;
  const figures = [...document.querySelectorAll("figure")];

  const colours = () => {
    const style = getComputedStyle(document.documentElement);
    return (name) => style.getPropertyValue(name).trim();
  };

  // "var(--cold)" anywhere in an option becomes the colour that it has now.
  const coloured = (value, colour) => {
    if (typeof value === "string" && value.startsWith("var(")) return colour(value.slice(4, -1));
    if (Array.isArray(value)) return value.map((one) => coloured(one, colour));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, coloured(one, colour)]));
    }
    return value;
  };

  const theme = (colour) => {
    const axis = {
      axisLine: { lineStyle: { color: colour("--faint") } },
      axisLabel: { color: colour("--faint"), hideOverlap: true },
      nameTextStyle: { color: colour("--faint") },
      splitLine: { lineStyle: { color: colour("--line") } },
    };
    return {
      textStyle: { color: colour("--ink") },
      legend: {
        textStyle: { color: colour("--ink") },
        pageTextStyle: { color: colour("--ink") },
        pageIconColor: colour("--ink"),
        pageIconInactiveColor: colour("--line"),
      },
      tooltip: {
        backgroundColor: colour("--card"),
        borderColor: colour("--line"),
        textStyle: { color: colour("--ink") },
      },
      valueAxis: axis,
      logAxis: axis,
      categoryAxis: axis,
    };
  };

  const draw = (figure, width) => {
    const place = figure.querySelector(".chart");
    const colour = colours();
    place.style.height = `${place.dataset.height}px`;
    echarts.getInstanceByDom(place)?.dispose();
    const chart = echarts.init(place, theme(colour), {
      width,
      // Sharp on paper too.
      devicePixelRatio: Math.max(2, devicePixelRatio),
    });
    chart.on("finished", () => { figure.dataset.drawn = "yes"; });
    chart.setOption(coloured(JSON.parse(figure.querySelector("script").textContent), colour));
  };

  const drawAll = (width) => figures.forEach((figure) => draw(figure, width));

  drawAll();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll());
  addEventListener("resize", () => {
    figures.forEach((figure) => echarts.getInstanceByDom(figure.querySelector(".chart")).resize());
  });
  addEventListener("beforeprint", () => {
    document.documentElement.dataset.print = "yes";
    drawAll(PRINTED_WIDTH_PX);
  });
  addEventListener("afterprint", () => {
    delete document.documentElement.dataset.print;
    drawAll();
  });
})();
