import { expect, test } from "vitest";
import type { AuditOut } from "../../api/types";
import { asCsv } from "./AuditSection";

test("the log as CSV quotes what it must and holds no formula", () => {
  const entry = {
    at: "2026-01-01T00:00:00Z",
    user_name: '=HYPERLINK("x")',
    user_id: null,
    credential: null,
    action: "users_update",
    object_id: "user_1",
    outcome: 200,
    ip: "127.0.0.1",
    detail: { whom: "Grace", role: "from viewer to member" },
  } as unknown as AuditOut;
  const [head, line] = asCsv([entry]).split("\r\n");
  expect(head).toBe("at,user_name,user_id,credential,action,object_id,outcome,ip,detail");
  expect(line).toBe(
    `2026-01-01T00:00:00Z,"'=HYPERLINK(""x"")",,,users_update,user_1,200,127.0.0.1,"whom Grace, role from viewer to member"`,
  );
});
