// «Copy» beside a read-only field: [data-copy="field id"]. Without a clipboard (plain http) the
// text is selected and the button says which keys to press.
const SHOWN_MS = 2500;

async function copy(button) {
  const field = document.getElementById(button.dataset.copy);
  const label = button.querySelector("[data-copy-label]");
  button.dataset.label ??= label.textContent;
  let done = true;
  try {
    await navigator.clipboard.writeText(field.value);
  } catch {
    done = false;
    field.focus();
    field.select();
  }
  label.textContent = done ? button.dataset.copied : button.dataset.press;
  button.classList.toggle("is-done", done);
  window.dispatchEvent(new CustomEvent("alta:say", { detail: label.textContent }));
  clearTimeout(button.timer);
  button.timer = setTimeout(() => {
    label.textContent = button.dataset.label;
    button.classList.remove("is-done");
  }, SHOWN_MS);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
});

function show(root) {
  for (const button of root.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
}
show(document);
document.addEventListener("htmx:load", (event) => show(event.target));

// A page with a secret: reloading asks for the table (never the form again), and coming back to
// it finds it empty, also from the browser's back-forward cache.
const secrets = document.querySelectorAll("[data-secret]");
const home = document.querySelector("[data-leave-to]")?.dataset.leaveTo;
if (secrets.length && home) {
  history.replaceState(null, "", home);
  window.addEventListener("pagehide", () => secrets.forEach((field) => (field.value = field.textContent = "")));
  window.addEventListener("pageshow", (event) => event.persisted && location.replace(home));
}
