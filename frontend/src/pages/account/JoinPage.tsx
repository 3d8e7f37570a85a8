/** Making an account by the server's set-up link or an invitation; the secret follows # in the address. */
import { Container, PasswordInput, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useLocation, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { acceptInvitation, me, setUp } from "../../api/accounts";
import { ApiProblem } from "../../api/problem";
import { ButtonLink } from "../../components/links";
import { Notice } from "../../components/Notice";
import { problemAt } from "../compose/problems";
import { AccountForm } from "./AccountForm";

export function JoinPage() {
  const location = useLocation();
  const first = location.pathname === "/setup";
  const navigate = useNavigate();
  const client = useQueryClient();
  const [account, setAccount] = useState({ name: "", email: "", password: "" });
  const join = useMutation({
    mutationFn: () => (first ? setUp : acceptInvitation)({ ...account, secret: location.hash }),
    onSuccess: (who) => {
      client.clear();
      client.setQueryData(me.queryKey, who);
      void navigate({ to: "/" });
    },
  });
  const problems = join.error instanceof ApiProblem ? join.error.errors : [];
  const field = (name: keyof typeof account) => ({
    value: account[name],
    required: true,
    withAsterisk: false,
    error: problemAt(problems, `/${name}`),
    onChange: (event: { currentTarget: HTMLInputElement }) =>
      setAccount({ ...account, [name]: event.currentTarget.value }),
  });
  if (join.error instanceof ApiProblem && join.error.status === 401)
    return (
      <Container size="xs" py={60}>
        <Notice
          alert
          title="This link does not work any more"
          actions={
            <ButtonLink to="/login" variant="default" mt="sm">
              Sign in
            </ButtonLink>
          }
        >
          It was used, has expired, or was revoked. If you made your account with it, sign in; else ask who sent it for
          a new one.
        </Notice>
      </Container>
    );
  return (
    <AccountForm
      title={first ? "Set up Dropscope" : "Join Dropscope"}
      hint={first ? "The first account is the admin's." : "Make your account; the link works once."}
      action="Make the account"
      error={join.error}
      pending={join.isPending}
      onSubmit={() => join.mutate()}
    >
      <TextInput label="Name" autoComplete="name" {...field("name")} />
      <TextInput label="E-mail" type="email" autoComplete="username" {...field("email")} />
      <PasswordInput
        label="Password"
        description="At least 10 characters"
        autoComplete="new-password"
        {...field("password")}
      />
    </AccountForm>
  );
}
