// oracle.mjs FOLDER: runs the models that `unit_ops --write FOLDER` wrote through onnxruntime and compares its outputs
// with the evaluator's. Exit code 1 if any differs or cannot be run.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';

const arrays = {
  float: ['float32', Float32Array], double: ['float64', Float64Array], bool: ['bool', Uint8Array],
  int8: ['int8', Int8Array], int16: ['int16', Int16Array], int32: ['int32', Int32Array], int64: ['int64', BigInt64Array],
  uint8: ['uint8', Uint8Array], uint16: ['uint16', Uint16Array], uint32: ['uint32', Uint32Array],
  uint64: ['uint64', BigUint64Array],
};
const folder = process.argv[2];

function load(t) {
  const bytes = readFileSync(join(folder, t.file));
  const [type, Array] = arrays[t.type];
  const data = new Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  return new ort.Tensor(type, data, t.dims);
}

const isExact = (t) => t.type !== 'float' && t.type !== 'double';

// The first difference, or undefined.
function difference(spec, got, tolerance) {
  const want = load(spec).data;
  if (String(got.dims) !== String(spec.dims)) return `shape [${got.dims}], not [${spec.dims}]`;
  let scale = 0;
  if (!isExact(spec)) for (const v of want) if (Number.isFinite(v)) scale = Math.max(scale, Math.abs(v));
  for (let i = 0; i < want.length; i++) {
    const a = got.data[i], b = want[i];
    if (a === b || (a !== a && b !== b)) continue;
    if (isExact(spec) || !(Math.abs(a - b) <= tolerance * (scale + Math.abs(b)) / 2))
      return `element ${i} is ${b}, onnxruntime has ${a}`;
  }
  return undefined;
}

async function check(c) {
  const options = { graphOptimizationLevel: 'disabled', logSeverityLevel: 4, intraOpNumThreads: 1 };
  const session = await ort.InferenceSession.create(join(folder, `${c.name}.onnx`), options);
  const feeds = Object.fromEntries(c.in.map((t) => [t.name, load(t)]));
  const outputs = await session.run(feeds);
  for (const t of c.out) {
    const d = difference(t, outputs[t.name], c.tolerance);
    if (d) throw new Error(`output '${t.name}': ${d}`);
  }
}

const cases = JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8'));
let failed = 0;
for (const c of cases) {
  try {
    await check(c);
  } catch (e) {
    failed++;
    console.log(`${c.name}: ${e.message}`);
  }
}
console.log(`onnxruntime: ${cases.length - failed} of ${cases.length} rows agree`);
process.exit(failed ? 1 : 0);
