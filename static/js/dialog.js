// Dialogs: [data-opens="id"] opens a <dialog> instead of leading to the page of the same form;
// command="close" closes it also where browsers do not know it. Focus returns to the opener.
function open(dialog, opener) {
  document.querySelectorAll("[popover]:popover-open").forEach((menu) => menu.hidePopover());
  dialog.returnTo = opener;
  dialog.showModal();
  (dialog.querySelector("[data-first]") ?? dialog.querySelector(".control, button"))?.focus();
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  const dialog = opener && document.getElementById(opener.dataset.opens);
  if (dialog && opener.getAttribute("aria-disabled") !== "true") {
    event.preventDefault();
    const menu = opener.closest("[popover]");
    open(dialog, menu ? document.querySelector(`[popovertarget="${menu.id}"]`) : opener);
    return;
  }
  const closer = event.target.closest('[command="close"]');
  if (closer && !("commandForElement" in HTMLButtonElement.prototype)) {
    document.getElementById(closer.getAttribute("commandfor"))?.close();
  }
  if (event.target instanceof HTMLDialogElement && event.target.open) {
    const box = event.target.getBoundingClientRect();
    const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    if (!inside && event.detail) event.target.close();
  }
});

document.addEventListener("close", (event) => event.target.returnTo?.focus(), true);
