// Says how many jobs are selected, selects all, and keeps the selection when a row is swapped.

const form = document.getElementById("selected");
const picks = () => [...document.querySelectorAll('[form="selected"][name="uuid"]')];
const picked = new Set();

function show() {
  const all = picks();
  const count = all.filter((pick) => pick.checked).length;
  form.querySelector("[data-picked]").textContent = count ? `${count} selected` : "";
  form.querySelectorAll("[data-needs-picks]").forEach((button) => (button.disabled = !count));
  const head = form.querySelector("[data-pick-all]");
  head.checked = Boolean(count) && count === all.length;
  head.indeterminate = Boolean(count) && count < all.length;
}

function remember() {
  picked.clear();
  picks().filter((pick) => pick.checked).forEach((pick) => picked.add(pick.id));
  show();
}

if (form) {
  form.querySelector(".pick-all").hidden = false;
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-pick-all]")) {
      picks().forEach((pick) => (pick.checked = event.target.checked));
    }
    remember();
  });
  document.addEventListener("htmx:afterSettle", () => {
    picks().forEach((pick) => (pick.checked = picked.has(pick.id)));
    show();
  });
  show();
}
