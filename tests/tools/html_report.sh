#!/bin/sh
# html_report.sh: `ternc size --html` in headless Chromium: the page loads nothing, its charts show the measured bytes and
# nothing lies outside or on top of something else. Not part of run.sh. Needs the package chromium; 77 without it.
#   sh tests/tools/html_report.sh TERNC [FOLDER]   FOLDER: where report.html and report.png are left (default: a
#                                                  temporary one)
set -eu
ternc=$(realpath "$1")
source=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
chromium=$(command -v chromium) || {
    echo "skipped: chromium is not installed"
    exit 77
}
folder=${2:-$(mktemp -d)}
mkdir -p "$folder"
cd "$folder"
[ $# -gt 1 ] || trap 'rm -rf "$folder"' EXIT
rm -rf m
/usr/bin/python3 "$source/tests/models/make_models.py" m
cp m/tiny.onnx 'a "quoted" <name> & a very long one, so that its label has to be cut somewhere.onnx'
"$ternc" size m/tiny.onnx a*.onnx --methods none,twn,stp --targets host,cortex-m0plus,rv32imac,avr,wasm32 \
    --html report.html --json >report.json

# The page with a script that tells what the browser made of it.
{
    cat report.html
    cat <<'JS'
<script>
const found = {charts: [], loaded: performance.getEntriesByType("resource").length, wide: 0};
for (const svg of document.querySelectorAll("svg")) {
    const frame = svg.getBoundingClientRect(), chart = {bars: {}, outside: 0, overlaps: 0};
    const inside = b => b.left >= frame.left - 1 && b.right <= frame.right + 1 && b.top >= frame.top - 1 && b.bottom <= frame.bottom + 1;
    const boxes = [...svg.querySelectorAll("rect, text")].map(e => [e, e.getBoundingClientRect()]);
    for (const [e, b] of boxes) {
        chart.outside += !inside(b);
        if (e.tagName == "rect")
            (chart.bars[Math.round(b.top - frame.top)] ||= []).push([Number(e.dataset.bytes), b.width]);
    }
    for (const [e, a] of boxes)
        for (const [f, b] of boxes)
            chart.overlaps += e != f && Math.min(a.right, b.right) - Math.max(a.left, b.left) > 0.5 &&
                Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4;
    found.charts.push(chart);
}
found.wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
found.headings = [...document.querySelectorAll("h2")].map(e => e.textContent);
found.rows = document.querySelectorAll("tbody tr").length;
document.documentElement.innerHTML = "";
document.documentElement.append(JSON.stringify(found));
</script>
JS
} >probe.html
browse() {
    timeout 60 "$chromium" --headless --no-sandbox --disable-gpu --user-data-dir="$PWD/profile" --window-size=1200,1600 "$@" \
        2>chromium.log
}
browse --dump-dom "file://$PWD/probe.html" >probe.txt
browse --screenshot="$PWD/report.png" "file://$PWD/report.html" >/dev/null
/usr/bin/python3 - <<'PY'
import html, json, re
found = json.loads(html.unescape(re.sub(r"<[^>]*>", "", open("probe.txt").read())))
results = json.load(open("report.json"))["results"]
models = list(dict.fromkeys(r["model"] for r in results))
assert found["headings"] == models, (found["headings"], models)
assert found["loaded"] == 0 and found["wide"] <= 0, found
assert len(found["charts"]) == 2 * len(models)
for i, chart in enumerate(found["charts"]):
    assert chart["outside"] == 0 and chart["overlaps"] == 0, (i, chart)
    mine = [r for r in results if r["model"] == models[i // 2]]
    targets = list(dict.fromkeys(r["target"] for r in mine))
    mine.sort(key=lambda r: targets.index(r["target"]))
    bars = [chart["bars"][y] for y in sorted(chart["bars"], key=float)]
    want = [r["ram" if i % 2 else "flash"] for r in mine]
    assert [sum(n for n, _ in b) for b in bars] == want, (i, want, bars)
    scale = max(want) / max(sum(w for _, w in b) for b in bars)
    assert all(abs(w * scale - n) <= 0.02 * max(want) for b in bars for n, w in b), i
print(f"{len(found['charts'])} charts, {sum(len(c['bars']) for c in found['charts'])} bars, {found['rows']} rows as measured")
PY
