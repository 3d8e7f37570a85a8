/** The typed client: paths, parameters and answers are checked against the committed OpenAPI schema. */
import createClient from "openapi-fetch";
import { whole } from "./root";
import type { paths } from "./schema";

export const api = createClient<paths>({ baseUrl: typeof location === "undefined" ? "" : whole("") });
