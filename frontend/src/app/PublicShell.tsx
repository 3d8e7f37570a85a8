/** The frame around pages that need no account: the mark, the colour scheme, nothing else. */
import { AppShell, Group, Text } from "@mantine/core";
import { Outlet } from "@tanstack/react-router";
import { LiveDot } from "../live/LiveDot";
import { Logo } from "../components/Logo";
import classes from "./Shell.module.css";
import { ThemeSwitch } from "./ThemeSwitch";

export function PublicShell() {
  return (
    <AppShell header={{ height: 54 }} padding={0}>
      <AppShell.Header className={classes.header}>
        <Group h="100%" px={{ base: "sm", sm: "lg" }} justify="space-between" wrap="nowrap">
          <span className={classes.brand}>
            <Logo />
            <Text component="span" fw={650} fz={16} lts="-0.02em">
              Dropscope
            </Text>
          </span>
          <Group gap={6} wrap="nowrap">
            <LiveDot />
            <ThemeSwitch />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Main id="main" className={classes.main}>
        <Outlet />
      </AppShell.Main>
    </AppShell>
  );
}
