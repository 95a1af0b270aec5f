// Sends an image straight to the API, as it lies on the disk, and shows how far it is.

const form = document.querySelector("[data-upload]");
const part = (name) => form.querySelector(`[data-${name}]`);
const units = ["B", "KiB", "MiB", "GiB", "TiB"];
let request = null;

function size(bytes) {
  let unit = 0;
  for (; bytes >= 1024 && unit < units.length - 1; unit += 1) {
    bytes /= 1024;
  }
  return `${bytes.toFixed(bytes >= 100 || !unit ? 0 : 1)} ${units[unit]}`;
}

function moved(done, total) {
  const [part, whole] = [size(done), size(total)];
  const unit = whole.split(" ")[1];
  return `${part.endsWith(` ${unit}`) ? part.split(" ")[0] : part} of ${whole}`;
}

function duration(seconds) {
  const left = Math.ceil(seconds);
  const [hours, minutes] = [Math.floor(left / 3600), Math.floor((left % 3600) / 60)];
  if (hours) {
    return `${hours} h ${minutes} min left`;
  }
  return minutes ? `${minutes} min ${left % 60} s left` : `${left} s left`;
}

function show(done, total, began) {
  const percent = Math.floor((100 * done) / total);
  const rate = done / Math.max((performance.now() - began) / 1000, 0.1);
  part("uploading").querySelector("progress").value = percent;
  part("percent").textContent = `${percent}%`;
  const left = done < total ? rate && duration((total - done) / rate) : "Being stored…";
  part("moved").textContent = [moved(done, total), `${size(rate)}/s`, left || ""].join("   ");
}

function running(is) {
  part("uploading").hidden = !is;
  part("stop").hidden = !is;
  part("send").disabled = is;
  part("leave").hidden = is;
}

function fail(text) {
  running(false);
  request = null;
  part("upload-fault").textContent = text;
  part("upload-fault").hidden = false;
}

function reason(text) {
  try {
    return JSON.parse(text).map((fault) => fault.error_message).join(" ");
  } catch {
    return "The upload failed.";
  }
}

function send(file) {
  const { name, media, storage_type: storage, csrfmiddlewaretoken: token } = form.elements;
  const query = new URLSearchParams({ name: name.value, media: media.value, storage_type: storage.value });
  const began = performance.now();
  request = new XMLHttpRequest();
  request.open("POST", `${form.dataset.upload}?${query}`);
  request.setRequestHeader("Content-Type", "application/octet-stream");
  request.setRequestHeader("X-CSRFToken", token.value);
  request.upload.addEventListener("progress", (event) => show(event.loaded, file.size, began));
  request.addEventListener("error", () => fail("The connection broke off. What was sent is discarded."));
  request.addEventListener("abort", () => fail("The upload was stopped. What was sent is discarded."));
  request.addEventListener("load", () => {
    const { status, responseText } = request;
    if (status !== 200) {
      fail(reason(responseText));
      return;
    }
    request = null;
    location.assign(`${form.dataset.page}${responseText}/`);
  });
  part("upload-fault").hidden = true;
  show(0, file.size, began);
  running(true);
  request.send(file);
}

form.elements.image.addEventListener("change", () => {
  const file = form.elements.image.files[0];
  if (file && !form.elements.name.value) {
    form.elements.name.value = file.name.replace(/\.(raw|img|iso|bin)$/i, "");
  }
  if (file && /\.iso$/i.test(file.name)) {
    form.elements.media.value = "cdrom";
  }
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const file = form.elements.image.files[0];
  if (file?.size) {
    send(file);
  } else {
    fail("The file is empty.");
  }
});
part("stop").addEventListener("click", () => request?.abort());
addEventListener("beforeunload", (event) => request && event.preventDefault());
