// The console without this script is whole: pages, forms, links. With it, pages follow the server, and keys work.
// One module, no dependencies, no inline script: the content security policy allows nothing else.

const main = document.getElementById("main");
const signedIn = document.body.dataset.sequence !== undefined;
const byId = (id) => document.getElementById(id);

// Trusted Types (enforced by the policy): the only text that becomes markup is our own server's partial page.
const policy = window.trustedTypes?.createPolicy("vigie", { createHTML: (text) => text });
const parse = (text) => new DOMParser().parseFromString(policy ? policy.createHTML(text) : text, "text/html").body;

// Settings -------------------------------------------------------------------------------------------------------------

// Private windows may refuse storage; then a setting lasts as long as the page.
const settings = {
  get(name) { try { return localStorage.getItem(`vigie-${name}`); } catch { return null; } },
  set(name, value) { try { localStorage.setItem(`vigie-${name}`, value); } catch { /* not remembered */ } },
};

function toggleTheme() {
  const root = document.documentElement;
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
  // A cookie, so that the server paints the first frame right. A year.
  document.cookie = `vigie-theme=${root.dataset.theme}; Path=/; Max-Age=31536000; SameSite=Strict`;
}

// Times ----------------------------------------------------------------------------------------------------------------

let isLocal = settings.get("zone") === "local";

// The same steps as the server's.
function ago(iso, now) {
  const seconds = Math.trunc((now - Date.parse(iso)) / 1000);
  const distance = Math.abs(seconds);
  if (distance < 5) return "now";
  const text = distance < 60 ? `${distance} s`
    : distance < 3600 ? `${Math.trunc(distance / 60)} min`
    : distance < 86400 ? `${Math.trunc(distance / 3600)} h`
    : `${Math.trunc(distance / 86400)} d`;
  return seconds < 0 ? `in ${text}` : `${text} ago`;
}

function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

const two = (number) => String(number).padStart(2, "0");

function paintTimes(root = document) {
  const now = Date.now();
  for (const element of root.querySelectorAll("[data-ago]")) setText(element, ago(element.dataset.ago, now));
  for (const element of root.querySelectorAll("time[datetime]")) {
    const iso = element.getAttribute("datetime");
    const date = new Date(iso);
    if (Number.isNaN(date.getTime())) continue;
    setText(element.querySelector(".day"), isLocal
      ? `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}` : iso.slice(0, 10));
    setText(element.querySelector(".clock"), isLocal
      ? `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}` : iso.slice(11, 19));
    element.title = isLocal ? iso : `${iso} (UTC)`;
  }
  const zone = byId("zone");
  if (zone) setText(zone, isLocal ? "local" : "UTC");
}

function toggleZone() {
  isLocal = !isLocal;
  settings.set("zone", isLocal ? "local" : "utc");
  paintTimes();
}

// Swapping -------------------------------------------------------------------------------------------------------------

// Changes `old` into `fresh` node by node, so that focus, selection, scroll and open details stay where they are.
// Children with a `data-key` are matched by it; the others by position and kind.
function morph(old, fresh) {
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) { old.replaceWith(fresh); return; }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  if (old.dataset.stamp && old.dataset.stamp !== fresh.dataset.stamp) flash(old);
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && name !== "open" && name !== "title") old.removeAttribute(name);
  }
  const chosen = old.classList.contains("chosen");
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && !(name === "class" && chosen)) old.setAttribute(name, value);
  }
  // What a person is typing or has ticked is theirs.
  if (old instanceof HTMLInputElement) return;
  morphChildren(old, fresh);
}

function morphChildren(old, fresh) {
  const keyed = new Map([...old.children].filter((child) => child.dataset.key).map((child) => [child.dataset.key, child]));
  const isKeyed = keyed.size > 0;
  let place = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    const key = child.nodeType === Node.ELEMENT_NODE ? child.dataset.key : undefined;
    const match = key ? keyed.get(key) : undefined;
    if (match) {
      if (match === place) place = place.nextSibling;
      else old.insertBefore(match, place);
      keyed.delete(key);
      morph(match, child);
    } else if (key) {
      old.insertBefore(child, place);
      if (isKeyed) flash(child);
    } else if (place && !(place.dataset?.key) && place.nodeName === child.nodeName) {
      const next = place.nextSibling;
      morph(place, child);
      place = next;
    } else {
      old.insertBefore(child, place);
    }
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

function flash(element) {
  element.classList.remove("fresh");
  requestAnimationFrame(() => element.classList.add("fresh"));
  element.addEventListener("animationend", () => element.classList.remove("fresh"), { once: true });
}

// Refreshing -----------------------------------------------------------------------------------------------------------

let isRefreshing = false;
let wantsAnother = false;

async function refresh() {
  // One at a time; what comes meanwhile asks for exactly one more.
  if (isRefreshing) { wantsAnother = true; return; }
  isRefreshing = true;
  try {
    const answer = await fetch(location.href, { headers: { "Vigie-Partial": "1" }, redirect: "error", credentials: "same-origin" });
    if (answer.status === 401) { showAway("Your session has ended. ", "Sign in again"); return; }
    if (!answer.ok) return;
    const fresh = parse(await answer.text());
    paintTimes(fresh);
    offerCheck(fresh);
    morphChildren(main, fresh);
    markRow(chosen, false);
  } catch {
    // Offline: the event stream says so, and its return refreshes.
  } finally {
    isRefreshing = false;
    if (wantsAnother) { wantsAnother = false; refresh(); }
  }
}

function showAway(text, label) {
  const away = byId("away");
  if (!away || !away.hidden) return;
  const link = document.createElement("a");
  link.href = `/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`;
  link.textContent = label;
  away.append(text, link);
  away.hidden = false;
  stream?.close();
}

// Following ------------------------------------------------------------------------------------------------------------

let stream;
let sequence = document.body.dataset.sequence;
let spoken = 0;

function showLive(state, text) {
  const live = byId("live");
  if (!live) return;
  live.hidden = false;
  live.dataset.state = state;
  setText(live.querySelector("span"), text);
}

// Screen readers hear of changes at most every ten seconds.
function announce(text) {
  const now = Date.now();
  if (now - spoken < 10000) return;
  spoken = now;
  setText(byId("news"), text);
}

function isAbout(id) {
  const shown = main.querySelector("article.incident")?.dataset.key;
  return shown ? shown === id : document.body.dataset.section === "incidents";
}

function follow() {
  if (stream || document.hidden || !byId("away").hidden) return;
  stream = new EventSource(`/events?since=${sequence}`);
  stream.addEventListener("hello", (event) => { sequence = event.lastEventId; showLive("on", "live"); });
  stream.addEventListener("refresh", (event) => { sequence = event.lastEventId; showLive("on", "live"); refresh(); });
  stream.addEventListener("incident", (event) => {
    sequence = event.lastEventId;
    let change;
    try { change = JSON.parse(event.data); } catch { return; }
    if (!isAbout(change.id)) return;
    announce(`${change.id} changed`);
    refresh();
  });
  stream.addEventListener("error", () => {
    showLive("off", "reconnecting");
    // Closed for good: refused (signed out), or the server is gone. The refresh finds out which; then try again.
    if (stream?.readyState === EventSource.CLOSED) {
      stream = undefined;
      refresh();
      setTimeout(follow, 5000);
    }
  });
}

// A hidden tab holds no connection: browsers allow six per host, and somebody has twenty tabs open.
function onVisibility() {
  if (document.hidden) {
    stream?.close();
    stream = undefined;
  } else {
    paintTimes();
    follow();
  }
}

// Keys -----------------------------------------------------------------------------------------------------------------

let chosen = null;
let pendingG = 0;
const rows = () => [...main.querySelectorAll("[data-row]")];

function markRow(key, scrolls) {
  for (const row of main.querySelectorAll(".chosen")) row.classList.remove("chosen");
  if (key === null) return;
  const row = rows().find((candidate) => candidate.dataset.key === key);
  if (!row) return;
  row.classList.add("chosen");
  if (scrolls) {
    (row.querySelector("a[href]") ?? row).focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }
}

function move(step) {
  const all = rows();
  if (all.length === 0) return;
  const at = all.findIndex((row) => row.dataset.key === chosen);
  const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1);
  chosen = all[next].dataset.key;
  markRow(chosen, true);
}

// Opens what hides it, and puts the cursor there. A single key never does anything to an incident by itself.
function goTo(selector) {
  const found = main.querySelector(selector);
  if (!found) return;
  for (let box = found.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
  if (found.tabIndex < 0) found.tabIndex = -1;
  found.focus();
  found.scrollIntoView({ block: "center" });
}

// From one tab above the list to the next, and from the last to the first; from elsewhere to the list.
function nextView() {
  const tabs = [...main.querySelectorAll(".views a:not(.more)")];
  const current = tabs.findIndex((tab) => tab.hasAttribute("aria-current"));
  if (tabs.length) tabs[(current + 1) % tabs.length].click(); else location.href = "/incidents";
}

// What single keys do, and which they are where nobody has chosen others.
const commands = {
  next: ["j", () => move(1)],
  previous: ["k", () => move(-1)],
  search: ["/", () => { const search = byId("search"); if (search) { search.focus(); search.select(); } else location.href = "/incidents"; }],
  acknowledge: ["a", () => goTo(".orders form:has(input[name=verb][value=ack]) button")],
  note: ["n", () => goTo(".orders form:has(input[name=verb][value=note]) input[name=text]")],
  evidence: ["e", () => goTo("#evidence-title")],
  room: ["w", () => goTo(".room textarea")],
  view: ["v", nextView],
  zone: ["u", toggleZone],
  help: ["?", () => byId("help")?.showModal()],
};
// What follows `g`, and `Enter`, stay as they are.
const keyOf = (() => {
  let chosenKeys = {};
  try { chosenKeys = JSON.parse(settings.get("keymap") ?? "{}") ?? {}; } catch { /* as shipped */ }
  const keys = {};
  for (const [name, [usual]] of Object.entries(commands)) {
    const key = chosenKeys[name];
    keys[name] = typeof key === "string" && [...key].length === 1 ? key : usual;
  }
  return keys;
})();

// In the help each key can be changed; one that is taken stays with what has it.
function onRemap(event) {
  const field = event.target.closest?.("input[data-command]");
  if (!field) return;
  const [name, key] = [field.dataset.command, field.value];
  const isTaken = key === "g" || Object.entries(keyOf).some(([other, taken]) => other !== name && taken === key);
  if ([...key].length === 1 && key.trim() && !isTaken) {
    keyOf[name] = key;
    settings.set("keymap", JSON.stringify(keyOf));
  }
  field.setCustomValidity(isTaken ? "That key has another meaning" : "");
  field.reportValidity();
  if (isTaken || !key.trim()) field.value = keyOf[name];
}
const places = { i: "/incidents", s: "/sources", r: "/rules", l: "/journal" };

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || byId("help")?.open) return;
  const target = event.target;
  if (target.closest?.("input, textarea, select, [contenteditable]")) {
    if (event.key === "Escape") target.blur();
    return;
  }
  // WCAG 2.1.4: single-key shortcuts can be turned off.
  if (settings.get("keys") === "off" && event.key !== keyOf.help) return;
  const isAfterG = Date.now() - pendingG < 1200;
  pendingG = event.key === "g" ? Date.now() : 0;
  if (isAfterG && places[event.key]) { event.preventDefault(); location.href = places[event.key]; return; }
  if (event.key === "Enter" && chosen && (target === document.body || target === main)) {
    main.querySelector(".chosen a[href]")?.click();
    return;
  }
  const name = Object.keys(keyOf).find((candidate) => keyOf[candidate] === event.key);
  if (name) { event.preventDefault(); commands[name][1](); }
}

// Proofs ---------------------------------------------------------------------------------------------------------------

const fromHex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const toHex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

async function sha256(...parts) {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { bytes.set(part, at); at += part.length; }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

// RFC 6962: from the entry's bytes over its neighbours to the root, without the server.
async function checkPath(section) {
  let hash = await sha256([0], Uint8Array.from(atob(section.dataset.entry), (letter) => letter.charCodeAt(0)));
  for (const step of section.querySelectorAll("[data-sibling]")) {
    const sibling = fromHex(step.dataset.sibling);
    hash = step.dataset.side === "left" ? await sha256([1], sibling, hash) : await sha256([1], hash, sibling);
  }
  return toHex(hash) === section.dataset.root;
}

// Browsers hash only for pages that came over TLS or from this machine.
function offerCheck(root = document) {
  const section = root.querySelector("#path");
  if (crypto.subtle && section?.dataset.root) section.querySelector("#check").hidden = false;
}

async function onCheck(event) {
  if (event.target.id !== "check") return;
  const holds = await checkPath(byId("path"));
  const words = holds ? "Your browser came to the same root." : "Your browser came to ANOTHER root: do not believe this page.";
  setText(byId("checked"), words);
  byId("checked").className = holds ? "status well" : "status bad";
}

// Start ----------------------------------------------------------------------------------------------------------------

paintTimes();
offerCheck();
if (signedIn) {
  for (const [id, action] of [["zone", toggleZone], ["theme", toggleTheme], ["keys", commands.help[1]]]) {
    const button = byId(id);
    button.hidden = false;
    button.addEventListener("click", action);
  }
  const keysOff = byId("keys-off");
  keysOff.checked = settings.get("keys") === "off";
  keysOff.addEventListener("change", () => settings.set("keys", keysOff.checked ? "off" : "on"));
  for (const field of document.querySelectorAll("#help input[data-command]")) field.value = keyOf[field.dataset.command];
  byId("help").addEventListener("change", onRemap);
  byId("help").addEventListener("focusin", (event) => { if (event.target.dataset.command) event.target.select(); });
  document.addEventListener("keydown", onKey);
  document.addEventListener("click", onCheck);
  document.addEventListener("visibilitychange", onVisibility);
  document.addEventListener("change", (event) => {
    if (event.target.type === "checkbox") event.target.closest("form[data-auto]")?.requestSubmit();
  });
  setInterval(() => { if (!document.hidden) paintTimes(); }, 5000);
  // Counters of sources change without journal entries: such pages ask again every few seconds.
  const seconds = Number(main.querySelector("[data-poll]")?.dataset.poll);
  if (seconds > 0) setInterval(() => { if (!document.hidden) refresh(); }, seconds * 1000);
  showLive("off", "connecting");
  follow();
}
