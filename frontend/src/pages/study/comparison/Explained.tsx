/** What a chart shows, in two sentences, above it. */
import { Text } from "@mantine/core";
import type { ReactNode } from "react";

export function Explained({ children }: { children: ReactNode }) {
  return (
    <Text c="dimmed" size="sm" maw={760} mb="sm">
      {children}
    </Text>
  );
}
