/** The page's search field: `/` goes to it, Esc clears it; what is typed reaches the caller after a short rest. */
import { Kbd, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { useState } from "react";

const FIELD = "page-search";

export function focusSearch(): void {
  document.getElementById(FIELD)?.focus();
}

interface SearchBoxProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
}

export function SearchBox({ label, value, onChange }: SearchBoxProps) {
  const [text, setText] = useState(value);
  const tell = useDebouncedCallback(onChange, 200);
  const set = (next: string) => {
    setText(next);
    tell(next);
  };
  return (
    <TextInput
      id={FIELD}
      type="search"
      aria-label={label}
      placeholder={label}
      value={text}
      onChange={(event) => set(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        set("");
        event.currentTarget.blur();
      }}
      leftSection={<IconSearch size={15} />}
      rightSection={text ? null : <Kbd size="xs">/</Kbd>}
      w={{ base: 170, sm: 250 }}
    />
  );
}
