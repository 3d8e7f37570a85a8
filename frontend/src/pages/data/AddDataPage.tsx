/** From a sent file to a data set: which column is what, what is held out, and what would become of it. */
import { Button, Container, Group, Paper, Skeleton, Stack, Text, TextInput, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { datasets } from "../../api/catalogue";
import { forgetUpload, uploadDetail, uploadPreview } from "../../api/datasets";
import { ApiProblem, sentence } from "../../api/problem";
import type { CommitPlan, DatasetPreview, UploadPreview } from "../../api/types";
import { Notice } from "../../components/Notice";
import { ButtonLink } from "../../components/links";
import { bytes } from "../../format/numbers";
import { problemAt } from "../compose/problems";
import { Columns } from "./Columns";
import { commit } from "./commit";
import { Found } from "./Found";
import { idFrom, type Plan } from "./plan";
import { SplitForm } from "./SplitForm";

const route = getRouteApi("/inside/data/add");

export function AddDataPage() {
  useDocumentTitle("New data set · Dropscope");
  const { upload, held } = route.useSearch();
  const sent = useQuery({
    ...uploadDetail(upload!),
    enabled: upload !== undefined,
    retry: false,
  });
  if (upload === undefined || sent.isError)
    return (
      <Container size="lg" py="lg">
        <Notice
          title="Send a file first"
          actions={
            <ButtonLink to="/data" mt="sm">
              Data sets
            </ButtonLink>
          }
        >
          {sent.isError ? sentence(sent.error) : "A data set is made of a file."}
        </Notice>
      </Container>
    );
  return (
    <Container size="lg" py="lg">
      <Stack gap="md">
        <div>
          <Title order={1}>New data set</Title>
          <Text c="dimmed">
            {sent.data ? `${sent.data.name}, ${bytes(sent.data.received)}` : "…"}. Nothing is stored before you add it.
          </Text>
        </div>
        {sent.data && <Form key={upload} uploadId={upload} name={sent.data.name} held={held} />}
      </Stack>
    </Container>
  );
}

function Form({ uploadId, name, held }: { uploadId: string; name: string; held: string | undefined }) {
  const navigate = route.useNavigate();
  const client = useQueryClient();
  const [plan, setPlan] = useState<Plan>({});
  const [id, setId] = useState(idFrom(name));
  const [licence, setLicence] = useState("");
  const asked: Plan = { ...plan, validation_upload_id: held };
  const preview = useQuery({
    ...uploadPreview(uploadId, asked as UploadPreview),
    placeholderData: keepPreviousData,
    retry: false,
  });
  const found = preview.data;
  const add = useMutation({
    mutationFn: async (seen: DatasetPreview) => {
      const { mapping, split, format, drop_repeats, validation_upload_id } = asked;
      const rest = { mapping, split, format, drop_repeats, validation_upload_id };
      return commit(uploadId, { ...rest, task: seen.task, id: id || null, ...(licence && { licence }) } as CommitPlan);
    },
    onSuccess: async (made) => {
      await client.invalidateQueries({ queryKey: datasets.queryKey, exact: true });
      void navigate({ to: "/data/$datasetId", params: { datasetId: made.id } });
    },
  });
  const leave = async () => {
    await Promise.allSettled([forgetUpload(uploadId), held ? forgetUpload(held) : undefined]);
    void navigate({ to: "/data" });
  };
  if (preview.isError && !found)
    return (
      <Notice
        alert
        title="This file cannot be read"
        actions={
          <Button mt="sm" variant="default" onClick={() => void leave()}>
            Choose another
          </Button>
        }
      >
        {sentence(preview.error)}
      </Notice>
    );
  if (!found) return <Skeleton height={420} radius="lg" aria-label="Reading the file" />;
  const refusal = add.error instanceof ApiProblem ? add.error.errors : [];
  return (
    <>
      <Columns plan={plan} found={found} onChange={setPlan} />
      <SplitForm
        plan={plan}
        found={found}
        held={held}
        onChange={setPlan}
        onHeld={(other) => void navigate({ search: { upload: uploadId, held: other }, replace: true })}
      />
      <Found found={found} plan={plan} onChange={setPlan} pending={preview.isFetching} />
      <Paper p="md" component="section" aria-label="Add it">
        <Group align="end" gap="sm">
          <TextInput
            label="Id"
            description="Studies name it by this"
            value={id}
            maxLength={60}
            onChange={(event) => setId(event.currentTarget.value)}
            error={problemAt(refusal, "/id")}
          />
          <TextInput
            label="Licence"
            description="Shown beside the data set"
            placeholder="not stated"
            value={licence}
            maxLength={200}
            onChange={(event) => setLicence(event.currentTarget.value)}
          />
          <Button
            loading={add.isPending}
            disabled={found.problems.length > 0 || preview.isFetching}
            onClick={() => add.mutate(found)}
          >
            Add the data set
          </Button>
          <Button variant="default" onClick={() => void leave()} disabled={add.isPending}>
            Discard the file
          </Button>
        </Group>
        {add.isError && (
          <Text c="var(--bad)" size="sm" mt="sm" role="alert">
            {sentence(add.error)}
          </Text>
        )}
      </Paper>
    </>
  );
}
