import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { decisions } from './testing/decisions/all.ts';
import { asJson } from './testing/decisions/decision.ts';
import { type DecisionVectors, decisionsFolder, vectorsOf } from './testing/decisionVectors.ts';

for (const decision of decisions) {
  describe(`the decision ${decision.name}`, () => {
    for (const { name, given, expected } of decision.cases) {
      it(name, () => {
        expect(asJson(decision.decide(given))).to.deep.equal(asJson(expected));
      });
    }
  });
}

describe('conformance/decisions', () => {
  it('has a file for each decision, and no other', () => {
    expect(readdirSync(decisionsFolder).sort()).to.deep.equal(decisions.map(({ name }) => `${name}.json`).sort());
  });

  for (const decision of decisions) {
    const file = readFileSync(new URL(`${decision.name}.json`, decisionsFolder), 'utf8');

    it(`holds the examples of ${decision.name}: run \`npm run conformance -w core\` after a change`, () => {
      expect(JSON.parse(file)).to.deep.equal(JSON.parse(vectorsOf(decision)));
    });

    it(`is met by ${decision.name}`, () => {
      for (const { name, given, then } of (JSON.parse(file) as DecisionVectors).cases) {
        expect(asJson(decision.decide(given as never)), name).to.deep.equal(then);
      }
    });
  }
});
