import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { cachePlace } from '../../src/hub/cache.js';
import { cards } from '../../src/hub/cards.js';
import type { TrainConfig } from '../../src/train/config.js';
import { cardFor, cardMarkdown, ownCache, sendFile, serve } from '../hub/file-server.js';
import { tinyModelFile } from '../predict/tiny-detector.js';
import { eventsOf, resumed, small, withShapes } from './runs.js';

test('training starts from the weights of a card, which a run that is resumed finds again', async (t) => {
  await ownCache(t);
  const content = await readFile(await tinyModelFile(t));
  const server = await serve(t, (request, response) => sendFile(request, response, content));
  await withShapes(async (folder, data) => {
    const card = join(folder, 'tiny_card.md');
    await writeFile(card, cardMarkdown(cardFor(`${server.url}/tiny.ckpt`, content)));
    const out = join(folder, 'run');
    const [start, ...rest] = await eventsOf(small(data, out, { weights: card, epochs: 1 }));
    assert.ok(start.kind === 'start');
    assert.match(start.weightsNote ?? '', /^\d\d+ parameters from .*tiny_card\.md/);
    assert.ok(rest.some((event) => event.kind === 'step' && Number.isFinite(event.loss)));
    const config = JSON.parse(await readFile(join(out, 'config.json'), 'utf8')) as TrainConfig;
    assert.equal(config.weights, card);
    await eventsOf(resumed(out));
    assert.equal(server.requests.length, 1);
  });
});

test('a card is known by its name', async (t) => {
  const cache = await ownCache(t);
  await withShapes(async (folder, data) => {
    for (const card of cards()) {
      const { folder: place, file } = cachePlace(cache, card);
      await mkdir(place, { recursive: true });
      await writeFile(file, 'another file');
      await assert.rejects(eventsOf(small(data, join(folder, 'run'), { weights: card.name })), (error) => {
        assert.ok(error instanceof Error && error.message.includes(file) && error.message.includes(card.asset.sha256));
        return true;
      });
    }
    await assert.rejects(eventsOf(small(data, join(folder, 'run'), { weights: 'refinedet_coco2071' })), {
      code: 'io',
      message: /Did you mean the card refinedet_coco2017\?/,
    });
  });
});
