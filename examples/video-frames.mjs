// Detects in a video: ffmpeg decodes it to raw pixels, the detector reads them as they come, and neither runs ahead of
// the other. Prints a line of JSON for each frame with something in it.
//
//   node examples/video-frames.mjs runs/cells film.mp4 5        # five frames a second
//   ffmpeg … -f rawvideo -pix_fmt rgb24 - | node examples/video-frames.mjs runs/cells - 640x480
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Detector } from 'boxwright';

const [model, film, how] = process.argv.slice(2);
if (!film) throw new Error('usage: video-frames.mjs <model> <film> [frames a second], or <model> - <width>x<height>');

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());

/** Width and height as ffprobe tells them. */
async function sizeOf(path) {
  const entries = ['-show_entries', 'stream=width,height', '-of', 'csv=s=x:p=0'];
  const probe = spawn('ffprobe', ['-v', 'error', '-select_streams', 'v:0', ...entries, path]);
  const [chunk] = await once(probe.stdout, 'data');
  return String(chunk).trim();
}

function decoding(path, rate) {
  const output = ['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'];
  const stdio = ['ignore', 'pipe', 'inherit'];
  return spawn('ffmpeg', ['-v', 'error', '-i', path, '-vf', `fps=${rate}`, ...output], { stdio }).stdout;
}

/** Cuts a stream of bytes into frames. */
async function* framesOf(pixels, width, height) {
  const size = 3 * width * height;
  let frame = new Uint8Array(size);
  let filled = 0;
  for await (const chunk of pixels) {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + size - filled);
      frame.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < size) continue;
      yield { data: frame, width, height, channels: 3 };
      [frame, filled] = [new Uint8Array(size), 0];
    }
  }
}

const isPiped = film === '-';
const [width, height] = (isPiped ? how : await sizeOf(film)).split('x').map(Number);
const rate = isPiped ? undefined : Number(how ?? 1);
const pixels = isPiped ? process.stdin : decoding(film, rate);
const detector = await Detector.load(model, { minScore: 0.5 });
try {
  let frame = 0;
  for await (const { detections } of detector.stream(framesOf(pixels, width, height), { signal: stop.signal })) {
    const at = rate ? { seconds: frame / rate } : { frame };
    if (detections.length > 0) console.log(JSON.stringify({ ...at, detections }));
    frame++;
  }
} finally {
  await detector.dispose();
}
