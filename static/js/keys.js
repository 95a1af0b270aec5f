// Keys: / search, j and k move through the rows, c cancels, ? shows the keys. Enter is the link's own.

const rows = () => [...document.querySelectorAll("[data-row]")];
const rowOf = (element) => element?.closest("[data-row]");

function move(step) {
  const all = rows();
  const at = all.indexOf(rowOf(document.activeElement));
  const next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step];
  next?.querySelector("[data-open]")?.focus();
}

function cancel() {
  const row = rowOf(document.activeElement) ?? document;
  row.querySelector("[data-cancel]")?.click();
}

const keys = {
  "/": () => document.querySelector("[data-search]")?.focus(),
  j: () => move(1),
  k: () => move(-1),
  c: cancel,
  "?": () => document.getElementById("keys").showModal(),
};

document.addEventListener("keydown", (event) => {
  const writing = event.target.closest("input:not([type=checkbox]), textarea, select");
  const busy = document.querySelector("dialog[open]");
  if (event.key === "Escape" && writing) {
    event.target.blur();
  } else if (keys[event.key] && !writing && !busy && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    keys[event.key]();
  }
});
