/** The pages by address. Each page is a chunk of its own; the address holds the whole view. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { Shell } from "./Shell";
import { NotFound, PageError } from "./PageError";
import { homeSearch } from "../pages/home/search";
import { composeSearch } from "../pages/compose/search";
import { runSearch } from "../pages/run/search";
import { studySearch } from "../pages/study/search";

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: PageError });

export const homeRoute = createRoute({
  getParentRoute: () => root,
  path: "/",
  validateSearch: homeSearch,
  component: lazyRouteComponent(() => import("../pages/home/HomePage"), "HomePage"),
});

export const composeRoute = createRoute({
  getParentRoute: () => root,
  path: "/new",
  validateSearch: composeSearch,
  component: lazyRouteComponent(() => import("../pages/compose/ComposePage"), "ComposePage"),
});

export const studyRoute = createRoute({
  getParentRoute: () => root,
  path: "/studies/$studyId",
  validateSearch: studySearch,
  component: lazyRouteComponent(() => import("../pages/study/StudyPage"), "StudyPage"),
});

export const reportRoute = createRoute({
  getParentRoute: () => root,
  path: "/studies/$studyId/report",
  component: lazyRouteComponent(() => import("../pages/report/ReportPage"), "ReportPage"),
});

export const runRoute = createRoute({
  getParentRoute: () => root,
  path: "/runs/$runId",
  validateSearch: runSearch,
  component: lazyRouteComponent(() => import("../pages/run/RunPage"), "RunPage"),
});

export const router = createRouter({
  routeTree: root.addChildren([homeRoute, composeRoute, studyRoute, reportRoute, runRoute]),
  defaultPreload: "intent",
  defaultErrorComponent: PageError,
  defaultNotFoundComponent: NotFound,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
