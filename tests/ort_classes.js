// ort_classes.js MODEL IMAGES SCALE OUT: the class that onnxruntime finds for each image of an IDX file (gzipped), one a
// line: what examples/fashion/main.c writes for generated code. Pixels are multiplied by SCALE. Run with NODE_PATH set
// to the folder that tests/onnxruntime.sh filled.
const fs = require('fs');
const zlib = require('zlib');
const ort = require('onnxruntime-node');

async function main(model, images, scale, out) {
    const session = await ort.InferenceSession.create(model, {intraOpNumThreads: 1, logSeverityLevel: 3});
    const pixels = zlib.gunzipSync(fs.readFileSync(images)).subarray(16);
    const size = 28 * 28, classes = [];
    const [{name, shape}] = session.inputMetadata;
    for (let i = 0; i < pixels.length / size; i++) {
        const image = Float32Array.from(pixels.subarray(i * size, (i + 1) * size), p => Math.fround(p * scale));
        const result = await session.run({[name]: new ort.Tensor('float32', image, shape)});
        const score = result[session.outputNames[0]].data;
        classes.push(score.indexOf(Math.max(...score)));
    }
    fs.writeFileSync(out, classes.join('\n') + '\n');
}

const [model, images, scale, out] = process.argv.slice(2);
main(model, images, Number(scale), out).catch(error => {
    console.error(`ort_classes: ${error.message}`);
    process.exit(1);
});
