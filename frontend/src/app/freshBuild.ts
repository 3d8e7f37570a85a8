/** After an update of the server the chunks of the old page are gone; the next click then loads the new page, once. */
const KEY = "dropscope-reloaded-at";
const AGAIN_AFTER_MS = 30_000;

export function reloadOnMissingChunk(): void {
  window.addEventListener("vite:preloadError", () => {
    const before = Number(sessionStorage.getItem(KEY) ?? 0);
    if (Date.now() - before < AGAIN_AFTER_MS) return;
    // Only where the server answers: a reload without it would lose the page that is there.
    fetch("/", { method: "HEAD" }).then(
      () => {
        sessionStorage.setItem(KEY, String(Date.now()));
        window.location.reload();
      },
      () => undefined,
    );
  });
}
