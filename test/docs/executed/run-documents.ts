// The test of executing documents, quick or in full.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { temporaryFolder } from '../../temporary-folder.js';
import { documents, examples, headerOf, root, snippetsOf } from '../documents.js';
import { compileSnippets } from './compile.js';
import { Fixtures, fillCache } from './fixtures.js';
import { fillBin, perform, type Stage, type Tally } from './perform.js';
import { type Step, stepsOf } from './plan.js';

const options = { skip: existsSync(join(root, 'dist/index.js')) ? false : 'needs dist/: npm run build' };

/** Every document and every example's header with its steps. */
export function allSteps(): ReadonlyMap<string, readonly Step[]> {
  return new Map([
    ...documents.map((file): [string, Step[]] => [file, stepsOf(file, snippetsOf(file))]),
    ...examples.map((file): [string, Step[]] => [file, stepsOf(file, headerOf(file))]),
  ]);
}

/** One test a document, and one for compiling the programs. */
export async function runDocuments(full: boolean): Promise<void> {
  const all = allSteps();
  const set = full ? 'full' : 'quick';
  const folder = await temporaryFolder({ after });
  const stage: Stage = { folder, bin: join(folder, '.bin'), fixtures: new Fixtures(join(folder, '.made')), set, full };
  const outside = process.env.BOXWRIGHT_CACHE;
  process.env.BOXWRIGHT_CACHE = join(folder, '.cache');
  await fillBin(stage.bin);
  await fillCache(process.env.BOXWRIGHT_CACHE);
  after(() => {
    if (outside === undefined) delete process.env.BOXWRIGHT_CACHE;
    else process.env.BOXWRIGHT_CACHE = outside;
  });

  test('the TypeScript of the documents compiles', options, () => {
    const programs = [...all.values()].flat().filter(({ kind }) => kind === 'program');
    assert.ok(programs.length >= 3, 'there are some');
    assert.equal(compileSnippets(programs, set), '');
  });

  const sum: Tally = { executed: 0, substituted: 0, excepted: 0, left: 0, withoutPython: 0 };
  for (const [file, steps] of all) {
    // A document with nothing for this test is not worth a line.
    if (!steps.some(({ exception, slow }) => exception === undefined && (full || slow === undefined))) {
      for (const { exception } of steps) exception === undefined ? sum.left++ : sum.excepted++;
      continue;
    }
    test(`${file}: what it shows works`, options, async () => {
      assert.deepEqual(await perform(file, stage, sum, steps), []);
    });
  }
  test('every snippet was executed, excepted or left to the full test', options, (t) => {
    const { executed, substituted, excepted, left, withoutPython } = sum;
    const python = withoutPython > 0 ? `, ${withoutPython} skipped without BOXWRIGHT_PEERS_PYTHON` : '';
    const rest = full ? '' : `, ${left} left to the full test`;
    t.diagnostic(
      `${executed} executed, ${substituted} of them with substitutions; ${excepted} excepted${rest}${python}`,
    );
    assert.equal(executed + excepted + left + withoutPython, [...all.values()].flat().length);
  });
}
