import { expect, test } from "vitest";
import { ApiProblem, sentence, unwrap } from "./problem";

const response = (status: number) => ({ ok: status < 400, status }) as Response;

test("an answer is its data; a problem is thrown with its places", () => {
  expect(unwrap({ data: 7, response: response(200) })).toBe(7);
  const body = { detail: "unknown model", code: "invalid_input", errors: [{ pointer: "/model", detail: "unknown" }] };
  try {
    unwrap({ error: body, response: response(422) });
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(ApiProblem);
    expect(error).toMatchObject({ status: 422, message: "unknown model", errors: body.errors });
  }
});

test("a refusal without a body still says something", () => {
  expect(() => unwrap({ error: "<html>", response: response(502) })).toThrow("The server answered with 502.");
  expect(sentence(new TypeError("Failed to fetch"))).toContain("cannot be reached");
});
