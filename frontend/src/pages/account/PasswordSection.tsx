/** Changing one's own password. */
import { Button, Group, Paper, PasswordInput, Text, Title } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { changePassword } from "../../api/accounts";
import { tell, tellError } from "../../components/tell";

export function PasswordSection() {
  const [old, setOld] = useState("");
  const [fresh, setFresh] = useState("");
  const change = useMutation({
    mutationFn: () => changePassword({ old, new: fresh }),
    onSuccess: () => {
      setOld("");
      setFresh("");
      tell("The password is changed; your other sessions and all your tokens have ended.");
    },
    onError: tellError,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change.mutate();
  };
  return (
    <Paper p="md" component="section" aria-label="Password">
      <Title order={2} mb="xs">
        Password
      </Title>
      <Text size="sm" c="dimmed" mb="xs">
        A new password ends all your other sessions and all your tokens, with the share links that tokens made.
      </Text>
      <Group component="form" onSubmit={submit} align="end" gap="sm">
        <PasswordInput
          size="xs"
          w={200}
          label="Current password"
          autoComplete="current-password"
          required
          value={old}
          onChange={(event) => setOld(event.currentTarget.value)}
        />
        <PasswordInput
          size="xs"
          w={200}
          label="New password"
          autoComplete="new-password"
          required
          value={fresh}
          onChange={(event) => setFresh(event.currentTarget.value)}
        />
        <Button size="xs" type="submit" loading={change.isPending}>
          Change it
        </Button>
      </Group>
    </Paper>
  );
}
