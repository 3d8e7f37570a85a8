/** The API's nouns by their short names; everything comes from the generated schema. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type StudySummary = Schemas["StudySummary"];
export type StudyDetail = Schemas["StudyDetail"];
export type StudySpec = Schemas["StudySpec"];
export type StudyPreview = Schemas["StudyPreview"];
export type StudyPatch = Schemas["StudyPatch"];
export type StudyExtend = Schemas["StudyExtend"];
export type ArmSpec = Schemas["ArmSpec"];
export type ArmOut = Schemas["ArmOut"];
export type RunSummary = Schemas["RunSummary"];
export type RunDetail = Schemas["RunDetail"];
export type RunStatus = RunSummary["status"];
export type RunMetrics = Schemas["RunMetrics"];
export type EventOut = Schemas["EventOut"];
export type LogLine = Schemas["LogLine"];
export type ArtifactOut = Schemas["ArtifactOut"];
export type Counts = StudySummary["counts"];
export type MethodCatalogue = Schemas["MethodCatalogue"];
export type MethodOut = Schemas["MethodOut"];
export type CellOut = Schemas["CellOut"];
export type ConsistencyOut = Schemas["ConsistencyOut"];
export type ModelFacts = Schemas["ModelFacts"];
export type DatasetFacts = Schemas["DatasetFacts"];
export type DatasetList = Schemas["DatasetList"];
export type Absent = Schemas["Absent"];
export type WorkerOut = Schemas["WorkerOut"];
export type Comparison = Schemas["Comparison"];
export type ArmComparison = Schemas["ArmComparison"];
export type Answer = Schemas["Answer"];
export type Difference = Schemas["Difference"];
export type Estimate = Schemas["Estimate"];
export type XAxis = Comparison["x"];
export type Band = Comparison["band"];
export type ErrorItem = Schemas["ErrorItem"];
export type ProblemDetails = Schemas["ProblemDetails"];
