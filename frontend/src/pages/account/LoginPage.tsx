/** Signing in. */
import { PasswordInput, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { useState } from "react";
import { me, signIn } from "../../api/accounts";
import { AccountForm } from "./AccountForm";

const route = getRouteApi("/open/login");

export function LoginPage() {
  const { to } = route.useSearch();
  const router = useRouter();
  const client = useQueryClient();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const login = useMutation({
    mutationFn: () => signIn({ email, password }),
    onSuccess: (who) => {
      client.clear();
      client.setQueryData(me.queryKey, who);
      router.history.push(to ?? "/");
    },
  });
  return (
    <AccountForm
      title="Sign in"
      action="Sign in"
      error={login.error}
      pending={login.isPending}
      onSubmit={() => login.mutate()}
    >
      <TextInput
        label="E-mail"
        type="email"
        autoComplete="username"
        required
        withAsterisk={false}
        value={email}
        onChange={(event) => setEmail(event.currentTarget.value)}
      />
      <PasswordInput
        label="Password"
        autoComplete="current-password"
        required
        withAsterisk={false}
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
      />
    </AccountForm>
  );
}
