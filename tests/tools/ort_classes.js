// ort_classes.js MODEL IMAGES SCALE OUT [OFFSET]: the class that onnxruntime finds for each image of an IDX file (gzipped),
// one a line: what examples/fashion/main.c writes for generated code. The network sees pixel * SCALE + OFFSET. Run with
// NODE_PATH set to the folder that tests/tools/onnxruntime.sh filled.
const fs = require('fs');
const zlib = require('zlib');
const ort = require('onnxruntime-node');

async function main(model, images, scale, out, offset) {
    const session = await ort.InferenceSession.create(model, {intraOpNumThreads: 1, logSeverityLevel: 3});
    const pixels = zlib.gunzipSync(fs.readFileSync(images)).subarray(16);
    const size = 28 * 28, classes = [];
    const [{name, shape}] = session.inputMetadata;
    for (let i = 0; i < pixels.length / size; i++) {
        const raw = pixels.subarray(i * size, (i + 1) * size);
        const image = Float32Array.from(raw, p => Math.fround(p * scale + offset));
        const result = await session.run({[name]: new ort.Tensor('float32', image, shape)});
        const score = result[session.outputNames[0]].data;
        classes.push(score.indexOf(Math.max(...score)));
    }
    fs.writeFileSync(out, classes.join('\n') + '\n');
}

const [model, images, scale, out, offset] = process.argv.slice(2);
main(model, images, Number(scale), out, Number(offset ?? 0)).catch(error => {
    console.error(`ort_classes: ${error.message}`);
    process.exit(1);
});
