import { make, problem } from "./dom.js";

// A place for files: dropped, or chosen with the keyboard. `take(file, progress)` sends one; files go one after the other.
export function dropPlace(label, accept, take) {
  const list = make("ul", { class: "uploads" });
  const input = make("input", { type: "file", accept, multiple: true, class: "unseen" });
  const place = make("label", { class: "drop" }, make("b", {}, label), make("p", { class: "note" }, "Drop files here, or choose them."), input);
  let last = Promise.resolve();

  function add(files) {
    for (const file of files) {
      const bar = make("progress", { max: 1, value: 0, "aria-label": `${file.name}: sent` });
      const state = make("span", { class: "note" }, "waiting");
      const item = make("li", {}, make("span", {}, make("b", {}, file.name), " ", state), bar);
      list.append(item);
      last = last.then(async () => {
        state.textContent = "sending";
        try {
          await take(file, (fraction) => {
            bar.value = fraction;
            if (fraction === 1) state.textContent = "sent; the server is looking at it";
          });
          item.remove();
        } catch (error) {
          bar.remove();
          state.remove();
          item.append(problem(error));
        }
      });
    }
  }
  input.addEventListener("change", () => { add([...input.files]); input.value = ""; });
  place.addEventListener("dragover", (event) => { event.preventDefault(); place.classList.add("over"); });
  place.addEventListener("dragleave", () => place.classList.remove("over"));
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    place.classList.remove("over");
    add([...event.dataTransfer.files]);
  });
  return make("div", {}, place, list);
}
