/** Writes `schemas/conformance/decisions`: the examples of the decisions as vectors for every language. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { decisions } from './decisions/all.ts';
import { decisionsFolder, vectorsOf } from './decisionVectors.ts';

mkdirSync(decisionsFolder, { recursive: true });
for (const name of readdirSync(decisionsFolder)) rmSync(new URL(name, decisionsFolder));
for (const decision of decisions) writeFileSync(new URL(`${decision.name}.json`, decisionsFolder), vectorsOf(decision));
