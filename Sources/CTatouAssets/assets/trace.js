import { api } from "./api.js";
import { make, show, time } from "./dom.js";
import { dropPlace } from "./drop.js";

// The evidence as a picture: how much this copy stands out from keys that were never issued.
function picture(trace) {
  const most = Math.max(trace.highest_decoy, ...trace.accused.map((one) => one.score), 1) * 1.1;
  const x = (score) => 10 + Math.max(score, 0) / most * 560;
  const words = `${trace.decoys} keys that nobody was given reach at most ${trace.highest_decoy.toFixed(1)}; `
    + trace.accused.map((one) => `${one.intended_for} reaches ${one.score.toFixed(1)}`).join(", ");
  return make("svg", { viewBox: "0 0 580 90", class: "scale", role: "img", "aria-label": words },
    make("rect", { class: "decoys", x: 10, y: 30, width: x(trace.highest_decoy) - 10, height: 30 }),
    make("text", { x: 10, y: 24 }, "by chance"),
    make("line", { class: "axis", x1: 10, x2: 570, y1: 60, y2: 60 }),
    make("line", { class: "bound", x1: x(trace.highest_decoy), x2: x(trace.highest_decoy), y1: 22, y2: 66 }),
    trace.accused.map((one) => [
      make("circle", { class: "copy", cx: x(one.score), cy: 45, r: 7 }, make("title", {}, one.intended_for)),
      make("text", { x: x(one.score) + 7, y: 24, "text-anchor": "end" }, `${one.intended_for}: ${one.score.toFixed(1)}`),
    ]),
    make("text", { x: 10, y: 80 }, "standard deviations from what an unmarked page would show"));
}

// The page that said most: every word or spot that was measured, and whether it is as in this copy.
function evidence(page, recipient) {
  const agreeing = page.words.filter((word) => word.agrees).length;
  const words = page.of_spots
    ? `Page ${page.page}: ${agreeing} of the ${page.words.length} clearest spots are lighter or darker as in the copy for ${recipient}; by chance it would be about half.`
    : `Page ${page.page}: ${agreeing} of ${page.words.length} words stand where the copy for ${recipient} has them; by chance it would be about half.`;
  return make("figure", { class: "evidence" },
    make("svg", { viewBox: `0 0 ${page.width} ${page.height}`, role: "img", "aria-label": words },
      make("rect", { class: "paper", x: 0, y: 0, width: page.width, height: page.height }),
      page.words.map((word) => word.agrees
        ? make("circle", { class: "agrees", cx: word.x, cy: word.y, r: 4 })
        : make("path", { class: "differs", d: `M${word.x - 4} ${word.y - 4}l8 8m0 -8l-8 8` }))),
    make("figcaption", { class: "note" }, words, " Dots agree, crosses do not."));
}

function report(name, trace) {
  if (trace.accused.length === 0) {
    return make("section", { class: "panel" }, make("h2", {}, name), make("p", { class: "verdict" }, "Not found"),
      make("p", {}, trace.reason),
      make("p", { class: "note" }, "That is an answer, not a failure: nobody is named unless chance can be ruled out."));
  }
  return make("section", { class: "panel" }, make("h2", {}, name),
    trace.accused.map((one) => make("div", {},
      make("p", { class: "verdict" }, `This is the copy for ${one.intended_for}.`),
      make("dl", {},
        make("dt", {}, "Document"), make("dd", {}, make("a", { href: `#/documents/${one.documentid}` }, one.document)),
        make("dt", {}, "Copy"), make("dd", {}, `number ${one.version}, ${one.method}`),
        make("dt", {}, "Made"), make("dd", {}, time(one.created)),
        make("dt", {}, "Chance of accusing somebody innocent"), make("dd", {}, `at most ${one.false_positive_bound.toExponential(1)}`)))),
    picture(trace),
    trace.evidence ? evidence(trace.evidence, trace.accused[0].intended_for) : [],
    make("h2", {}, "Pages that spoke"),
    make("ul", { class: "pages" }, trace.pages.map((page) => make("li", {}, make("b", {}, `${page.page}`), page.of_spots ? `${page.words} spots of its pictures` : page.is_picture ? `${page.words} words, from its picture` : `${page.words} words`))),
    make("p", { class: "note" }, "A page speaks by how far its words stand from where they stood in the original, and a scan or photo by how light its spots are. Text that was typed again, or read by text recognition, says nothing."));
}

export function trace() {
  const results = make("div", { role: "status" });
  show("Trace a leak",
    make("p", {}, "Give what leaked: a PDF, a scan, a screenshot or a photo of a page (PNG, JPEG). Nothing else is needed; it is compared with all your documents and their copies."),
    dropPlace("The leaked file", "application/pdf,image/png,image/jpeg,.pdf,.png,.jpg,.jpeg", async (file, progress) => {
      const found = await api.upload("/api/trace-leak", "file", file, progress);
      results.prepend(report(file.name, found));
    }),
    results);
}
