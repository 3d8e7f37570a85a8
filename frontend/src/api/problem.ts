/** Errors of the API (RFC 9457) as one error class with a sentence for a person. */
import type { ErrorItem, ProblemDetails } from "./types";

export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly errors: ErrorItem[];
  readonly requestId: string | undefined;

  constructor(status: number, body: Partial<ProblemDetails>) {
    super(body.detail ?? body.title ?? `The server answered with ${status}.`);
    this.name = "ApiProblem";
    this.status = status;
    this.code = body.code ?? "error";
    this.errors = body.errors ?? [];
    this.requestId = body.request_id;
  }
}

/** Whether the server says that there is no such thing, or no longer. */
export function isGone(error: unknown): boolean {
  return error instanceof ApiProblem && error.status === 404;
}

/** What to tell a person about any error. */
export function sentence(error: unknown): string {
  if (error instanceof ApiProblem) return error.message;
  if (error instanceof TypeError) return "The server cannot be reached. Training goes on without this page; try again.";
  return error instanceof Error ? error.message : "Something went wrong.";
}

interface Answered<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The data of an answer, or an ApiProblem thrown. */
export function unwrap<T>({ data, error, response }: Answered<T>): T {
  if (error !== undefined || !response.ok) {
    const body = typeof error === "object" && error !== null ? (error as Partial<ProblemDetails>) : {};
    throw new ApiProblem(response.status, body);
  }
  return data as T;
}
