// Draws the OpenAPI document; a request that is tried out carries the token of the session.

const place = document.getElementById("api-docs");
const dark = matchMedia("(prefers-color-scheme: dark)");

function follow() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

function withToken(request) {
  const token = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/);
  if (token && new URL(request.url, location).origin === location.origin) {
    request.headers["X-CSRFToken"] = token[1];
  }
  return request;
}

dark.addEventListener("change", follow);
follow();
window.SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  filter: true,
  requestInterceptor: withToken,
});
