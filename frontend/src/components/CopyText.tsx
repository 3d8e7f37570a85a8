/** A block of code with a button that copies it. */
import { ActionIcon, Box, Code, CopyButton, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";

export function CopyText({ text, label, height = 320 }: { text: string; label: string; height?: number }) {
  return (
    <Box pos="relative">
      <Code block mah={height} tabIndex={0} role="region" aria-label={label} style={{ overflow: "auto" }}>
        {text}
      </Code>
      <CopyButton value={text} timeout={1500}>
        {({ copied, copy }) => (
          <Tooltip label={copied ? "Copied" : "Copy"}>
            <ActionIcon
              variant="default"
              size="sm"
              pos="absolute"
              top={8}
              right={8}
              onClick={copy}
              aria-label={copied ? `${label} copied` : `Copy ${label}`}
            >
              {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </Box>
  );
}
