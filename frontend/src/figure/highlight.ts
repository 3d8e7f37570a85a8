/** The arm that a person points at, in whatever list: charts let the others recede. Lists mark rows with `data-arm`. */

type Listener = (arm: string | undefined) => void;

const listeners = new Set<Listener>();
let lit: string | undefined;

/** Is told which arm is pointed at, from now on; the returned function ends that. */
export function onLit(listener: Listener): () => void {
  if (listeners.size === 0) {
    document.addEventListener("pointerover", look);
    document.addEventListener("focusin", look);
  }
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    document.removeEventListener("pointerover", look);
    document.removeEventListener("focusin", look);
  };
}

function look({ target }: Event): void {
  const arm = target instanceof Element ? target.closest<HTMLElement>("[data-arm]")?.dataset.arm : undefined;
  if (arm === lit) return;
  lit = arm;
  for (const listener of listeners) listener(arm);
}

interface Drawn extends Element {
  __data__?: { trace?: { meta?: { arm?: string; role?: string } } }[];
}

/** Lets all traces of a chart recede but the arm's own and the baseline's grey lines; without an arm, none. */
export function light(chart: Element, arm: string | undefined): void {
  const traces = [...chart.querySelectorAll<Drawn & SVGElement>("g.trace")];
  const own = traces.some((trace) => armOf(trace)?.arm === arm);
  for (const trace of traces) {
    const meta = armOf(trace);
    const recedes = arm && own && meta?.arm && meta.arm !== arm && !meta.role?.startsWith("baseline");
    trace.style.opacity = recedes ? "0.15" : "";
  }
}

const armOf = (trace: Drawn) => trace.__data__?.[0]?.trace?.meta;
