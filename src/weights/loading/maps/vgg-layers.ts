/** Convolutions before each stage of VGG-16, which count as two places each (with their ReLU), and pools, one each. */
const stageStarts = [0, 5, 10, 17, 24];

/** Index of conv`stage`_`index` in torchvision's `features`, which SSD's and RefineDet's PyTorch ports keep. */
export function vggLayer(stage: string, index: string): number {
  return stageStarts[Number(stage) - 1] + 2 * (Number(index) - 1);
}
