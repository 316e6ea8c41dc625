// Options that would be ignored are refused, and those of the project's settings are left out.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { nameOf, UsageError } from '../../src/cli/command.js';
import { commands } from '../../src/cli/commands.js';
import { parseLine } from '../../src/cli/parser.js';
import { temporaryFolder } from '../temporary-folder.js';

const folder = await temporaryFolder({ after });
const argumentsOf = async (line: string) => (await parseLine(line.split(' '), commands, folder))!.args;

const judged = 'eval --detections a.json --truth t.json';
const refused: readonly (readonly [line: string, message: string])[] = [
  ['eval m --data d --truth t.json', '--truth needs --detections: it stands beside the results to judge.'],
  ['eval m --data d --against b.json', '--against needs --detections: it stands beside the results to judge.'],
  ['eval --detections a.json', '--detections needs --truth: that is what they are judged by.'],
  ...[
    ...['--data d', '--format coco', '--pictures p', '--first-pixel 0', '--box-order yxyx', '--part val'],
    ...['--results r.json', '--force', '--batch 2', '--stage 1', '--model m', '--classes a,b', '--tta', '--tta-flip'],
    ...['--tta-scales 1,2', '--provider cpu', '--threads 2'],
  ].map(
    (option) =>
      [`${judged} ${option}`, `${option.split(' ')[0]} does not go with --detections: no model is run.`] as const,
  ),
  [`${judged.replace('eval', 'eval runs/cells')}`, '<source> does not go with --detections: no model is run.'],
  ['eval m --data d --force', '--force needs --results: nothing else is written.'],
  [
    `${judged} --against b.json --agnostic`,
    '--against does not go with --agnostic: what is compared is the mean over classes.',
  ],
  [
    `${judged} --plus-one --metrics tide,lrp`,
    '--plus-one needs --metrics voc07 or --metrics voc10: no other metric has it.',
  ],
  ['data d --to voc', '--to needs --fix: that is the folder of the repaired copy.'],
  ['data d --limit 3', '--limit needs --sheet: it is the number of pictures there.'],
  ['data d --seed 3 --sheet s.html', '--seed needs --preview: nothing else is random.'],
  ['data d --force', '--force needs --sheet or --preview: nothing else is ever replaced.'],
  ['data d --all --json', '--all does not go with --json: that has every problem anyway.'],
  ['detect m p --format voc', '--format needs --out: that is the file or folder to write.'],
  ['detect m p --ground-truth t.json', '--ground-truth needs --format coco: no other format has ids.'],
  ['detect m p --force', '--force needs --out or --draw: nothing else is written.'],
  ['convert a b --link', '--link needs --to: it is for data sets, which are written in the format of that name.'],
  [
    'convert a b --format coco',
    '--format needs --to: it is for data sets, which are written in the format of that name.',
  ],
  ['convert a b --to voc --force', '--force does not go with --to: nothing of a data set is ever replaced.'],
  ['convert a b --to voc --model m', '--model does not go with --to: a data set has no model, and its own classes.'],
  ['compare a b --force', '--force needs --out: nothing else is written.'],
  ['pull --verify', '--verify needs <card>: the list says nothing of checksums.'],
  ['demo --resume --epochs 3', '--epochs does not go with --resume: the demo goes on with its own.'],
  ['train --resume', '--resume needs --out: that is the folder of the run.'],
  [
    'train --resume --out r --epochs 3',
    '--epochs does not go with --resume: a run goes on with its own settings (config.json).',
  ],
  [
    'train --resume --out r --provider cpu',
    '--provider does not go with --resume: a run goes on with its own settings (config.json).',
  ],
  ['train --data d --find-lr --time 1h', '--find-lr does not go with --time: it is no run, and writes nothing.'],
  ['train --data d --find-lr --lr 1', '--lr does not go with --find-lr: a test of learning rates has no use for it.'],
];

for (const [line, message] of refused)
  test(`refused: ${line}`, () =>
    assert.rejects(argumentsOf(line), (error) => {
      assert.ok(error instanceof UsageError, `${error}`);
      assert.equal(error.message, message);
      return true;
    }));

for (const line of [
  'eval m --data d --results r.json --force --tta --no-tta-flip',
  `${judged} --against b.json --metrics coco,voc10 --plus-one --json`,
  `${judged} --no-tta --no-force`,
  'data d --sheet s.html --limit 3 --force --preview p.html --seed 4 --fix f --to voc --all',
  'detect m p --format coco --ground-truth t.json --out r.json --force',
  'detect m p --draw d --force',
  'convert a b --to coco --link --pictures p',
  'convert a b.ckpt --model m --classes coco --force',
  'train --data d --schedule step --milestones 3 4',
  'train --resume --out r --workers 2 --json',
])
  test(`taken: ${line}`, () => assert.doesNotReject(argumentsOf(line)));

test('what the settings of a project say counts where it means something, and is left out elsewhere', async () => {
  const project = await temporaryFolder({ after });
  const settings = { train: { data: 'cells', epochs: 40, provider: 'cuda' }, eval: { batch: 4 }, detect: { out: 'o' } };
  await writeFile(join(project, 'boxwright.config.json'), JSON.stringify(settings));
  const args = async (line: string) => (await parseLine(line.split(' '), commands, project))!.args;
  assert.deepEqual((await args('train')).epochs, 40);
  const { epochs, data, provider } = await args('train --resume --out r');
  assert.deepEqual([epochs, data, provider], [undefined, undefined, 'cpu']);
  assert.equal((await args(judged)).batch, 1);
  assert.equal((await args('detect m p --format voc')).out, 'o');
});

test('rules speak of options that there are', () => {
  for (const command of commands) {
    const known = Object.keys({ ...command.positionals, ...command.options });
    for (const { options, needs = [], excludes = [] } of command.rules ?? []) {
      assert.ok(needs.length > 0 !== excludes.length > 0, nameOf(command));
      const names = [...options, ...[...needs, ...excludes].map((condition) => condition.split('=')[0])];
      assert.deepEqual(
        names.filter((name) => !known.includes(name)),
        [],
        nameOf(command),
      );
    }
  }
});
