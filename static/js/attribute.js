// A new attribute's name: its full name in SCIM grows as it is typed, and a wrong character is
// said at once, in the words that the server would use.
const name = document.querySelector("[data-urn-name]");
const urn = document.querySelector("[data-urn]");
const error = document.querySelector("[data-name-error]");
const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
const standing = error?.textContent;

name?.addEventListener("input", () => {
  const text = name.value.trim();
  const wrong = text !== "" && !NAME.test(text);
  urn.value = urn.dataset.urn + text;
  error.hidden = !wrong;
  if (!wrong) error.removeAttribute("role");
  else error.setAttribute("role", "alert");
  name.toggleAttribute("aria-invalid", wrong);
  if (wrong) name.setAttribute("aria-invalid", "true");
});
