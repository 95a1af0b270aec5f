// One poller for a page: asks through the #live element, which says how often, and never while the
// tab is hidden. It slows down while nothing changes, and ends with a #live without an interval.

const SLOWEST_WHILE_BUSY = 10;
const SLOWEST_WHILE_LOST = 60;
let timer = 0;
let wait = 0;

const live = () => document.getElementById("live");
const interval = () => Number(live()?.dataset.interval || 0);

function plan(seconds) {
  clearTimeout(timer);
  wait = seconds;
  if (interval() && !document.hidden) {
    timer = setTimeout(poll, seconds * 1000);
  }
}

function poll() {
  clearTimeout(timer);
  if (interval() && !document.hidden) {
    window.htmx.trigger(live(), "poll");
  }
}

function slower() {
  return Math.min(wait * 1.5, Math.max(SLOWEST_WHILE_BUSY, interval()));
}

document.addEventListener("htmx:beforeSwap", (event) => {
  if (new URL(event.detail.xhr.responseURL).pathname.startsWith("/login/")) {
    event.detail.shouldSwap = false;
    location.reload();
  }
});

document.addEventListener("htmx:afterRequest", (event) => {
  // Not event.detail.elt: the element that asked is replaced by now.
  if (event.detail.requestConfig.elt.id !== "live") {
    return;
  }
  const { successful, xhr } = event.detail;
  if (xhr.status === 404) {
    location.reload(); // what the page is about is gone
    return;
  }
  document.getElementById("offline").hidden = successful;
  if (!successful) {
    plan(Math.min((wait || interval()) * 2, SLOWEST_WHILE_LOST));
  } else {
    plan(xhr.status === 204 ? slower() : interval());
  }
});

document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : poll()));
document.addEventListener("cloudjobs:changed", poll);
addEventListener("pageshow", (event) => event.persisted && poll());
plan(interval());
