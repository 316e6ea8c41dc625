import { elementCount } from '../src/graph/tensor.js';
import { type Node, topological, type Value } from '../src/graph/value.js';

/** Floating-point operations of convolutions and matrix products by scope's first name, two a multiply-add. Shapes must be fixed. */
export function floatingOperations(outputs: readonly Value[]): number {
  return topological(outputs).reduce((sum, node) => sum + 2 * multiplyAdds(node), 0);
}

/** Multiply-adds of a node before it is lowered: what the plain method takes. */
function multiplyAdds({ operator, inputs, outputs, attributes }: Node): number {
  const size = (value: Value | undefined) => elementCount((value as Value).staticShape);
  const weights = (value: Value | undefined) => elementCount((value as Value).staticShape.slice(1));
  switch (operator.type) {
    case 'Conv':
      return size(outputs[0]) * weights(inputs[1]);
    case 'ConvTranspose':
    case 'ConvInputGradient':
      return size(inputs[0]) * weights(inputs[1]);
    case 'ConvWeightGradient':
      return size(inputs[1]) * elementCount(outputs[0].staticShape.slice(1));
    case 'MatMul':
      return size(outputs[0]) * inputs[0]!.staticShape[inputs[0]!.rank - 1];
    case 'Gemm':
      return size(outputs[0]) * inputs[0]!.staticShape[attributes.transA ? 0 : 1];
    default:
      return 0;
  }
}
