// codes.mjs MODEL SAMPLES COUNT DIMS OUT: the model's first output in onnxruntime for each of COUNT samples, raw floats both;
// DIMS: of one, as JSON. With the optimisations that applications have.
import { readFileSync, writeFileSync } from 'node:fs';
import * as ort from 'onnxruntime-node';

const [model, samples, count, dims, out] = process.argv.slice(2);
const session = await ort.InferenceSession.create(model, { logSeverityLevel: 3, intraOpNumThreads: 1 });
const bytes = readFileSync(samples);
const all = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
const each = all.length / Number(count), results = [];
for (let i = 0; i < Number(count); i++) {
  const x = new ort.Tensor('float32', all.slice(i * each, (i + 1) * each), JSON.parse(dims));
  results.push(Buffer.from((await session.run({ [session.inputNames[0]]: x }))[session.outputNames[0]].data.slice().buffer));
}
writeFileSync(out, Buffer.concat(results));
