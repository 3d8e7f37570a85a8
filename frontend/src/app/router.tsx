/** The pages by address. Each page is a chunk of its own; the address holds the whole view. */
import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { loginSearch } from "../pages/account/search";
import { composeSearch } from "../pages/compose/search";
import { addSearch } from "../pages/data/search";
import { homeSearch } from "../pages/home/search";
import { runSearch } from "../pages/run/search";
import { askEarly } from "../pages/study/early";
import { studySearch } from "../pages/study/search";
import { NotFound, PageError } from "../components/PageError";
import { PublicShell } from "./PublicShell";
import { Shell } from "./Shell";
import { ROOT } from "../api/root";

interface Around {
  queryClient: QueryClient;
}

const root = createRootRouteWithContext<Around>()({ notFoundComponent: NotFound, errorComponent: PageError });
const inside = createRoute({ getParentRoute: () => root, id: "inside", component: Shell });
const open = createRoute({ getParentRoute: () => root, id: "open", component: PublicShell });

const home = createRoute({
  getParentRoute: () => inside,
  path: "/",
  validateSearch: homeSearch,
  component: lazyRouteComponent(() => import("../pages/home/HomePage"), "HomePage"),
});

const compose = createRoute({
  getParentRoute: () => inside,
  path: "/new",
  validateSearch: composeSearch,
  component: lazyRouteComponent(() => import("../pages/compose/ComposePage"), "ComposePage"),
});

const study = createRoute({
  getParentRoute: () => inside,
  path: "/studies/$studyId",
  validateSearch: studySearch,
  loaderDeps: ({ search }) => search,
  loader: ({ params, deps, context }) => askEarly(context.queryClient, params.studyId, deps),
  component: lazyRouteComponent(() => import("../pages/study/StudyPage"), "StudyPage"),
});

const report = createRoute({
  getParentRoute: () => inside,
  path: "/studies/$studyId/report",
  component: lazyRouteComponent(() => import("../pages/report/ReportPage"), "ReportPage"),
});

const run = createRoute({
  getParentRoute: () => inside,
  path: "/runs/$runId",
  validateSearch: runSearch,
  component: lazyRouteComponent(() => import("../pages/run/RunPage"), "RunPage"),
});

const data = createRoute({
  getParentRoute: () => inside,
  path: "/data",
  component: lazyRouteComponent(() => import("../pages/data/DataPage"), "DataPage"),
});
const addData = createRoute({
  getParentRoute: () => inside,
  path: "/data/add",
  validateSearch: addSearch,
  component: lazyRouteComponent(() => import("../pages/data/AddDataPage"), "AddDataPage"),
});
const dataset = createRoute({
  getParentRoute: () => inside,
  path: "/data/$datasetId",
  component: lazyRouteComponent(() => import("../pages/data/DatasetPage"), "DatasetPage"),
});

const apiDocs = createRoute({
  getParentRoute: () => inside,
  path: "/api-docs",
  component: lazyRouteComponent(() => import("../pages/docs/ApiPage"), "ApiPage"),
});

const settings = createRoute({
  getParentRoute: () => inside,
  path: "/settings",
  component: lazyRouteComponent(() => import("../pages/account/SettingsPage"), "SettingsPage"),
});

const login = createRoute({
  getParentRoute: () => open,
  path: "/login",
  validateSearch: loginSearch,
  component: lazyRouteComponent(() => import("../pages/account/LoginPage"), "LoginPage"),
});

const join = () => import("../pages/account/JoinPage");
const setup = createRoute({
  getParentRoute: () => open,
  path: "/setup",
  component: lazyRouteComponent(join, "JoinPage"),
});
const invite = createRoute({
  getParentRoute: () => open,
  path: "/invite",
  component: lazyRouteComponent(join, "JoinPage"),
});

const shared = createRoute({
  getParentRoute: () => open,
  path: "/s/$secret",
  validateSearch: studySearch,
  component: lazyRouteComponent(() => import("../pages/shared/SharedPage"), "SharedPage"),
});

export const router = createRouter({
  routeTree: root.addChildren([
    inside.addChildren([home, compose, study, report, run, data, addData, dataset, apiDocs, settings]),
    open.addChildren([login, setup, invite, shared]),
  ]),
  basepath: ROOT || "/",
  defaultPreload: "intent",
  defaultErrorComponent: PageError,
  defaultNotFoundComponent: NotFound,
  scrollRestoration: true,
  context: { queryClient: undefined! },
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
