import { api } from "./api.js";
import { make, say, show, size, time, warnings } from "./dom.js";
import { dropPlace } from "./drop.js";

export async function documents() {
  const table = make("div", { "aria-live": "polite" });
  const notices = make("div", { role: "status" });

  async function refresh() {
    const found = await api.documents();
    table.replaceChildren(found.length === 0
      ? make("p", { class: "note" }, "You have no documents yet. Upload a PDF; then make a copy of it for each person who gets it. If one leaks, its mark says whose it was.")
      : make("div", { class: "scroll" }, make("table", {},
        make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Document"), make("th", { scope: "col", class: "number" }, "Size"), make("th", { scope: "col" }, "Uploaded"))),
        make("tbody", {}, found.map((one) => make("tr", {},
          make("td", {}, make("a", { href: `#/documents/${one.id}` }, one.name)),
          make("td", { class: "number" }, size(one.size)),
          make("td", {}, time(one.creation))))))));
  }
  await refresh();
  show("Documents",
    dropPlace("Upload PDF documents", "application/pdf,.pdf", async (file, progress) => {
      const made = await api.upload("/api/upload-document", "file", file, progress);
      await refresh();
      say(`${made.name} is uploaded.`);
      if (made.warnings.length > 0) notices.prepend(warnings(made.warnings, made.name));
    }),
    notices,
    make("h2", {}, "Yours"), table);
}
