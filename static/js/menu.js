// Menus: [data-menu] with popovertarget. The browser opens and closes the popover; this adds
// arrows, Home and End, and a place under the button where CSS cannot anchor it.
const ITEMS = ".menu-item:not(:disabled)";
const anchored = CSS.supports("position-area: block-end");

document.addEventListener("toggle", (event) => {
  const menu = event.target;
  if (!(menu instanceof HTMLElement) || !menu.matches(".menu[popover]")) return;
  const button = document.querySelector(`[popovertarget="${menu.id}"]`);
  button?.setAttribute("aria-expanded", String(event.newState === "open"));
  if (event.newState !== "open") return;
  if (!anchored && button) {
    const box = button.getBoundingClientRect();
    menu.classList.add("is-placed");
    menu.style.top = `${Math.min(box.bottom + 4, innerHeight - menu.offsetHeight - 8)}px`;
    menu.style.left = `${Math.max(8, box.right - menu.offsetWidth)}px`;
  }
  if (!menu.contains(document.activeElement)) menu.querySelector(ITEMS)?.focus();
}, true);

document.addEventListener("keydown", (event) => {
  const opener = event.target.closest("[data-menu]");
  if (opener && event.key === "ArrowDown") {
    event.preventDefault();
    const menu = document.getElementById(opener.getAttribute("popovertarget"));
    if (!menu.matches(":popover-open")) menu.showPopover({ source: opener });
    menu.querySelector(ITEMS)?.focus();
    return;
  }
  const menu = event.target.closest(".menu[popover]");
  if (!menu) return;
  const items = [...menu.querySelectorAll(ITEMS)];
  const at = items.indexOf(document.activeElement);
  const next = { ArrowDown: (at + 1) % items.length, ArrowUp: (at - 1 + items.length) % items.length, Home: 0, End: items.length - 1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  items[next].focus();
});

// A chosen item closes its menu, also when the page stays (htmx).
document.addEventListener("htmx:beforeRequest", (event) => {
  const menu = event.target.closest?.(".menu[popover]");
  if (menu?.matches(":popover-open")) menu.hidePopover();
});
