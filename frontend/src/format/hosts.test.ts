import { expect, test } from "vitest";
import { isLoopback } from "./hosts";

test("a link to this very computer is told from one that others can open", () => {
  for (const host of ["127.0.0.1", "127.1.2.3", "localhost", "dropscope.localhost", "[::1]"])
    expect(isLoopback(host)).toBe(true);
  for (const host of ["10.0.0.5", "dropscope.example.org", "localhost.example.org", "1127.0.0.1"])
    expect(isLoopback(host)).toBe(false);
});
