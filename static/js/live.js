// «Live»: asks every few seconds how many requests came since, and offers them. Off until it is
// pressed; it rests while the page is not seen, and never moves a row under the reader.
const EVERY_MS = 4000;
let on = false;
let timer;

function parts() {
  const button = document.querySelector("[data-live]");
  return { button, news: document.querySelector("[data-live-news]") };
}

function show() {
  const { button } = parts();
  if (!button) return;
  button.hidden = false;
  const label = button.querySelector("[data-live-label]");
  button.dataset.off ??= label.textContent;
  label.textContent = on ? button.dataset.liveOn : button.dataset.off;
  button.setAttribute("aria-pressed", String(on));
}

async function ask() {
  const { button, news } = parts();
  if (!on || !button || document.hidden) return;
  try {
    const answer = await fetch(button.dataset.live, { headers: { Accept: "application/json" } });
    if (answer.redirected || !answer.ok) throw new Error("signed out");
    const { number, more } = await answer.json();
    const text = number === 1 ? button.dataset.one : button.dataset.many.replace("#", more ? `${number}+` : number);
    if (number && news.textContent !== text) {
      news.textContent = text;
      if (news.hidden) window.dispatchEvent(new CustomEvent("alta:say", { detail: text }));
      news.hidden = false;
    }
  } catch {
    set(false);
  }
}

function set(value) {
  on = value;
  clearInterval(timer);
  if (on) timer = setInterval(ask, EVERY_MS);
  show();
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-live]")) {
    set(!on);
    ask();
  }
  // The new ones take the table's place; the page stays, and so does «Live».
  const news = event.target.closest("[data-live-news]");
  if (news && window.htmx) {
    event.preventDefault();
    window.htmx.ajax("GET", news.getAttribute("href"), { target: "#results", swap: "outerHTML" });
  }
});
document.addEventListener("htmx:load", show);
show();
