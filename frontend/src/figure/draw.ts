/** Charts are drawn one after the other, with room for a frame between two, so that no update holds the page for long. */
type Draw = () => void;

const waiting = new Map<HTMLElement, Draw>();
let busy = false;

/** Draws into an element soon; a newer drawing of the same element takes the place of one that still waits. */
export function drawSoon(element: HTMLElement, draw: Draw): void {
  waiting.set(element, draw);
  if (busy) return;
  busy = true;
  setTimeout(next);
}

/** Forgets a drawing that still waits. */
export function drawNever(element: HTMLElement): void {
  waiting.delete(element);
}

function next(): void {
  const first = waiting.entries().next();
  if (first.done) {
    busy = false;
    return;
  }
  const [element, draw] = first.value;
  waiting.delete(element);
  try {
    draw();
  } finally {
    // A frame is painted before the next chart; a hidden tab has no frames, so a timer stands in.
    let gone = false;
    const go = () => {
      if (!gone) setTimeout(next);
      gone = true;
    };
    requestAnimationFrame(go);
    setTimeout(go, 100);
  }
}
