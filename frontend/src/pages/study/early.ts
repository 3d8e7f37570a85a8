/** Asks for what the study page shows while the page's own code is still on its way. */
import type { QueryClient } from "@tanstack/react-query";
import { comparison, figure, studyDetail } from "../../api/studies";
import { loadFigure } from "../../figure/FigureLater";
import { loadPlotly } from "../../figure/plotly";
import { lookOf, viewOf, type StudySearch } from "./search";

/** The charts above the tabs, in the order in which they are drawn. */
const ABOVE = ["differences", "ranking", "losses"];

export function askEarly(client: QueryClient, studyId: string, search: StudySearch): void {
  const view = viewOf(search);
  void client.prefetchQuery(studyDetail(studyId));
  void client.prefetchQuery(comparison(studyId, view));
  for (const name of ABOVE) void client.prefetchQuery(figure(studyId, name, view, lookOf(name, search)));
  loadFigure();
  loadPlotly().catch(() => undefined); // the figure that needs it says so
}
