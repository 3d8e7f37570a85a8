import "./app/styles";
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { reloadOnMissingChunk } from "./app/freshBuild";
import { makeQueryClient } from "./app/queryClient";
import { router } from "./app/router";
import { cssVariables, theme } from "./app/theme";

reloadOnMissingChunk();

const queryClient = makeQueryClient(() => {
  const { matches, location } = router.state;
  // Pages that need no account tell of a refusal themselves; while sign-in is on its way the old page still asks.
  if (location.pathname !== "/login" && matches.some((match) => match.routeId === "/inside"))
    void router.navigate({ to: "/login", search: { to: location.href } });
});

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
      <QueryClientProvider client={queryClient}>
        <Notifications position="bottom-right" />
        <RouterProvider router={router} context={{ queryClient }} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
