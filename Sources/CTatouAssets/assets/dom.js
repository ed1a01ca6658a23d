// Elements from texts: whatever a server or a person says is put in as text, never as HTML.

export function make(name, attributes = {}, ...children) {
  const element = name === "svg" || make.drawing.has(name) ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}
make.drawing = new Set(["g", "line", "rect", "circle", "text", "title", "path"]);

// Shows a page: its heading takes the focus, so that a screen reader begins there.
export function show(title, ...children) {
  document.title = `${title} · Tatou`;
  const heading = make("h1", { tabindex: "-1" }, title);
  document.getElementById("content").replaceChildren(heading, ...children.filter(Boolean));
  heading.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

export function say(text) {
  document.getElementById("said").textContent = text;
}

// Said on the page that comes next; what was said on the one before is gone then.
let next = "";

export function sayNext(text) {
  next = text;
}

export function arrive() {
  say(next);
  next = "";
}

export function problem(error) {
  return make("p", { class: "problem", role: "alert" }, error instanceof Error ? error.message : String(error));
}

// What a document does or carries beyond showing pages, in the server's words; nothing where there is nothing.
export function warnings(found, name = "this document") {
  return found.length === 0 ? null : make("div", { class: "caution" },
    make("p", {}, make("b", {}, `Look at ${name} before you pass it on`)), make("ul", {}, found.map((one) => make("li", {}, one.message))));
}

export function field(label, attributes) {
  return make("label", {}, make("span", {}, label), make("input", attributes));
}

// A form whose button rests while its work is under way, and which says what went wrong beside it.
export function form(action, ...children) {
  const element = make("form", { class: "fields" }, ...children);
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    element.querySelector(".problem")?.remove();
    const button = element.querySelector("button:not([type=button])");
    button.disabled = true;
    element.setAttribute("aria-busy", "true");
    try {
      await action(Object.fromEntries(new FormData(element)), element);
    } catch (error) {
      element.append(problem(error));
    } finally {
      button.disabled = false;
      element.removeAttribute("aria-busy");
    }
  });
  return element;
}

export function time(text) {
  const date = new Date(text);
  return make("time", { datetime: text, title: text }, date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" }));
}

export function size(bytes) {
  const units = ["bytes", "KiB", "MiB", "GiB"];
  let unit = 0;
  while (bytes >= 1024 && unit < 3) { bytes /= 1024; unit += 1; }
  return `${unit === 0 ? bytes : bytes.toFixed(1)} ${units[unit]}`;
}

export async function copy(text) {
  await navigator.clipboard.writeText(text);
  say("Copied.");
}
