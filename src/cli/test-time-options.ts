import type { TestTime } from '../predict/test-time.js';
import { UsageError } from './command.js';

/** Options of the commands that can look at a picture in several ways. */
export const testTimeOptions = {
  tta: {
    type: 'boolean',
    default: false,
    describe: 'Test-time augmentation: merge what is found mirrored and not, at scales 0.8, 1 and 1.25',
  },
  'tta-flip': { type: 'boolean', describe: 'Look at pictures mirrored as well; --tta does (--no-tta-flip: not)' },
  'tta-scales': { type: 'string', describe: 'Sizes of the picture in the network, such as 1,1.5; 1 is its own' },
} as const;

interface TestTimeArguments {
  readonly tta: boolean;
  readonly 'tta-flip'?: boolean;
  readonly 'tta-scales'?: string;
}

/**
 * What the options ask for; undefined if for nothing.
 *
 * @throws UsageError for scales that are no numbers.
 */
export async function testTimeOf({
  tta,
  'tta-flip': flip = tta,
  'tta-scales': text,
}: TestTimeArguments): Promise<TestTime | undefined> {
  if (!tta && !flip && text === undefined) return undefined;
  if (text !== undefined) return { flip, scales: text.split(',').map(scaleOf) };
  const { defaultTestTime } = await import('../predict/test-time.js');
  return tta ? { ...defaultTestTime, flip } : { flip };
}

function scaleOf(text: string): number {
  const scale = text.trim() === '' ? Number.NaN : Number(text);
  if (scale > 0) return scale;
  throw new UsageError(
    `--tta-scales has "${text}"; give numbers above 0 with commas between them, such as 0.8,1,1.25.`,
  );
}
