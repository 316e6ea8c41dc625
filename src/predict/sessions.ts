import type { Engine, Session } from '../engine/engine.js';
import type { Tensor } from '../graph/tensor.js';
import { type DetectorRecipe, modelRecipe } from '../models/model.js';
import { weightsToUse } from '../weights/checkpoint.js';
import { inferenceModel } from './inference-model.js';
import type { ModelSource } from './model-source.js';
import type { PictureModel } from './picture-detector.js';

/**
 * A detector's file as a model that runs in an engine. On the CPU every number of pictures has a session of its own, made
 * when it first comes, since fixed shapes run in faster forms (docs/benchmarks.md); elsewhere one takes any number. An
 * exported file runs as it is.
 *
 * @param recipe one that a checkpoint's weights fit, such as another size's; by default the checkpoint's own
 * @throws BoxwrightError `weights` if some are missing or misshapen; `engine` if the runtime refuses the model.
 */
export async function loadModel(engine: Engine, source: ModelSource, recipe?: DetectorRecipe): Promise<PictureModel> {
  if (source.kind === 'onnx') return running(await engine.load(source.path));
  const { path, checkpoint } = source;
  const { model, classes } = checkpoint;
  // Not the checkpoint itself, whose optimizer state would stay in memory.
  const weights = { path, model, tensors: weightsToUse(checkpoint) };
  const used = recipe ?? modelRecipe(model, classes.length);
  const load = async (batch: number | 'batch') =>
    running(await engine.load(inferenceModel(used, weights, engine.provider, batch)));
  if (engine.provider !== 'cpu') return load('batch');
  const models = new Map<number, Promise<PictureModel>>();
  const modelFor = (pictures: number) => {
    const loaded = models.get(pictures) ?? load(pictures);
    models.set(pictures, loaded);
    return loaded;
  };
  await modelFor(1);
  return async (images) => (await modelFor(images.shape[0]))(images);
}

function running(session: Session): PictureModel {
  return (images: Tensor) => session.run({ images });
}
