/** What a page says when there is nothing to show, or something went wrong: a sentence and the next action. */
import { Paper, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";

interface NoticeProps {
  title: string;
  children: ReactNode;
  icon?: ReactNode;
  actions?: ReactNode;
  alert?: boolean;
}

export function Notice({ title, children, icon, actions, alert }: NoticeProps) {
  return (
    <Paper p={{ base: "lg", sm: 40 }} role={alert ? "alert" : undefined}>
      <Stack align="center" gap="xs" ta="center" maw={560} mx="auto">
        {icon}
        <Title order={2}>{title}</Title>
        <Text c="dimmed" component="div">
          {children}
        </Text>
        {actions}
      </Stack>
    </Paper>
  );
}
