/** The person's own settings: password, tokens; for admins the people of the workspace. */
import { Container, Skeleton, Stack, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { me } from "../../api/accounts";
import { AuditSection } from "./AuditSection";
import { PasswordSection } from "./PasswordSection";
import { TeamSection } from "./TeamSection";
import { TokenSection } from "./TokenSection";

export function SettingsPage() {
  useDocumentTitle("Settings · Dropscope");
  const { data: who } = useQuery(me);
  return (
    <Container size="md" py="lg">
      <Stack gap="md">
        <div>
          <Title order={1}>Settings</Title>
          <Text c="dimmed">
            {who &&
              (who.auth
                ? `${who.name}, ${who.email ?? ""} · ${who.role}`
                : "This server has no accounts: you are its owner.")}
          </Text>
        </div>
        {!who && <Skeleton height={240} radius="lg" />}
        {who?.auth && (
          <>
            <TokenSection />
            {who.role === "admin" && <TeamSection myself={who.user_id} />}
            {who.how === "session" && <PasswordSection />}
            {who.role === "admin" && <AuditSection />}
          </>
        )}
        {who && !who.auth && (
          <Text size="sm">
            Accounts, roles, API tokens and invitations come with <code>DROPSCOPE_AUTH=on</code>.
          </Text>
        )}
      </Stack>
    </Container>
  );
}
