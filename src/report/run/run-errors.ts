import type { TideError } from '../../evaluate/index.js';
import { barTable } from '../page/bar-table.js';
import { confusionTable } from '../page/confusion-table.js';
import { percent } from '../page/fractions.js';
import type { EvaluationDetails } from './evaluation-details.js';

/** TIDE's kinds of errors, in words. */
const errorNames: Readonly<Record<TideError, string>> = {
  Cls: 'Wrong class',
  Loc: 'Badly placed',
  Both: 'Both of it',
  Dupe: 'Found twice',
  Bkg: 'Nothing there',
  Miss: 'Missed',
};

/** What kinds of errors cost, and the confusion of classes; empty before the first evaluation. */
export function errorsSection(details: EvaluationDetails | undefined): string {
  if (!details) return '';
  const { tide, confusion, epoch } = details;
  const bar = (name: string, cost: number | null, count: number) => ({
    name,
    value: cost ?? 0,
    text: percent(cost),
    note: `${count}`,
  });
  const bars = [
    ...(Object.keys(errorNames) as TideError[]).map((kind) => bar(errorNames[kind], tide.dAP[kind], tide.counts[kind])),
    bar('All false detections', tide.special.FalsePos, tide.falsePositives),
    bar('All objects not found', tide.special.FalseNeg, tide.falseNegatives),
  ];
  const cost = barTable(`What errors cost, after epoch ${epoch}`, ['Error', 'AP50', 'Number'], bars);
  const about =
    '<p class="note">Points of AP50 that would be won if all errors of a kind were mended (TIDE, Bolya et al. 2020); they do not add up, as one error can hide another. Badly placed: the right class with an IoU of 0.1 to 0.5. Found twice: a surer detection has the object. Nothing there: an IoU below 0.1 with every object. Missed: no detection is near the object.</p>';
  return `<div class="charts"><div class="card">${cost}${about}</div><div class="card">${confusionTable(confusion)}</div></div>`;
}
