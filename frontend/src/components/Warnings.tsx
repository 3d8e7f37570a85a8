/** What a person should know first, a sentence a line; it stops nothing. */
import { Stack, Text } from "@mantine/core";
import classes from "./Warnings.module.css";

interface WarningsProps {
  /** Whose they are: "Warnings of SmolLM2". */
  label: string;
  sentences: string[];
  size?: "xs" | "sm";
  grave?: (sentence: string) => boolean;
}

export function Warnings({ label, sentences, size = "xs", grave }: WarningsProps) {
  if (sentences.length === 0) return null;
  return (
    <Stack gap={6} mt={size === "xs" ? 6 : 0} role="list" aria-label={label}>
      {sentences.map((sentence) => (
        <Text
          key={sentence}
          size={size}
          role="listitem"
          className={classes.warning}
          data-grave={grave?.(sentence) || undefined}
        >
          {sentence}
        </Text>
      ))}
    </Stack>
  );
}
