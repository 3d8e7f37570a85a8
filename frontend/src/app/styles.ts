/** Mantine's style sheets in a layer below the page's own: a rule of a page wins whatever file is loaded first. */
import "@mantine/core/styles.layer.css";
import "@mantine/notifications/styles.layer.css";
import "./global.css";
