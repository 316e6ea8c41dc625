// A detector behind HTTP: POST a picture, get its detections as JSON. One model for all requests, one picture at a time.
//
//   node examples/service.mjs runs/cells 8080
//   curl --data-binary @photo.jpg http://localhost:8080/detect
import { createServer } from 'node:http';
import { BoxwrightError, Detector } from 'boxwright';

const [model, port = '8080'] = process.argv.slice(2);
if (!model) throw new Error('usage: service.mjs <model> [port]');
const largest = 20 * 2 ** 20;
const detector = await Detector.load(model, { minScore: 0.5 });

async function bodyOf(request) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > largest) throw new BoxwrightError('data', `A picture may have ${largest} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function answer(response, status, value) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(value)}\n`);
}

const server = createServer(async (request, response) => {
  if (request.url === '/health') return answer(response, 200, { model: detector.model, classes: detector.classes });
  if (request.url !== '/detect' || request.method !== 'POST')
    return answer(response, 404, { error: 'POST a picture to /detect' });
  const gone = new AbortController();
  response.once('close', () => gone.abort()); // nobody waits any more
  try {
    const { width, height, detections } = await detector.detect(await bodyOf(request), { signal: gone.signal });
    answer(response, 200, { width, height, detections });
  } catch (error) {
    if (gone.signal.aborted) return;
    const isTheirs = error instanceof BoxwrightError && error.code === 'data';
    answer(response, isTheirs ? 400 : 500, { error: isTheirs ? error.message : 'the detector failed' });
    if (!isTheirs) console.error(error);
  }
});

server.listen(Number(port), () => console.log(`http://localhost:${server.address().port}/detect`));
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => {
    server.close(() => detector.dispose()); // requests under way end first
  });
