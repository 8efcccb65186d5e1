// The page works without this script, which only refreshes the page during a first import, shows that a form is being
// processed, and prevents double submits.

const LONGEST_PAUSE_MS = 60_000;
const SENDING_MS = 5_000;
/** Relative, since the service may have a path of its own. */
const PAGE = new URL("../../links", import.meta.url);
const PROGRESS = new URL("../progress", import.meta.url);

watchProgress();
guardForms();

/** Refreshes the live part while its `data-poll` attribute gives an interval. */
function watchProgress() {
  const live = document.getElementById("live");
  const every = Number(live?.dataset.poll);
  if (live === null || !(every > 0)) return;
  showReloadLink(live, false);
  setTimeout(() => askProgress(live, every), every);
}

/**
 * @param {HTMLElement} live
 * @param {number} pause base of the next delay after a failure, in milliseconds
 */
async function askProgress(live, pause) {
  if (document.hidden) {
    document.addEventListener("visibilitychange", () => void askProgress(live, pause), { once: true });
    return;
  }
  try {
    const response = await fetch(PROGRESS, { headers: { accept: "text/html" }, redirect: "error" });
    if (!response.ok) throw new Error(`the service answered with ${response.status}`);
    await showProgress(live, await response.text());
  } catch {
    // The user is signed out or the service is briefly unavailable: show the link to reload by hand.
    showReloadLink(live, true);
    const longer = Math.min(pause * 2, LONGEST_PAUSE_MS);
    setTimeout(() => askProgress(live, longer), longer);
  }
}

/**
 * @param {HTMLElement} live
 * @param {string} text
 */
async function showProgress(live, text) {
  const next = new DOMParser().parseFromString(text, "text/html").getElementById("live");
  if (next === null) throw new Error("the answer contains no progress");
  if (next.dataset.poll === undefined) {
    await refreshPage();
    announce("初回の取り込みが完了しました。");
    return;
  }
  live.replaceWith(next);
  watchProgress();
}

/** The end of a first import changes every section. The section in which the user is stays as it is. */
async function refreshPage() {
  const response = await fetch(PAGE, { headers: { accept: "text/html" }, redirect: "error" });
  if (!response.ok) throw new Error(`the service answered with ${response.status}`);
  const next = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("main");
  const main = document.querySelector("main");
  if (main === null || next === null) throw new Error("the answer contains no page");
  const used = document.activeElement?.closest("main > section") ?? null;
  const label = used?.getAttribute("aria-labelledby");
  if (used !== null) next.querySelector(`section[aria-labelledby="${label}"]`)?.replaceWith(used);
  main.replaceChildren(...next.childNodes);
  history.replaceState(null, "", PAGE);
}

/**
 * @param {HTMLElement} live
 * @param {boolean} isShown
 */
function showReloadLink(live, isShown) {
  const link = live.querySelector("[data-reload] a");
  if (link instanceof HTMLElement) link.hidden = !isShown;
}

/**
 * Announces the words in a separate element, so that screen readers read them.
 * @param {string} words
 */
function announce(words) {
  const place = document.createElement("p");
  place.setAttribute("role", "status");
  place.className = "announcement";
  document.getElementById("live")?.before(place);
  // Screen readers announce text only in an element that existed before the text.
  setTimeout(() => {
    place.textContent = words;
  }, 100);
}

/** Ignores a second submit of the same form within `SENDING_MS`, and shows the form's `data-busy` while it is sent. */
function guardForms() {
  const sent = new WeakSet();
  addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || form.method !== "post") return;
    if (sent.has(form)) event.preventDefault();
    else if (form.dataset.busy !== undefined) showBusy(form, form.dataset.busy);
    sent.add(form);
    setTimeout(() => sent.delete(form), SENDING_MS);
  });
  // The back button from DocuSign can restore this page with outdated content.
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
}

/**
 * @param {HTMLFormElement} form
 * @param {string} words
 */
function showBusy(form, words) {
  const place = form.querySelector(".busy") ?? form.appendChild(document.createElement("p"));
  place.className = "busy";
  place.setAttribute("role", "status");
  place.textContent = words;
}
