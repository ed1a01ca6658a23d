import { api, ended, session } from "./api.js";
import { documentPage } from "./document.js";
import { documents } from "./documents.js";
import { arrive, make, problem, sayNext, show } from "./dom.js";
import { signIn, signUp } from "./sign-in.js";
import { trace } from "./trace.js";

async function route() {
  const path = location.hash.replace(/^#/, "") || "/";
  // The link that skips to the content leads to no other page.
  if (path === "content") return;
  arrive();
  const person = session.current;
  document.getElementById("places").hidden = !person;
  document.getElementById("person").hidden = !person;
  document.getElementById("name").textContent = person?.email ?? "";
  for (const link of document.querySelectorAll("#places a")) {
    const isHere = link.getAttribute("href") === `#${path}` || (link.getAttribute("href") === "#/" && path.startsWith("/documents"));
    if (isHere) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
  }
  try {
    if (!person) return path === "/sign-up" ? signUp() : signIn();
    if (path === "/trace") return trace();
    const match = path.match(/^\/documents\/([0-9]+)$/);
    if (match) return await documentPage(match[1]);
    await documents();
  } catch (error) {
    show("That did not work", problem(error), make("p", {}, make("a", { href: "#/" }, "To your documents")));
  }
}

ended.addEventListener("ended", () => {
  session.end();
  sayNext("Your session has ended. Sign in again.");
  route();
});
document.getElementById("sign-out").addEventListener("click", async () => {
  await api.signOut().catch(() => {});
  session.end();
  sayNext("You are signed out.");
  if (location.hash === "#/") route(); else location.hash = "#/";
});
window.addEventListener("hashchange", () => { route(); });
route();
