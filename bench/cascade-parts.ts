import { type OnnxNode, readOnnx } from '../src/graph/onnx/read.js';

/** Parts of Cascade R-CNN by the scopes that their nodes are named by; the first that fits. */
const parts: readonly (readonly [RegExp, string])[] = [
  [/^preprocess/, 'pictures'],
  [/^backbone/, 'backbone'],
  [/^fpn/, 'FPN'],
  [/^rpn\/proposals/, 'proposals'],
  [/^(rpn|stages\/\d)\/(sample|loss|refine)/, 'sampling and losses'],
  [/^rpn/, 'RPN'],
  [/^stages\/\d\/pool/, 'RoI pooling'],
  [/^stages/, 'heads'],
  [/^postprocess/, 'postprocess'],
  [/^optimizer/, 'optimizer'],
];

export const partNames: readonly string[] = [...new Set(parts.map(([, name]) => name)), 'other'];

/** Name of a part's backward half. */
export const gradientOf = (part: string) => `${part}, gradient`;

/** What the runtime's optimizer adds to the names of nodes that it rewrites. */
const rewritten = /^fused |_nchwc$|_new_reshape$|_token_\d+$|\/(MatmulTransposeFusion|GatherSliceToSplitFusion).*$/g;

/** The part of a node that ran, by its name and `partsByNode`. */
export function partOf(name: string, byNode: ReadonlyMap<string, string>): string {
  return byNode.get(name) ?? byNode.get(name.replace(rewritten, '')) ?? 'other';
}

/**
 * The part of every node of a model, by its name. A node that was written outside of any scope (activations, sums) belongs
 * where its inputs come from: a gradient preferably where the forward pass left what it reads.
 */
export function partsByNode(model: Uint8Array): Map<string, string> {
  const { nodes } = readOnnx(model, 'the model');
  const byValue = new Map<string, Place>();
  const byNode = new Map<string, string>();
  for (const node of nodes) {
    const place = placeOf(node, byValue);
    for (const output of node.outputs) byValue.set(output, place);
    byNode.set(node.name, place.backward ? gradientOf(place.part) : place.part);
  }
  return byNode;
}

interface Place {
  readonly part: string;
  readonly backward: boolean;
}

function placeOf({ name, inputs }: OnnxNode, byValue: ReadonlyMap<string, Place>): Place {
  const backward = name.startsWith('gradient/');
  const scope = backward ? name.slice('gradient/'.length) : name;
  const named = parts.find(([beginning]) => beginning.test(scope));
  if (named) return { part: named[1], backward };
  const sources = inputs.flatMap((input) => byValue.get(input) ?? []).filter(({ part }) => part !== 'other');
  const source = sources.find((place) => !place.backward) ?? sources[0];
  return { part: source?.part ?? 'other', backward };
}
