/** The path under which a proxy serves the product; the server writes it into the page. */
const META = 'meta[name="dropscope-root"]';

export const ROOT = (typeof document !== "undefined" && document.querySelector<HTMLMetaElement>(META)?.content) || "";

/** An address of this server, for links, streams and requests. */
export const at = (path: string) => ROOT + path;

/** The same with scheme and host, to be handed on. */
export const whole = (path: string) => location.origin + ROOT + path;
