import type { FoldCase } from './foldCase.ts';
import { foldCasesOfManyRuns } from './foldCasesOfManyRuns.ts';
import { foldCasesOfOneRun } from './foldCasesOfOneRun.ts';

/** The meaning of the state machine, by example. Written by hand; the conformance vectors are made from it. */
export const foldCases: readonly FoldCase[] = [...foldCasesOfOneRun, ...foldCasesOfManyRuns];
