"""size_svg.py <REPORT.json >PICTURE.svg: flash of a model by layers, as bars, from `ternc size --json`: one bar for each
method. docs/size.svg is, in the folder of the source:

    ternc size examples/fashion/fashion.onnx --methods none,twn,stp --sparsity 0.9 --keep first,last --targets cortex-m4 \\
        --json | python3 tests/tools/size_svg.py >docs/size.svg"""
import json
import sys

WIDTH, LEFT, BAR, GAP, TOP, FULL = 760, 168, 12, 12, 64, 500
NAMES = {"none": "float", "twn": "ternary: TWN", "stp": "ternary: STP"}
STYLE = """<style>
  .page { fill: #ffffff; stroke: #d0d7de }
  .word { fill: #1f2328 }
  .head { fill: #1f2328; font-weight: 600; font-size: 14px }
  .number { fill: #57606a }
  .none { fill: #8c959f }
  .twn { fill: #4078c0 }
  .stp { fill: #2da44e }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; stroke: #30363d }
    .word, .head { fill: #e6edf3 }
    .number { fill: #9da7b3 }
    .none { fill: #6e7681 }
    .twn { fill: #539bf5 }
    .stp { fill: #57ab5a }
  }
</style>"""


def escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;")


def text(kind, x, y, words, anchor="start"):
    print(f'<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">{escaped(words)}</text>')


def zeros(result):
    """of the ternary weights, in words"""
    ternary = [l for l in result["layers"] if l["ternary"]]
    count = sum(l["weights"] for l in ternary)
    return f", {100 * sum(l['zeros'] for l in ternary) / count:.0f} % zeros" if count else ""


def flash(part):
    return part["code"] + part["constants"]


def groups(results):
    """(title, bytes for each result)"""
    for i, layer in enumerate(results[0]["layers"]):
        title = f"{layer['source'].split()[0]}, {layer['weights']:,} weights"
        yield title, [flash(r["layers"][i]) for r in results]
    yield "shared", [flash(r["shared"]) for r in results]
    yield "total", [r["flash"] for r in results]


def main():
    report = json.load(sys.stdin)
    results = report["results"]
    if len({(r["model"], r["target"], r["lowering"]) for r in results}) > 1:
        sys.exit("size_svg.py: one model, one target and one lowering, please")
    rows = list(groups(results))
    height = TOP + len(rows) * (len(results) * BAR + GAP) + 6
    most = max(max(sizes) for _, sizes in rows)
    print(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        "font-family=\"system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif\" font-size=\"11.5\">"
    )
    title = f"Bytes of flash on {results[0]['target']}, by layer"
    print(f"<title>{escaped(title)}</title>\n{STYLE}")
    print(f'<rect class="page" x=".5" y=".5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>')
    text("head", 16, 24, f"{title} ({report['compiler']}, {report['cflags']})")
    x = 16
    for r in results:
        words = NAMES[r["method"]] + zeros(r)
        print(f'<rect class="{r["method"]}" x="{x}" y="36" width="12" height="12"/>')
        text("word", x + 18, 46, words)
        x += 44 + 6.6 * len(words)
    y = TOP
    for title, sizes in rows:
        text("word", LEFT - 8, y + len(sizes) * BAR / 2 + 4, title, "end")
        for r, size in zip(results, sizes):
            length = max(FULL * size / most, 1)
            print(f'<rect class="{r["method"]}" x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR - 1}"/>')
            text("number", f"{LEFT + length + 5:.1f}", y + BAR - 2, f"{size:,}")
            y += BAR
        y += GAP
    print("</svg>")


main()
