/** The study's name as its heading; click or Enter edits it in place. */
import { TextInput, Title, UnstyledButton } from "@mantine/core";
import { IconPencil } from "@tabler/icons-react";
import { useState } from "react";
import { useMayChange } from "../../api/accounts";
import type { StudyDetail } from "../../api/types";
import classes from "./StudyName.module.css";
import { useStudyChanges } from "./useStudyChanges";

export function StudyName({ study }: { study: StudyDetail }) {
  const [draft, setDraft] = useState<string>();
  const { update } = useStudyChanges(study.id);
  const mayChange = useMayChange();
  const keep = () => {
    const name = draft?.trim();
    setDraft(undefined);
    if (name && name !== study.name) update.mutate({ name });
  };
  if (draft !== undefined)
    return (
      <TextInput
        aria-label="Name of the study"
        value={draft}
        maxLength={200}
        autoFocus
        onChange={(event) => setDraft(event.currentTarget.value)}
        onBlur={keep}
        onKeyDown={(event) => {
          if (event.key === "Enter") keep();
          if (event.key === "Escape") setDraft(undefined);
        }}
        classNames={{ input: classes.input }}
      />
    );
  const title = (
    <Title order={1} className={classes.title} dir="auto">
      {study.name}
    </Title>
  );
  if (!mayChange) return title;
  return (
    <UnstyledButton className={classes.name} onClick={() => setDraft(study.name)} title="Rename">
      {title}
      <IconPencil size={15} className={classes.pencil} aria-label="Rename" />
    </UnstyledButton>
  );
}
