// Times come in UTC and are shown in the reader's own time zone.

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const date = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const seconds = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    const now = new Date();
    const today = at.toDateString() === now.toDateString();
    const dated = at.getFullYear() === now.getFullYear() ? day : date;
    const text = time.dataset.precision === "seconds" ? seconds.format(at) : clock.format(at);
    time.textContent = today ? text : `${dated.format(at)}, ${text}`;
    time.title = full.format(at);
  }
}

document.addEventListener("htmx:load", (event) => localise(event.detail.elt));
localise(document);
