// What is wrong with where things stand: blocks that cover each other, that reach out of the window, or whose
// text reaches out of them.
const name = (one) => `${one.tagName.toLowerCase()}.${one.getAttribute("class") ?? ""} "${one.textContent.trim().slice(0, 50)}"`;

// the part of each box that is seen: what scrolls within another is cut off there
const boxes = (one) => {
  let cut = { left: -Infinity, top: -Infinity, right: Infinity, bottom: Infinity };
  for (let outer = one.parentElement; outer; outer = outer.parentElement) {
    if (outer === document.body || getComputedStyle(outer).overflowY === "visible") continue;
    const box = outer.getBoundingClientRect();
    cut = { left: Math.max(cut.left, box.left), top: Math.max(cut.top, box.top), right: Math.min(cut.right, box.right), bottom: Math.min(cut.bottom, box.bottom) };
  }
  return [...one.getClientRects()]
    .map((box) => ({ left: Math.max(box.left, cut.left), top: Math.max(box.top, cut.top), right: Math.min(box.right, cut.right), bottom: Math.min(box.bottom, cut.bottom) }))
    .filter((box) => box.right - box.left > 0.5 && box.bottom - box.top > 0.5);
};

// rows are laid out when they are scrolled to; here all are seen at once
document.querySelectorAll("#recorders tbody tr").forEach((row) => { row.style.contentVisibility = "visible"; });
const all = "h1, h2, p, li, nav a, label, input, output, button, summary, dt, dd, td, tbody th, .chart, svg text, .pill, .state, .cve, .faint, .anomaly";
const seen = [...document.querySelectorAll(all)].filter((one) => one.checkVisibility()).map((one) => ({ one, boxes: boxes(one) })).filter((it) => it.boxes.length > 0);
const wrong = [];
if (document.documentElement.scrollWidth > innerWidth) wrong.push(`the page is ${document.documentElement.scrollWidth} wide`);
for (const { one, boxes } of seen) {
  if (boxes.some((box) => box.left < -0.5 || box.right > innerWidth + 0.5)) wrong.push(`out of the window: ${name(one)}`);
  if (one.clientWidth > 0 && one.scrollWidth > one.clientWidth + 1 && !(one instanceof SVGElement)) wrong.push(`too small for its text: ${name(one)}`);
}
for (const text of document.querySelectorAll("svg text")) {
  const [box, outer] = [text.getBoundingClientRect(), text.ownerSVGElement.getBoundingClientRect()];
  if (box.width > 0 && (box.left < outer.left - 0.5 || box.right > outer.right + 0.5)) wrong.push(`out of its chart: ${name(text)}`);
}
const covers = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
seen.forEach((a, at) => seen.slice(at + 1).forEach((b) => {
  if (a.one.contains(b.one) || b.one.contains(a.one)) return;
  if (a.boxes.some((one) => b.boxes.some((other) => covers(one, other)))) wrong.push(`${name(a.one)} covers ${name(b.one)}`);
}));
return { seen: seen.length, wrong };
