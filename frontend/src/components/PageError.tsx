/** What stands where a page cannot: a sentence, and the way on. */
import { Button, Container, Group } from "@mantine/core";
import { useRouter } from "@tanstack/react-router";
import { ButtonLink } from "./links";
import { isGone, sentence } from "../api/problem";
import { Notice } from "./Notice";

export function PageError({ error }: { error: unknown }) {
  const router = useRouter();
  const gone = isGone(error);
  return (
    <Container size="sm" py={48}>
      <Notice
        alert
        title={gone ? "It is not there any more" : "This page could not be shown"}
        actions={
          <Group mt="sm">
            {!gone && (
              <Button variant="default" onClick={() => void router.invalidate()}>
                Try again
              </Button>
            )}
            <ButtonLink to="/">All studies</ButtonLink>
          </Group>
        }
      >
        {sentence(error)}
      </Notice>
    </Container>
  );
}

export function NotFound() {
  return (
    <Container size="sm" py={48} component="main">
      <Notice
        title="Nothing lives at this address"
        actions={
          <ButtonLink to="/" mt="sm">
            All studies
          </ButtonLink>
        }
      >
        The link may be cut short, or what it led to was removed.
      </Notice>
    </Container>
  );
}
