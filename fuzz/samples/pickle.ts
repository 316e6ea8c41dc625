import type { Random } from '../../src/data/augment/random.js';
import type { Mutation } from '../mutations.js';

/** All of pickle's opcodes, those that take nothing first, the ones that build things more often. */
const plain = '(.012N\x88\x89)]}tldaesub\x85\x86\x87\x8f\x90\x91\x93\x94oRQ\x81\x92';
const building = '(()]}tR\x85\x86\x87eus20';

const names = [
  ...[
    'collections\nOrderedDict',
    'torch._utils\n_rebuild_tensor_v2',
    'torch\nFloatStorage',
    'torch\nSize',
    'numpy\nndarray',
  ],
  ...[
    'numpy.core.multiarray\n_reconstruct',
    'numpy\ndtype',
    '_codecs\nencode',
    '__builtin__\nset',
    'collections\nCounter',
  ],
  ...[
    'os\nsystem',
    'builtins\neval',
    '__proto__\nconstructor',
    'torch._tensor\n_rebuild_from_type_v2',
    'torch\nfloat32',
  ],
];

const byte = (random: Random) => String.fromCharCode(random.int(256));
const lengths = [
  '\0\0\0\0',
  '\x01\0\0\0',
  '\xff\0\0\0',
  '\0\0\x02\0',
  '\xff\xff\xff\x7f',
  '\0\0\0\x80',
  '\xff\xff\xff\xff',
];

/** An opcode and what follows it. */
function instruction(random: Random): string {
  const length = lengths[random.int(lengths.length)];
  switch (random.int(12)) {
    case 0:
      return `c${names[random.int(names.length)]}\n`;
    case 1:
      return `${'qh'[random.int(2)]}${String.fromCharCode(random.int(8))}`;
    case 2:
      return `${'rj'[random.int(2)]}${length}`;
    case 3:
      return `${'XTB\x8b'[random.int(4)]}${length}`;
    case 4:
      return `${'\x8d\x8e\x96\x95'[random.int(4)]}${length}${lengths[random.int(lengths.length)]}`;
    case 5:
      return `${'UC\x8c\x8a'[random.int(4)]}${String.fromCharCode(random.int(4))}ab`;
    case 6:
      return `K${byte(random)}`;
    case 7:
      return `J${length}`;
    case 8:
      return `${'pgILFSV'[random.int(7)]}${['0', '-1', '9999999999', "'a'", '01', 'nan'][random.int(6)]}\n`;
    case 9:
      return plain[random.int(plain.length)];
    default:
      return building[random.int(building.length)];
  }
}

function program(random: Random, longest: number): Uint8Array {
  const instructions = Array.from({ length: 1 + random.int(longest) }, () => instruction(random));
  return Buffer.from(instructions.join(''), 'latin1');
}

/** Instructions put in somewhere, over what was there or not. */
const insertInstructions: Mutation = (bytes, random) => {
  const at = random.int(bytes.length + 1);
  const added = program(random, 4);
  const end = random.int(2) ? at : at + added.length;
  return new Uint8Array(Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(end)]));
};

/** Another program altogether behind the first instructions. */
const anotherProgram: Mutation = (bytes, random) => {
  const stop = Buffer.from('.');
  return new Uint8Array(Buffer.concat([bytes.subarray(0, random.int(bytes.length + 1)), program(random, 60), stop]));
};

/** One opcode for another. */
const otherOpcode: Mutation = (bytes, random) => {
  const out = bytes.slice();
  if (out.length) out[random.int(out.length)] = plain.charCodeAt(random.int(plain.length));
  return out;
};

export const pickleMutations: readonly Mutation[] = [
  insertInstructions,
  insertInstructions,
  insertInstructions,
  otherOpcode,
  otherOpcode,
  anotherProgram,
];
