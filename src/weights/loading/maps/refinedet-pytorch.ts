import { luuuyiNormalisation } from '../../../models/pictures.js';
import type { NameMap } from './name-map.js';
import { vggLayer } from './vgg-layers.js';

/** luuuyi/RefineDet.PyTorch, VGG-16. */
export const refineDetPytorch: NameMap = {
  source: 'luuuyi/RefineDet.PyTorch',
  models: /^refinedet-vgg16-\d+-luuuyi$/,
  normalisation: luuuyiNormalisation,
  rules: [
    {
      parameter: /^backbone\.conv([1-5])_(\d)\.(weight|bias)$/,
      name: (stage, index, kind) => `vgg.${vggLayer(stage, index)}.${kind}`,
    },
    { parameter: /^backbone\.fc6\.(weight|bias)$/, name: (kind) => `vgg.31.${kind}` },
    { parameter: /^backbone\.fc7\.(weight|bias)$/, name: (kind) => `vgg.33.${kind}` },
    {
      parameter: /^backbone\.conv6_([12])\.(weight|bias)$/,
      name: (index, kind) => `extras.${Number(index) - 1}.${kind}`,
    },
    { parameter: /^source_norm\.([01])\.weight$/, name: (level) => `conv${Number(level) + 4}_3_L2Norm.weight` },
    {
      parameter: /^tcb\.(\d)\.lateral\.([01])\.(weight|bias)$/,
      name: (level, index, kind) => `tcb0.${3 * Number(level) + 2 * Number(index)}.${kind}`,
    },
    { parameter: /^tcb\.(\d)\.up\.(weight|bias)$/, name: (level, kind) => `tcb1.${level}.${kind}` },
    {
      parameter: /^tcb\.(\d)\.output\.0\.(weight|bias)$/,
      name: (level, kind) => `tcb2.${3 * Number(level) + 1}.${kind}`,
    },
    {
      parameter: /^(arm|odm)\.(loc|conf)\.(\d)\.(weight|bias)$/,
      name: (module, head, level, kind) => `${module}_${head}.${level}.${kind}`,
    },
  ],
  unused: /^$/,
};
