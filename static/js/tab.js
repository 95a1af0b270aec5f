// The tab's title and icon tell how many jobs run and how many failed lately.

const icon = document.getElementById("icon");
const title = document.title.trim();

function show() {
  const { running, failed } = document.getElementById("live")?.dataset ?? {};
  const counts = [running && `▶ ${running}`, failed && `✕ ${failed}`].filter(Boolean);
  document.title = [...counts, title].join(" · ");
  const query = new URLSearchParams({ running: running ?? "", failed: failed ?? "" });
  const address = `${icon.dataset.href}?${query}`;
  if (icon.getAttribute("href") !== address) {
    icon.setAttribute("href", address);
  }
}

document.addEventListener("htmx:afterSettle", show);
show();
