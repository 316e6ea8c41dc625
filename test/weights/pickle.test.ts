import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BoxwrightError } from '../../src/errors.js';
import { memorySource } from '../../src/weights/byte-source.js';
import { WeightWords } from '../../src/weights/formats/pickle/globals.js';
import { readPickle } from '../../src/weights/formats/pickle/machine.js';
import { Global, Inert, PickleDict, Span } from '../../src/weights/formats/pickle/values.js';

const bytesOfText = (opcodes: string) => new Uint8Array(Buffer.from(opcodes, 'latin1'));

async function read(opcodes: string | Uint8Array): Promise<unknown> {
  const bytes = typeof opcodes === 'string' ? bytesOfText(opcodes) : opcodes;
  const { value, end } = await readPickle(memorySource(bytes, 'x.pkl'), 0, new WeightWords());
  assert.equal(end, bytes.byteLength);
  return value;
}

/** Dicts as arrays of pairs, so that they can be compared. */
function plain(value: unknown): unknown {
  if (value instanceof PickleDict)
    return { dict: Array.from(value.entries(), ([key, item]) => [plain(key), plain(item)]) };
  if (value instanceof Global) return { global: value.name };
  if (value instanceof Inert) return { inert: value.text };
  return Array.isArray(value) ? value.map(plain) : value;
}

// The letters are the opcodes of Python's pickletools.
const understood: [string, string, unknown][] = [
  ['None, True and False', '(N\x88\x89t.', [null, true, false]],
  ['True and False before protocol 2', '(I01\nI00\nI1\nt.', [true, false, 1]],
  ['whole numbers', '(K\xffM\xff\xffJ\xff\xff\xff\xffI-12\nL5L\nt.', [255, 65535, -1, -12, 5]],
  ['long numbers', '(\x8a\x00\x8a\x01\x80\x8a\x02\x80\x00\x8b\x01\x00\x00\x00\x05t.', [0, -128, 128, 5]],
  ['numbers beyond 2^53', `(\x8a\x08${'\xff'.repeat(7)}\x7fL-${2n ** 63n}L\nt.`, [2n ** 63n - 1n, -(2n ** 63n)]],
  ['fractions', '(G\x3f\xf8\0\0\0\0\0\0F-2.5e-3\nFinf\nFnan\nt.', [1.5, -0.0025, Number.POSITIVE_INFINITY, Number.NaN]],
  ['text', '(X\x02\0\0\0\xc3\xbc\x8c\x01a\x8d\x01\0\0\0\0\0\0\0bt.', ['ü', 'a', 'b']],
  ['text of protocol 0', '(V\\u00fc\\U0001F600x\nt.', ['ü😀x']],
  ["Python 2's strings", "(T\x02\0\0\0\xfcaU\x01bS'c\\'\\x41\\n\\\\\\101'\nS\"d\"\nt.", ['üa', 'b', "c'A\n\\A", 'd']],
  ['bytes', '(B\x01\0\0\0aC\x01b\x8e\x01\0\0\0\0\0\0\0c\x96\x01\0\0\0\0\0\0\0dt.', [...'abcd'].map(bytesOfText)],
  ['lists', '(](K\x01K\x02eK\x03a(K\x04l]t.', [[1, 2, 3], [4], []]],
  ['tuples', '()K\x01\x85K\x02K\x03\x86K\x04K\x05K\x06\x87(K\x07tt.', [[], [1], [2, 3], [4, 5, 6], [7]]],
  [
    'dicts',
    '(}(X\x01\0\0\0aK\x01u(X\x01\0\0\0bK\x02d}K\x01K\x02st.',
    [{ dict: [['a', 1]] }, { dict: [['b', 2]] }, { dict: [[1, 2]] }],
  ],
  ['sets', '(\x8f(K\x01K\x02\x90(K\x03\x91t.', [[1, 2], [3]]],
  ['POP, POP_MARK and DUP', '(K\x01K\x020(K\x03K\x0412t.', [1, 1]],
  ['POP of a mark', 'K\x01(0.', 1],
  ['the memo', '(K\x07p0\nq\x05r\xff\xff\xff\xff\x94g0\nh\x05j\xff\xff\xff\xffh\x03t.', [7, 7, 7, 7, 7]],
  ['frames', '\x80\x04\x95\x02\0\0\0\0\0\0\0K\x01.', 1],
  [
    'globals that stand for themselves',
    '(ctorch\nfloat32\n\x8c\x05torch\x8c\x05int64\x93t.',
    [{ global: 'torch.float32' }, { global: 'torch.int64' }],
  ],
  [
    'ordered dicts',
    '(ccollections\nOrderedDict\n)Rccollections\nOrderedDict\n(]](K\x01K\x02eatRt.',
    [{ dict: [] }, { dict: [[1, 2]] }],
  ],
  [
    'default dicts and counters',
    '(ccollections\ndefaultdict\nc__builtin__\nint\n\x85Rccollections\nCounter\n}\x85Rt.',
    [{ dict: [] }, { dict: [] }],
  ],
  ['sets as Python 2 writes them', 'c__builtin__\nset\n](K\x01K\x02e\x85R.', [1, 2]],
  ['bytes as text', 'c_codecs\nencode\n(X\x02\0\0\0\xc3\xbcX\x06\0\0\0latin1tR.', Uint8Array.of(0xfc)],
  ['a device', 'ctorch\ndevice\n(X\x04\0\0\0cudaK\x01tR.', { inert: 'cuda:1' }],
  ['a size', 'ctorch\nSize\n(K\x01K\x02t\x85R.', [1, 2]],
  ['attributes of a dict, dropped', 'ccollections\nOrderedDict\n)R}X\x01\0\0\0aK\x01sb.', { dict: [] }],
  [
    'INST, OBJ and NEWOBJ',
    '((icollections\nOrderedDict\n(ccollections\nOrderedDict\noccollections\nOrderedDict\n)\x81t.',
    [{ dict: [] }, { dict: [] }, { dict: [] }],
  ],
];

describe('pickles: what is understood', () => {
  for (const [what, opcodes, expected] of understood) {
    test(what, async () => assert.deepEqual(plain(await read(opcodes)), expected));
  }

  test('a list that holds itself', async () => {
    const list = (await read(']q\0h\0a.')) as unknown[];
    assert.equal(list[0], list);
  });

  test('tuples nested 900 000 deep', async () => {
    let value = await read(`)${'\x85'.repeat(900_000)}.`);
    let depth = 0;
    for (; Array.isArray(value) && value.length === 1; depth++) [value] = value;
    assert.equal(depth, 900_000);
  });

  test('long strings stay in the source, and reading goes on behind them', async () => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(400_000);
    const opcodes = Buffer.concat([Buffer.from('(B'), length, Buffer.alloc(400_000, 7), Buffer.from('K\x05t.')]);
    const [span, five] = (await read(new Uint8Array(opcodes))) as [Span, number];
    assert.ok(span instanceof Span);
    assert.deepEqual([span.position, span.length, span.encoding, five], [6, 400_000, 'bytes', 5]);
  });

  test('a pickle longer than the window that moves over it', async () => {
    const list = (await read(`](${'X\x05\0\0\0hello'.repeat(200_000)}e.`)) as string[];
    assert.equal(list.length, 200_000);
    assert.ok(list.every((text) => text === 'hello'));
  });
});

const eight = (value: bigint) => Buffer.from(BigUint64Array.of(value).buffer).toString('latin1');

const refused: [string, string, RegExp][] = [
  [
    'an unknown global',
    'cos\nsystem\n(X\x02\0\0\0lstR.',
    /byte 0: it names "os\.system", which weights are not made of.*torch\.save\(model\.state_dict\(\)/,
  ],
  ['one behind STACK_GLOBAL', '\x80\x04\x8c\x08builtins\x8c\x04eval\x93.', /byte 18: it names "builtins\.eval"/],
  ['one of the prototype', 'c__proto__\nconstructor\n.', /names "__proto__\.constructor"/],
  ['one by INST', '(ios\nsystem\n.', /names "os\.system"/],
  ['a name that is no text', 'K\x01K\x02\x93.', /a global without a name/],
  ['a name with odd characters', `\x8c\x03a\nb\x8c\x01c\x93.`, /names "a\\nb\.c"/],
  ['a tag that is called', 'ctorch\nfloat32\n)R.', /torch\.float32 makes no object/],
  ['calling a list', '])R.', /made by something that is no class or function/],
  ['arguments that are no tuple', 'ccollections\nOrderedDict\nK\x01R.', /no class or function/],
  ['a state for a number', 'K\x01}b.', /a state for something that takes none/],
  ['extension codes', '\x82\x01.', /unsupported opcode 0x82/],
  ['buffers outside the file', '\x97.', /unsupported opcode 0x97/],
  ['an opcode that is none', '\xff', /unknown or unsupported opcode 0xff/],
  ['a later protocol', '\x80\x06N.', /protocol 6; protocols 0 to 5 are read/],
  ['a persistent id', 'K\x01Q.', /a reference to data outside the pickle/],
  ['an empty stack', '.', /byte 0: the stack is empty/],
  ['a pop below a mark', 'K\x01(K\x02\x86.', /the stack is empty/],
  ['an append below a mark', '](a.', /the stack is empty/],
  ['no mark', 'K\x01t.', /there is no mark/],
  ['a key without a value', '}(K\x01u.', /a key without a value/],
  ['items of a dict for a list', '](K\x01K\x02u.', /for something that is no dict/],
  ['items of a list for a dict', '}K\x01a.', /for something that is no list/],
  ['nothing in the memo', 'h\x07.', /nothing was remembered as 7/],
  ['a place of the memo that is none', 'Np-1\n.', /"-1" is no place of the memo/],
  ['the end within a number', 'J\x01\x02', /truncated: 4 more bytes are needed, 2 are left/],
  ['no end', 'K\x01', /byte 2: truncated/],
  ['text beyond the end', 'X\xff\xff\xff\x7fabc.', /truncated: a string of 2147483647 bytes, 4 are left/],
  ['text of 2^63 bytes', `\x8d${eight(2n ** 63n)}abc.`, /a string of 9223372036854776000 bytes/],
  ['bytes of 2^64 - 1', `\x8e${eight(2n ** 64n - 1n)}abc.`, /a string of 18446744073709552000 bytes/],
  ['a short string beyond the end', 'U\x05abc', /truncated: 5 more bytes are needed, 3 are left/],
  ['a negative length', 'T\xff\xff\xff\xffabc.', /a length of -1/],
  ['a number of 2^31 - 1 bytes', '\x8b\xff\xff\xff\x7fabc.', /an integer of 2147483647 bytes/],
  ['a number of many digits', `I${'9'.repeat(400)}\n.`, /is no integer/],
  ['a number that is none', 'Fone\n.', /"one" is no number/],
  ['a string without quotes', 'Sabc\n.', /"abc" is no quoted string/],
  ['broken UTF-8', 'X\x01\0\0\0\xff.', /a text is not UTF-8/],
  ['a line without an end', `S'${'a'.repeat(100_000)}`, /a line of more than 65536 bytes/],
  [
    'an encoding that changes things',
    'c_codecs\nencode\n(X\x01\0\0\0aX\x05\0\0\0rot13tR.',
    /bytes in an encoding but latin1/,
  ],
  ['bytes as text above 255', 'c_codecs\nencode\n(X\x02\0\0\0\xc4\x80X\x06\0\0\0latin1tR.', /a character above 255/],
  ['a size of 65 dimensions', `ctorch\nSize\n(${'K\x01'.repeat(65)}t\x85R.`, /has 65 dimensions/],
  ['a negative size', 'ctorch\nSize\n(J\xff\xff\xff\xfft\x85R.', /is -1, expected a whole number/],
];

describe('pickles: what is refused', () => {
  for (const [what, opcodes, message] of refused) {
    test(what, async () => {
      await assert.rejects(read(opcodes), (error: BoxwrightError) => {
        assert.ok(error instanceof BoxwrightError, `${error}`);
        assert.equal(error.code, 'weights');
        assert.match(error.message, message);
        assert.match(error.message, /^x\.pkl: pickle, byte \d+: /);
        return true;
      });
    });
  }

  test('a file without an end to its steps', async () => {
    await assert.rejects(read(`](${'N'.repeat(1_000_000)}e.`), /more than 1000000 steps/);
  });

  test('a long text that is made into bytes again and again', async () => {
    const text = `X\x00\x80\0\0${'a'.repeat(32768)}`;
    const encode = 'h\0(h\x01h\x02tR';
    const opcodes = `c_codecs\nencode\nq\0${text}q\x01X\x06\0\0\0latin1q\x02](${encode.repeat(3000)}e.`;
    await assert.rejects(read(opcodes), /copies the same data again and again/);
  });

  test('a long list that is made into dicts again and again', async () => {
    const pairs = `](${'K\x01K\x02\x86'.repeat(100_000)}e`;
    const opcodes = `ccollections\nOrderedDict\nq\0${pairs}q\x01](${'h\0h\x01\x85R'.repeat(1000)}e.`;
    await assert.rejects(read(opcodes), /copies the same data again and again/);
  });
});
