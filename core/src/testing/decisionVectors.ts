import { type AnyDecision, asJson } from './decisions/decision.ts';

/** Where the vectors lie; their format is in the README of the folder above. */
export const decisionsFolder = new URL('../../../schemas/conformance/decisions/', import.meta.url);

export interface DecisionVectors {
  readonly about: string;
  readonly cases: readonly { readonly name: string; readonly given: unknown; readonly then: unknown }[];
}

/** The file of a decision: one `given` and one `then` a line, so that a change can be read. */
export function vectorsOf(decision: AnyDecision): string {
  const random = (decision.more ?? []).map((given, n) => ({
    name: `random ${n}`,
    given,
    expected: decision.decide(given),
  }));
  const cases = [...decision.cases, ...random].map(({ name, given, expected }) => {
    const lines = [`"name": ${JSON.stringify(name)}`, `"given": ${text(given)}`, `"then": ${text(expected)}`];
    return `    {\n      ${lines.join(',\n      ')}\n    }`;
  });
  return `{\n  "about": ${JSON.stringify(decision.about)},\n  "cases": [\n${cases.join(',\n')}\n  ]\n}\n`;
}

function text(value: unknown): string {
  return JSON.stringify(asJson(value));
}
