// What README, docs/ and the headers of the examples show is executed, in folders where the files that they name are.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { languages, settingsUsed, used } from './executed/plan.js';
import * as rules from './executed/rules.js';
import { allSteps, runDocuments } from './executed/run-documents.js';

test('every rule and exception is needed', () => {
  allSteps();
  const { substitutions, optionRules, exceptions, slow, quickAllTheSame, shownOutputs } = rules;
  const unused = [substitutions, optionRules, exceptions, slow, quickAllTheSame, shownOutputs]
    .flat()
    .filter((rule) => !used.has(rule));
  assert.deepEqual(unused, []);
  assert.deepEqual(
    Object.keys(rules.otherLanguages).filter((language) => !languages.has(language)),
    [],
  );
  assert.deepEqual(
    Object.keys(rules.withSettings).filter((name) => !settingsUsed.has(name)),
    [],
  );
});

await runDocuments(false);
