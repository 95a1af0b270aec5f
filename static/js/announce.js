// Tells a screen reader when a job or an object comes into another state; percents it can ask for.

document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const before = event.detail.target?.dataset;
  const after = event.detail.fragment?.querySelector("[data-state]")?.dataset;
  if (before?.state && after?.state && before.state !== after.state) {
    document.getElementById("announcement").textContent = `${after.title}: ${after.state}`;
  }
});
