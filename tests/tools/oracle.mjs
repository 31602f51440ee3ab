// oracle.mjs FOLDER [FROM]: runs the models that `unit_ops --write FOLDER` wrote through onnxruntime and compares its
// outputs with the evaluator's. Exit code 1 if any differs or cannot be run. With FROM, for random networks: it begins
// at that case, leaves the number of the running one in FOLDER/at, and only counts what onnxruntime does not implement.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';

const arrays = {
  float: ['float32', Float32Array], double: ['float64', Float64Array], bool: ['bool', Uint8Array],
  int8: ['int8', Int8Array], int16: ['int16', Int16Array], int32: ['int32', Int32Array], int64: ['int64', BigInt64Array],
  uint8: ['uint8', Uint8Array], uint16: ['uint16', Uint16Array], uint32: ['uint32', Uint32Array],
  uint64: ['uint64', BigUint64Array],
};
const folder = process.argv[2], random = process.argv.length > 3;

function load(t) {
  const bytes = readFileSync(join(folder, t.file));
  const [type, Array] = arrays[t.type];
  const data = new Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  return new ort.Tensor(type, data, t.dims);
}

const isExact = (t) => t.type !== 'float' && t.type !== 'double';

let codes = 0, stepped = 0; // codes compared, and those that differ though they may

// The first difference, or undefined. steps: by so many may codes differ that come from floats between two of them.
function difference(spec, got, tolerance, steps = 0) {
  const want = load(spec).data;
  if (String(got.dims) !== String(spec.dims)) return `shape [${got.dims}], not [${spec.dims}]`;
  let scale = 0;
  if (!isExact(spec)) for (const v of want) if (Number.isFinite(v)) scale = Math.max(scale, Math.abs(v));
  for (let i = 0; i < want.length; i++) {
    const a = got.data[i], b = want[i];
    codes += steps > 0;
    if (a === b || (a !== a && b !== b)) continue;
    if (/int(8|16)$/.test(spec.type) && Math.abs(a - b) <= steps) {
      stepped++;
      continue;
    }
    if (isExact(spec) || !(Math.abs(a - b) <= tolerance * (scale + Math.abs(b) + (random && tolerance ? 1 : 0)) / 2))
      return `element ${i} is ${b}, onnxruntime has ${a}`;
  }
  return undefined;
}

// Random networks: where a difference d says nothing, by the operator. What follows in the same network is not compared
// either. `before`: whether the tensors up to here were the same bit by bit, and finite.
const rounded = (d, before) => !before.exact, odd = (d, before) => !before.finite;
const excuses = [
  // NaN and infinity: left out of maxima and clips, spread by running sums and weights of 0, in quantization.
  [/^(MaxPool|GlobalMaxPool|Reduce.*|Arg.*|Hardmax|LogSoftmax|RNN|GRU|LSTM|LRN|Resize|DynamicQuantizeLinear)$/, odd],
  [/^(NegativeLogLikelihoodLoss|TopK|RoiAlign|GridSample|Cast)$/, odd],
  [/^MeanVarianceNormalization$/, (d) => d.includes('NaN')], // its variance is a difference, the root of which may be NaN
  [/^NegativeLogLikelihoodLoss$/, (d) => d.includes('NaN')], // the mean of nothing
  [/^Reduce/, (d) => d.includes('Infinity')], // squares that only double holds
  [/^(Cast|Pow|ReduceProd)$/, (d) => /-9223372036854775808|-2147483648/.test(d)], // integers that do not hold the value
  [/^NonMaxSuppression$/, () => true], // as many rows as there are; the declared size is the most
  // Roundings before it count, or decide.
  [/^(Div|Reciprocal|Tan|Acos|Acosh|Atanh|Pow|Mod|Floor|Ceil|Round|Sign|Arg.*|TopK|Hardmax|MaxPool)$/, rounded],
  [/^(InstanceNormalization|LayerNormalization|MeanVarianceNormalization)$/, rounded],
];
const isFinite = (t) => t.type !== 'float' && t.type !== 'double' || load(t).data.every(Number.isFinite);

async function check(c) {
  const options = { graphOptimizationLevel: 'disabled', logSeverityLevel: 4, intraOpNumThreads: 1 };
  const session = await ort.InferenceSession.create(join(folder, `${c.name}.onnx`), options);
  const feeds = Object.fromEntries(c.in.map((t) => [t.name, load(t)]));
  const outputs = await session.run(feeds);
  const before = { exact: true, finite: true };
  for (const t of c.out) {
    const d = difference(t, outputs[t.name], c.tolerance, c.steps);
    if (d && random && excuses.some(([by, applies]) => by.test(t.by) && applies(d, before))) return;
    before.exact &&= difference(t, outputs[t.name], 0) === undefined;
    before.finite &&= isFinite(t);
    if (d) throw new Error(`output '${t.name}'${t.by ? ` of ${t.by}` : ''}: ${d}`);
  }
}

// What onnxruntime has no code for, or no type.
const missing = /NOT_IMPLEMENTED|Could not find an implementation|Type Error|is invalid|unsupported|not supported|only support|Integer overflow/i;

const cases = JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8'));
const from = random ? Number(process.argv[3]) : 0;
let failed = 0, skipped = 0;
for (let i = from; i < cases.length; i++) {
  if (random) writeFileSync(join(folder, 'at'), String(i));
  try {
    await check(cases[i]);
  } catch (e) {
    if (random && missing.test(e.message)) {
      skipped++;
      if (process.env.ORACLE_SKIPPED) console.log(`skipped ${cases[i].name}: ${e.message}`);
      continue;
    }
    failed++;
    console.log(`${cases[i].name}: ${e.message}`);
  }
}
const run = cases.length - from - skipped;
console.log(`onnxruntime: ${run - failed} of ${run} rows agree${skipped ? `, it does not run ${skipped}` : ''}`);
// Halves are rare where there are many codes.
if (stepped) console.log(`onnxruntime: ${stepped} of ${codes} codes are a step off`);
process.exit(failed || (codes > 10000 && stepped > codes / 1000) ? 1 : 0);
