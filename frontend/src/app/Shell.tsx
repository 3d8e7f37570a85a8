/** Header and frame around every page. */
import { ActionIcon, AppShell, Box, Group, Text, Tooltip, UnstyledButton } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconKeyboard, IconPlus } from "@tabler/icons-react";
import { Link, Outlet } from "@tanstack/react-router";
import { useMayChange } from "../api/accounts";
import { ButtonLink } from "../components/links";
import { useKeys } from "../components/keys";
import { AccountMenu } from "./AccountMenu";
import { KeyboardHelp } from "./KeyboardHelp";
import { Logo } from "../components/Logo";
import classes from "./Shell.module.css";
import { ThemeSwitch } from "./ThemeSwitch";
import { LiveDot } from "../live/LiveDot";

export function Shell() {
  const [help, { open, close }] = useDisclosure(false);
  const mayChange = useMayChange();
  useKeys({ "?": open });
  return (
    <AppShell header={{ height: 54 }} padding={0}>
      <a href="#main" className={classes.skip}>
        Skip to the content
      </a>
      <AppShell.Header className={classes.header}>
        <Group h="100%" px={{ base: "sm", sm: "lg" }} justify="space-between" wrap="nowrap">
          <Group gap="lg" wrap="nowrap">
            <UnstyledButton component={Link} to="/" className={classes.brand} aria-label="Dropscope, all studies">
              <Logo />
              <Text component="span" fw={650} fz={16} lts="-0.02em" visibleFrom="xs">
                Dropscope
              </Text>
            </UnstyledButton>
            <nav aria-label="Main">
              <Link to="/" className={classes.link} activeOptions={{ exact: true, includeSearch: false }}>
                Studies
              </Link>
              <Link to="/data" className={classes.link}>
                Data
              </Link>
              <Box component={Link} to="/api-docs" className={classes.link} visibleFrom="sm">
                API
              </Box>
            </nav>
          </Group>
          <Group gap={6} wrap="nowrap">
            <LiveDot />
            <Tooltip label="Keys (?)">
              <ActionIcon variant="subtle" color="gray" size="lg" onClick={open} aria-label="Keys" visibleFrom="sm">
                <IconKeyboard size={18} stroke={1.7} />
              </ActionIcon>
            </Tooltip>
            <ThemeSwitch />
            <AccountMenu />
            {mayChange && (
              <ButtonLink to="/new" size="xs" leftSection={<IconPlus size={15} />} ml={6} aria-label="New study">
                New
                <Box component="span" visibleFrom="xs">
                  &nbsp;study
                </Box>
              </ButtonLink>
            )}
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Main id="main" tabIndex={-1} className={classes.main}>
        <Outlet />
      </AppShell.Main>
      <KeyboardHelp opened={help} onClose={close} />
    </AppShell>
  );
}
