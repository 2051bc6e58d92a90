/** One example of a decision: plain JSON, so that any language can run it. Undefined is null. */
export interface DecisionCase<Given> {
  readonly name: string;
  readonly given: Given;
  readonly expected: unknown;
}

/** A decision with its examples. They become `schemas/conformance/decisions/<name>.json`. */
export interface Decision<Given = never> {
  readonly name: string;
  /** What is given, and what is expected: for whoever implements it elsewhere. */
  readonly about: string;
  readonly cases: readonly DecisionCase<Given>[];
  /** Further examples, drawn at random: what is expected of them is what this implementation decides. */
  readonly more?: readonly Given[];
  decide(given: Given): unknown;
}

/** A decision whose `given` nobody needs to know. */
export type AnyDecision = Decision<never>;

/** As JSON has it: undefined is null, and what is left out stays out. */
export function asJson(value: unknown): unknown {
  return value === undefined ? null : JSON.parse(JSON.stringify(value));
}
