import { api, session } from "./api.js";
import { field, form, make, sayNext, show } from "./dom.js";

export function signIn() {
  show("Sign in", make("div", { class: "panel narrow" }, form(
    async ({ email, password }) => {
      session.begin((await api.signIn(email, password)).token, email);
      window.dispatchEvent(new Event("hashchange"));
    },
    field("E-mail address", { name: "email", type: "email", autocomplete: "username", required: true }),
    field("Password", { name: "password", type: "password", autocomplete: "current-password", required: true }),
    make("div", { class: "row" }, make("button", { class: "primary" }, "Sign in"), make("a", { href: "#/sign-up" }, "I have no account yet")),
  )));
}

export function signUp() {
  show("Make an account", make("div", { class: "panel narrow" }, form(
    async ({ email, login, password }) => {
      await api.register(email, login, password);
      session.begin((await api.signIn(email, password)).token, email);
      sayNext("The account is made, and you are signed in.");
      location.hash = "#/";
    },
    field("E-mail address", { name: "email", type: "email", autocomplete: "username", required: true, maxlength: 320 }),
    field("Name to show", { name: "login", autocomplete: "nickname", required: true, pattern: "[A-Za-z0-9_\\-]{3,64}", title: "3 to 64 letters, digits, _ or -" }),
    field("Password", { name: "password", type: "password", autocomplete: "new-password", required: true }),
    make("div", { class: "row" }, make("button", { class: "primary" }, "Make the account"), make("a", { href: "#/" }, "I have one")),
  )));
}
