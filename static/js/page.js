// The page itself: the viewer's time zone, forms sent once, and what htmx needs said aloud.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const kept = document.cookie.match(/(?:^|; )alta_time_zone=([^;]*)/)?.[1];
if (zone && kept === undefined) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `alta_time_zone=${zone}; path=/; max-age=31536000; samesite=lax${secure}`;
}

// Said by screen readers; a region of its own, so that it never wipes a message.
const voice = document.createElement("div");
voice.className = "visually-hidden";
voice.setAttribute("role", "status");
document.getElementById("messages")?.after(voice);
window.addEventListener("alta:say", (event) => {
  voice.textContent = "";
  requestAnimationFrame(() => (voice.textContent = event.detail));
});

// A form is sent once: the second click of a double click does nothing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));

// Controls that send their form when they change; the button is for those without JavaScript.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
});
document.querySelectorAll("[data-without-script]").forEach((element) => (element.hidden = true));

// A disabled button that keeps its focus does nothing but say why.
document.addEventListener("click", (event) => {
  if (event.target.closest('[aria-disabled="true"]')) event.preventDefault();
}, true);

// htmx: dim what waits longer than a moment, and say when it failed.
const busy = new WeakMap();
document.addEventListener("htmx:beforeRequest", (event) => {
  busy.set(event.detail.xhr, setTimeout(() => event.detail.target.setAttribute("aria-busy", "true"), 300));
});
document.addEventListener("htmx:afterRequest", (event) => {
  clearTimeout(busy.get(event.detail.xhr));
  event.detail.target.removeAttribute("aria-busy");
  const form = event.target.closest?.("form");
  if (form) delete form.dataset.sent;
});
for (const failure of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
  document.addEventListener(failure, (event) => {
    const id = event.detail.xhr?.getResponseHeader?.("X-Request-ID");
    const template = document.getElementById("failed");
    if (!template) return;
    const notice = template.content.cloneNode(true);
    notice.querySelector("[data-request-id]").textContent = id ?? "—";
    document.getElementById("messages").replaceChildren(notice);
  });
}
