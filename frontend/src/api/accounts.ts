/** Who is asking and what they may do; the people of the workspace, their invitations, tokens and traces. */
import { infiniteQueryOptions, queryOptions, useQuery } from "@tanstack/react-query";
import { api } from "./client";
import { unwrap } from "./problem";
import type { components } from "./schema";
import type { Role } from "./types";

type Schemas = components["schemas"];

export const me = queryOptions({
  queryKey: ["me"],
  queryFn: async ({ signal }) => unwrap(await api.GET("/api/v1/me", { signal })),
  staleTime: 60_000,
});

/** Whether the person may queue and change studies; a viewer reads. `known`: false where nobody has signed in. */
export function useMayChange(known = true): boolean {
  const { data } = useQuery({ ...me, enabled: known });
  return data !== undefined && data.role !== "viewer";
}

export const signIn = async (body: Schemas["Login"]) => unwrap(await api.POST("/api/v1/auth/login", { body }));

export const signOut = async () => unwrap(await api.POST("/api/v1/auth/logout"));

/** The first account, by the server's set-up link. */
export const setUp = async (body: Schemas["NewAccount"]) => unwrap(await api.POST("/api/v1/auth/setup", { body }));

export const changePassword = async (body: Schemas["PasswordChange"]) =>
  unwrap(await api.POST("/api/v1/auth/password", { body }));

export const users = queryOptions({
  queryKey: ["users"],
  queryFn: async ({ signal }) => unwrap(await api.GET("/api/v1/users", { signal })).items,
});

export const changeUser = async ({ id, ...body }: { id: string; role?: Role; active?: boolean }) =>
  unwrap(await api.PATCH("/api/v1/users/{user_id}", { params: { path: { user_id: id } }, body }));

export const invitations = queryOptions({
  queryKey: ["invitations"],
  queryFn: async ({ signal }) => unwrap(await api.GET("/api/v1/invitations", { signal })).items,
});

export const invite = async (body: { role: Role; name: string | null }) =>
  unwrap(await api.POST("/api/v1/invitations", { body }));

export const acceptInvitation = async (body: Schemas["NewAccount"]) =>
  unwrap(await api.POST("/api/v1/invitations/accept", { body }));

export const revokeInvitation = async (id: string) =>
  unwrap(await api.DELETE("/api/v1/invitations/{invitation_id}", { params: { path: { invitation_id: id } } }));

export const tokens = queryOptions({
  queryKey: ["tokens"],
  queryFn: async ({ signal }) => unwrap(await api.GET("/api/v1/tokens", { signal })).items,
});

export const makeToken = async (body: Schemas["TokenCreate"]) => unwrap(await api.POST("/api/v1/tokens", { body }));

export const revokeToken = async (id: string) =>
  unwrap(await api.DELETE("/api/v1/tokens/{token_id}", { params: { path: { token_id: id } } }));

export interface AuditFilter {
  user_id?: string | undefined;
  action?: string | undefined;
}

const auditPage = async (filter: AuditFilter, cursor: string | undefined, limit: number, signal?: AbortSignal) =>
  unwrap(await api.GET("/api/v1/audit", { params: { query: { ...filter, limit, cursor } }, signal: signal ?? null }));

/** Who did what, the newest first. */
export const auditLog = (filter: AuditFilter) =>
  infiniteQueryOptions({
    queryKey: ["audit", filter],
    queryFn: ({ pageParam, signal }) => auditPage(filter, pageParam, 20, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    refetchInterval: 10_000,
  });

/** Every entry that a filter lets through. */
export async function wholeAuditLog(filter: AuditFilter): Promise<Schemas["AuditOut"][]> {
  const entries: Schemas["AuditOut"][] = [];
  let cursor: string | undefined;
  do {
    const page = await auditPage(filter, cursor, 200);
    entries.push(...page.items);
    cursor = page.next_cursor ?? undefined;
  } while (cursor);
  return entries;
}
