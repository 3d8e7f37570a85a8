/** HTML that the server made from Markdown without raw HTML, pictures or scripts. */
import classes from "./ReportPage.module.css";

export function Prose({ html }: { html: string }) {
  return <div className={classes.prose} dir="auto" dangerouslySetInnerHTML={{ __html: html }} />;
}
