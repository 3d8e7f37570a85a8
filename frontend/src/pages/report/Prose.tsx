/** HTML that the server made from Markdown without raw HTML, pictures or scripts. */
import { Typography } from "@mantine/core";
import classes from "./ReportPage.module.css";

export function Prose({ html }: { html: string }) {
  return (
    <Typography className={classes.prose} dir="auto">
      <div dangerouslySetInnerHTML={{ __html: html }} />
    </Typography>
  );
}
