// A new attribute's name: its full name in SCIM grows as it is typed, and a wrong character is
// said at once, in the words that the server would use. Only a right name can be copied.
const name = document.querySelector("[data-urn-name]");
const urn = document.querySelector("[data-urn]");
const error = document.querySelector("[data-name-error]");
const copy = document.querySelector('[data-copy="urn"]');
const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

function draw() {
  const text = name.value.trim();
  const right = NAME.test(text);
  urn.value = right ? urn.dataset.urn + text : "";
  copy.disabled = !right;
  return right || text === "";
}

name?.addEventListener("input", () => {
  const wrong = !draw();
  error.hidden = !wrong;
  if (!wrong) error.removeAttribute("role");
  else error.setAttribute("role", "alert");
  name.toggleAttribute("aria-invalid", wrong);
  if (wrong) name.setAttribute("aria-invalid", "true");
  name.setAttribute("aria-describedby", wrong ? `${name.id}_helptext ${error.id}` : `${name.id}_helptext`);
});
if (name) draw();
