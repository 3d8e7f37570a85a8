/** The frame of the pages before one is signed in: a small card in the middle. */
import { Alert, Button, Center, Paper, Stack, Text, Title } from "@mantine/core";
import type { FormEvent, ReactNode } from "react";
import { sentence } from "../../api/problem";
import { Logo } from "../../components/Logo";

interface AccountFormProps {
  title: string;
  hint?: string;
  action: string;
  error: unknown;
  pending: boolean;
  onSubmit: () => void;
  children: ReactNode;
}

export function AccountForm({ title, hint, action, error, pending, onSubmit, children }: AccountFormProps) {
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <Center py={{ base: "lg", sm: 72 }} px="sm">
      <Paper p="xl" w="100%" maw={400} component="form" onSubmit={submit} aria-label={title}>
        <Stack gap="sm">
          <Logo size={36} />
          <div>
            <Title order={1}>{title}</Title>
            {hint && (
              <Text size="sm" c="dimmed">
                {hint}
              </Text>
            )}
          </div>
          {error !== null && (
            <Alert color="red" py="xs" role="alert">
              {sentence(error)}
            </Alert>
          )}
          {children}
          <Button type="submit" loading={pending} mt="xs">
            {action}
          </Button>
        </Stack>
      </Paper>
    </Center>
  );
}
