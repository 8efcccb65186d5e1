// The page is whole without this: it only moves the progress, and keeps a form from being sent twice.

const LONGEST_PAUSE_MS = 60_000;
const SENDING_MS = 5_000;

watchProgress();
guardForms();

/** Asks for the moving part again and again while it says that there is more to come. */
function watchProgress() {
  const live = document.getElementById("live");
  const every = Number(live?.dataset.poll);
  if (live === null || !(every > 0)) return;
  showReloadLink(live, false);
  setTimeout(() => askProgress(live, every), every);
}

/**
 * @param {HTMLElement} live
 * @param {number} pause in milliseconds, before it is asked again should this fail
 */
async function askProgress(live, pause) {
  if (document.hidden) {
    document.addEventListener("visibilitychange", () => void askProgress(live, pause), { once: true });
    return;
  }
  try {
    const response = await fetch("/links/progress", { headers: { accept: "text/html" }, redirect: "error" });
    if (!response.ok) throw new Error(`answered with ${response.status}`);
    showProgress(live, await response.text());
  } catch {
    // Signed out, or the service is away for a moment: the link for doing it by hand is back meanwhile.
    showReloadLink(live, true);
    const longer = Math.min(pause * 2, LONGEST_PAUSE_MS);
    setTimeout(() => askProgress(live, longer), longer);
  }
}

/**
 * @param {HTMLElement} live
 * @param {string} text
 */
function showProgress(live, text) {
  const next = new DOMParser().parseFromString(text, "text/html").getElementById("live");
  if (next === null) throw new Error("the answer holds no progress");
  live.replaceWith(next);
  if (next.dataset.poll === undefined) announce("初回の取り込みが完了しました。");
  watchProgress();
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
 * In a place of its own, so that screen readers say it.
 * @param {string} words
 */
function announce(words) {
  const place = document.createElement("p");
  place.setAttribute("role", "status");
  place.className = "announcement";
  document.getElementById("live")?.before(place);
  // A screen reader listens to a place that was there before its words.
  setTimeout(() => {
    place.textContent = words;
  }, 100);
}

/** A second click within a moment sends nothing. */
function guardForms() {
  const sent = new WeakSet();
  addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || form.method !== "post") return;
    if (sent.has(form)) event.preventDefault();
    sent.add(form);
    setTimeout(() => sent.delete(form), SENDING_MS);
  });
  // Back from DocuSign the page may be the very same one, and its state an old one.
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
}
