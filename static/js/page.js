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
document.body.append(voice);
function say(text) {
  voice.textContent = "";
  setTimeout(() => (voice.textContent = text), 50);
}
window.addEventListener("alta:say", (event) => say(event.detail));
const waiting = document.querySelector("#messages .notice p");
if (waiting) say(waiting.textContent);

// A form is sent once: the second click of a double click does nothing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
window.addEventListener("pageshow", (event) => {
  document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
  // From the back-forward cache: its one-time forms may have been sent already.
  if (event.persisted && document.querySelector('[name="form"]')) location.reload();
});

// Controls that send their form when they change; the button is for those without JavaScript.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
});
function hide(root) {
  for (const element of root.querySelectorAll("[data-without-script]")) element.hidden = true;
}
hide(document);
document.addEventListener("htmx:load", (event) => hide(event.target));

// A disabled button that keeps its focus does nothing but say why.
document.addEventListener("click", (event) => {
  const button = event.target.closest('[aria-disabled="true"]');
  if (!button) return;
  event.preventDefault();
  if (button.dataset.reason) say(button.dataset.reason);
}, true);

// htmx: dim what waits longer than a moment, and say when it failed.
const busy = new WeakMap();
document.addEventListener("htmx:beforeRequest", (event) => {
  busy.set(event.detail.xhr, setTimeout(() => event.detail.target.setAttribute("aria-busy", "true"), 300));
});
document.addEventListener("htmx:afterRequest", (event) => {
  clearTimeout(busy.get(event.detail.xhr));
  event.detail.target.removeAttribute("aria-busy");
  delete event.detail.requestConfig.elt.dataset.sent;
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

// What was swapped away held the focus: give it to the control that takes its place.
document.addEventListener("htmx:afterSettle", (event) => {
  const id = event.detail.requestConfig?.elt.dataset.focus;
  if (id) document.getElementById(id)?.focus();
});
