"use strict";
// Draws the charts, and turns the document into a presentation and back. Nothing is fetched.
(() => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const find = (name) => document.getElementById(name);
  const slides = [...document.querySelectorAll(".slide")];
  const framed = window.parent !== window;
  let place = -1; // the slide that is shown; -1 while the document is read

  const draw = (chart) => {
    if (chart.dataset.drawn) return;
    chart.dataset.drawn = "yes";
    const name = chart.dataset.figure;
    const onStage = chart.closest("#stage") !== null;
    const { data, layout } = structuredClone(figures[name]);
    Plotly.newPlot(chart, data, { ...layout, dragmode: false, autosize: true }, {
      displaylogo: false, responsive: true, displayModeBar: onStage ? false : undefined,
      showSendToCloud: false, plotlyServerURL: "",
      modeBarButtons: [["toImage"]],
      toImageButtonOptions: { filename: `cifar-10-${name}`, scale: 2 },
    });
  };

  // The stage has about 1280 × 720 pixels of its own, in the shape of the window.
  const fit = () => {
    const wide = innerWidth > innerHeight;
    const scale = Math.min(innerWidth / (wide ? 1280 : 760), innerHeight / (wide ? 720 : 1180));
    for (const slide of slides) {
      slide.style.width = `${innerWidth / scale}px`;
      slide.style.height = `${innerHeight / scale}px`;
      slide.style.transform = `scale(${scale})`;
    }
  };

  const show = (wanted) => {
    place = Math.max(0, Math.min(slides.length - 1, wanted));
    slides.forEach((slide, number) => { slide.hidden = number !== place; });
    slides[place].querySelectorAll(".chart").forEach(draw);
    slides[place].querySelector("h2").focus({ preventScroll: true });
    find("counter").textContent = `${place + 1} of ${slides.length}`;
    if (!framed) history.replaceState(null, "", `#slide-${place + 1}`);
  };

  const present = (first) => {
    document.documentElement.classList.add("presenting");
    find("stage").hidden = false;
    fit();
    show(first);
  };

  const leave = () => {
    if (document.fullscreenElement) document.exitFullscreen();
    place = -1;
    document.documentElement.classList.remove("presenting");
    find("stage").hidden = true;
    if (!framed) history.replaceState(null, "", location.pathname + location.search);
    // In a page around it, the page's own control ends the presentation.
    const control = document.body.dataset.leave;
    if (framed && control) parent.document.querySelector(control)?.click();
    else find("present").focus();
  };

  const turnFull = () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen?.().catch(() => {});
  };

  const NEXT = ["ArrowRight", "ArrowDown", "PageDown", " ", "Enter"];
  const BACK = ["ArrowLeft", "ArrowUp", "PageUp", "Backspace"];
  addEventListener("keydown", (event) => {
    if (place < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    if ([" ", "Enter"].includes(event.key) && event.target.closest?.("button")) return;
    if (NEXT.includes(event.key)) show(place + 1);
    else if (BACK.includes(event.key)) show(place - 1);
    else if (event.key === "Home") show(0);
    else if (event.key === "End") show(slides.length - 1);
    else if (event.key === "Escape") leave();
    else if (event.key.toLowerCase() === "f") turnFull();
    else return;
    event.preventDefault();
  });
  addEventListener("resize", () => { if (place >= 0) fit(); });
  addEventListener("beforeprint", () => {
    document.querySelectorAll("details").forEach((part) => { part.open = true; });
  });

  find("present").addEventListener("click", () => { turnFull(); present(0); });
  find("back").addEventListener("click", () => show(place - 1));
  find("next").addEventListener("click", () => show(place + 1));
  find("full").addEventListener("click", turnFull);
  find("leave").addEventListener("click", leave);
  find("present").hidden = false;

  const asked = /^#slide-(\d+)$/.exec(location.hash);
  if (asked) present(Number(asked[1]) - 1);
  else if (document.body.dataset.start === "presenting") { present(0); window.focus(); }
  document.querySelectorAll("#document .chart").forEach(draw);
})();
