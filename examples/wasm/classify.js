// classify.js FILE.wasm: a network in JavaScript. Classifies the first 500 test images of Fashion-MNIST; exit code 1
// when less than 80 % are right.
const fs = require("fs");
const zlib = require("zlib");

const DATA = "/usr/share/datasets/fashion-mnist/t10k-";
const COUNT = 500, PIXELS = 784, CLASSES = 10;

function readIdx(name, header) {
  return zlib.gunzipSync(fs.readFileSync(DATA + name)).subarray(header);
}

async function main() {
  const module = await WebAssembly.instantiate(fs.readFileSync(process.argv[2]));
  const { memory, fashion_run, image, score } = module.instance.exports;
  const images = readIdx("images-idx3-ubyte.gz", 16), labels = readIdx("labels-idx1-ubyte.gz", 8);
  const pixels = new Uint8Array(memory.buffer, image.value, PIXELS);
  const scores = new Float32Array(memory.buffer, score.value, CLASSES);
  let right = 0;
  for (let i = 0; i < COUNT; i++) {
    pixels.set(images.subarray(i * PIXELS, (i + 1) * PIXELS));
    fashion_run(image.value, score.value);
    right += scores.indexOf(Math.max(...scores)) === labels[i];
  }
  console.log(`${right} of ${COUNT} right`);
  process.exit(right >= 0.8 * COUNT ? 0 : 1);
}

main();
