import { imageNetNormalisation } from '../../../models/pictures.js';
import type { NameMap } from './name-map.js';
import { vggLayer } from './vgg-layers.js';

/** torchvision's VGG-16: conv1_1 to conv5_3. fc6 and fc7 are no convolutions there. */
export const torchvisionVgg16: NameMap = {
  source: "torchvision's VGG-16",
  normalisation: imageNetNormalisation,
  rules: [
    {
      parameter: /^backbone\.conv([1-5])_(\d)\.(weight|bias)$/,
      name: (stage, index, kind) => `features.${vggLayer(stage, index)}.${kind}`,
    },
  ],
  unused: /^classifier\./,
};

/** torchvision's ResNets of any depth. */
export const torchvisionResNet: NameMap = {
  source: "torchvision's ResNet",
  normalisation: imageNetNormalisation,
  rules: [{ parameter: /^backbone\.((?:conv1|bn1|layer[1-4])\..+)$/, name: (name) => name }],
  unused: /^fc\.|\.num_batches_tracked$/,
};
