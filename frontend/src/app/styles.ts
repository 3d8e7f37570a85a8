/** Mantine's style sheets, then what this page changes about them. */
import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "./global.css";
