/** Share links of a study: make one (shown once), see how often each was opened, take them back. */
import { Button, Checkbox, Group, Modal, NumberInput, SegmentedControl, Stack, Table, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { makeShare, revokeShare, studyShares } from "../../api/shares";
import type { ShareOut } from "../../api/types";
import { count } from "../../format/numbers";
import { moment } from "../../format/times";
import { isLoopback } from "../../format/hosts";
import { CopyText } from "../../components/CopyText";
import { tellError } from "../../components/tell";
import { whole } from "../../api/root";

interface ShareDialogProps {
  studyId: string;
  opened: boolean;
  onClose: () => void;
}

export function ShareDialog({ studyId, opened, onClose }: ShareDialogProps) {
  const [mode, setMode] = useState<"frozen" | "live">("frozen");
  const [days, setDays] = useState<number | string>(7);
  const [author, setAuthor] = useState(false);
  const [report, setReport] = useState(false);
  /** The link that is shown, for as long as it works. */
  const [made, setMade] = useState<string>();
  const client = useQueryClient();
  const make = useMutation({
    mutationFn: () =>
      makeShare({ study_id: studyId, mode, expires_in_days: Number(days), show_author: author, show_report: report }),
    onSuccess: (share) => {
      setMade(share.id);
      return client.invalidateQueries({ queryKey: studyShares(studyId).queryKey });
    },
    onError: tellError,
  });
  const close = () => {
    make.reset();
    onClose();
  };
  return (
    <Modal opened={opened} onClose={close} title="Share this study" size="lg" centered>
      <Stack gap="md">
        <Text size="sm" c="dimmed">
          Whoever has the link reads answers, charts, table and set-up, without an account. No rows of the data, no
          logs, no names unless you choose so.
        </Text>
        <Group align="end" gap="md">
          <SegmentedControl
            aria-label="What the link shows"
            size="xs"
            value={mode}
            onChange={(value) => setMode(value === "live" ? "live" : "frozen")}
            data={[
              { value: "frozen", label: "As it is now" },
              { value: "live", label: "As it goes on" },
            ]}
          />
          <NumberInput size="xs" w={110} label="Valid for days" min={1} max={90} value={days} onChange={setDays} />
          <Checkbox
            size="xs"
            mb={8}
            label="Show my name"
            checked={author}
            onChange={({ currentTarget }) => setAuthor(currentTarget.checked)}
          />
          <Checkbox
            size="xs"
            mb={8}
            label="With its report"
            checked={report}
            onChange={({ currentTarget }) => setReport(currentTarget.checked)}
          />
          <Button size="xs" loading={make.isPending} onClick={() => make.mutate()}>
            Make a link
          </Button>
        </Group>
        {make.data && made === make.data.id && (
          <div role="status">
            <Text size="sm" mb={4}>
              Copy it now; it is not shown again.
            </Text>
            <CopyText text={whole(make.data.path)} label="Share link" />
            {isLoopback(location.hostname) && (
              <Text size="xs" c="var(--warn)" mt={6}>
                This address is this computer’s own: nobody else can open it. Serve Dropscope under a name that others
                reach (docs/deployment.md), open it there, and make the link again.
              </Text>
            )}
          </div>
        )}
        <Links studyId={studyId} onRevoked={(id) => id === made && setMade(undefined)} />
      </Stack>
    </Modal>
  );
}

function Links({ studyId, onRevoked }: { studyId: string; onRevoked: (id: string) => void }) {
  const client = useQueryClient();
  const { data } = useQuery(studyShares(studyId));
  const revoke = useMutation({
    mutationFn: revokeShare,
    onSuccess: (_done, id) => {
      onRevoked(id);
      return client.invalidateQueries({ queryKey: studyShares(studyId).queryKey });
    },
    onError: tellError,
  });
  const open = data?.filter((share) => share.revoked_at === null) ?? [];
  if (open.length === 0) return null;
  return (
    <Table>
      <Table.Tbody>
        {open.map((share) => (
          <Table.Tr key={share.id}>
            <Table.Td>{inWords(share)}</Table.Td>
            <Table.Td ta="right">
              <Button size="compact-xs" variant="light" color="red" onClick={() => revoke.mutate(share.id)}>
                Revoke
              </Button>
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function inWords(share: ShareOut): string {
  const what =
    share.mode === "frozen" ? `Frozen ${moment(share.created_at)}` : `Live, made ${moment(share.created_at)}`;
  return `${what} · until ${moment(share.expires_at)} · opened ${count(share.views, "time")}`;
}
