/** Why a request gave no result: a reason that a person can act on. */
export type FailureKind = "no connection" | "too late" | "unpaired" | "refused" | "failed";

export class Failure extends Error {
  constructor(
    readonly kind: FailureKind,
    /** From the daemon, in its own words; empty when it said nothing. */
    readonly detail: string,
    readonly problems: readonly string[] = [],
  ) {
    super(detail || kind);
  }
}

/** Reads the daemon's `application/problem+json`. */
export async function failureOf(response: Response): Promise<Failure> {
  const body = await response.json().catch(() => null);
  const said = (body && typeof body === "object" ? body : {}) as Record<string, unknown>;
  const problems = Array.isArray(said.problems) ? said.problems.map(asText) : [];
  const detail = asText(said.detail ?? said.title ?? `${response.status} ${response.statusText}`);
  return new Failure(kindOf(response.status), detail, problems);
}

function kindOf(status: number): FailureKind {
  if (status === 401) return "unpaired";
  return status >= 500 ? "failed" : "refused";
}

function asText(value: unknown): string {
  if (typeof value === "string") return value;
  if (value && typeof value === "object" && "message" in value) return String(value.message);
  return JSON.stringify(value);
}
