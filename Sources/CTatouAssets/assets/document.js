import { api } from "./api.js";
import { copy, field, form, make, sayNext, show, size, time, warnings } from "./dom.js";

const strengths = { none: 0, weak: 1, fair: 2, strong: 3 };

// Enough that nobody guesses it: 128 bits.
function random() {
  return btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16)))).replace(/[+/=]/g, "").slice(0, 20);
}

function strength(word) {
  const level = strengths[word] ?? 0;
  return make("span", { class: `strength ${word}` },
    make("span", { "aria-hidden": "true" }, [1, 2, 3].map((step) => make("i", { class: step <= level ? "on" : "" }))),
    level === 0 ? "cannot be used here" : word);
}

function link(text) {
  return new URL(`/api/get-version/${encodeURIComponent(text)}`, location.origin).href;
}

function versionTable(versions) {
  if (versions.length === 0) return make("p", { class: "note" }, "Nobody has a copy yet.");
  return make("div", { class: "scroll" }, make("table", { class: "whole" },
    make("thead", {}, make("tr", {}, ["For", "Method", "Link", "Secret in it"].map((name) => make("th", { scope: "col" }, name)))),
    make("tbody", {}, versions.map((one) => make("tr", {},
      make("td", {}, one.intended_for),
      make("td", {}, one.method),
      make("td", {}, make("button", { type: "button", class: "tool", "aria-label": `Copy the link for ${one.intended_for}`, onclick: () => copy(link(one.link)) }, "Copy link")),
      make("td", {}, make("details", {}, make("summary", {}, "Show"), make("code", {}, one.secret))))))));
}

function wizard(id, inspection, made) {
  const usable = inspection.methods.filter((method) => method.applicable);
  if (usable.length === 0) {
    return make("p", { class: "caution" }, inspection.is_signed
      ? "This document is signed. Any mark would break its signature, so no copy can be marked."
      : "No method can mark this document.");
  }
  const best = usable.reduce((one, other) => (strengths[other.strength] > strengths[one.strength] ? other : one));
  const choices = make("fieldset", { class: "methods" }, make("legend", {}, "How the copy is marked"), inspection.methods.map((method) =>
    make("div", { class: method.applicable ? "method" : "method no" },
      make("label", {}, make("input", { type: "radio", name: "method", value: method.name, required: true, checked: method === best, disabled: !method.applicable }), method.name, strength(method.applicable ? method.strength : "none")),
      make("ul", {}, method.notes.map((note) => make("li", {}, note))))));
  return make("div", { class: "panel" }, form(
    async (order, element) => {
      const days = Number(order.days);
      const copyMade = await api.mark(id, {
        method: order.method, intended_for: order.intended_for, secret: order.secret, key: order.key, one_time: order.one_time === "on",
        ...(days > 0 ? { expires_in: days * 86400 } : {}),
      });
      // Before anything is shown: whoever types the next name must not lose it.
      element.reset();
      element.elements.secret.value = random();
      element.elements.key.value = random();
      await made(copyMade, order.key);
    },
    field("For whom (a name or an e-mail address)", { name: "intended_for", required: true, maxlength: 320 }),
    choices,
    make("details", {}, make("summary", {}, "Secret, key and link"),
      make("div", { class: "fields" },
        make("p", { class: "note" }, "The secret is what the copy carries; the key opens it. Both were made for you."),
        make("div", { class: "pair" },
          field("Secret", { name: "secret", value: random(), required: true, maxlength: 320, autocomplete: "off" }),
          field("Key", { name: "key", value: random(), required: true, autocomplete: "off" })),
        make("label", {}, make("input", { type: "checkbox", name: "one_time" }), " The link works once"),
        field("The link ends after so many days (empty: never)", { name: "days", type: "number", min: 1, max: 3650 }))),
    make("div", { class: "row" }, make("button", { class: "primary" }, "Make the copy")),
  ));
}

function confirmRemoval(document_) {
  return new Promise((resolve) => {
    const dialog = make("dialog", { "aria-labelledby": "sure" },
      make("h2", { id: "sure" }, "Delete this document?"),
      make("p", {}, `${document_.name} and all its marked copies are deleted, and their links end. A leak of them can no longer be traced.`),
      make("form", { method: "dialog", class: "row" }, make("button", { value: "no" }, "Keep it"), make("button", { value: "yes", class: "danger" }, "Delete it")));
    dialog.addEventListener("close", () => { dialog.remove(); resolve(dialog.returnValue === "yes"); });
    document.body.append(dialog);
    dialog.showModal();
  });
}

export async function documentPage(id) {
  const one = (await api.documents()).find((candidate) => String(candidate.id) === id);
  if (!one) throw new Error("There is no such document among yours.");
  const list = make("div", {});
  const result = make("div", { role: "status" });
  const refresh = async () => list.replaceChildren(versionTable(await api.versions(id)));
  await refresh();
  const inspection = await api.inspection(id).catch((error) => error);
  show(one.name,
    make("dl", { class: "panel" },
      make("dt", {}, "Uploaded"), make("dd", {}, time(one.creation)),
      make("dt", {}, "Size"), make("dd", {}, size(one.size), inspection instanceof Error ? "" : `, ${inspection.pages} ${inspection.pages === 1 ? "page" : "pages"}`),
      make("dt", {}, "SHA-256"), make("dd", { class: "mono" }, one.sha256)),
    make("div", { class: "row" },
      make("button", { type: "button", onclick: () => download(one) }, "Download the original"),
      make("button", { type: "button", class: "danger", onclick: async () => {
        if (!await confirmRemoval(one)) return;
        await api.remove(id);
        sayNext(`${one.name} is deleted.`);
        location.hash = "#/";
      } }, "Delete…")),
    inspection instanceof Error ? null : warnings(inspection.warnings),
    make("h2", {}, "Copies"), list,
    make("h2", {}, "Make a copy for somebody"), result,
    inspection instanceof Error ? make("p", { class: "problem" }, inspection.message) : wizard(id, inspection, async (made, key) => {
      await refresh();
      result.replaceChildren(make("div", { class: "panel" },
        make("p", { class: "verdict" }, `The copy for ${made.intended_for} is made.`),
        make("p", {}, "Whoever knows this link can fetch it:"),
        make("p", { class: "row" }, make("code", {}, link(made.link)), make("button", { type: "button", onclick: () => copy(link(made.link)) }, "Copy")),
        make("p", {}, "The key that opens its mark is kept nowhere else: ", make("code", {}, key))));
    }));
}

async function download(one) {
  const address = URL.createObjectURL(await api.file(one.id));
  make("a", { href: address, download: one.name }).click();
  URL.revokeObjectURL(address);
}
