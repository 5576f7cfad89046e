"""The style sheet of report.html: light and dark, wide and narrow, on paper, nothing fetched from outside."""

CSS = """
:root { color-scheme: light dark; --page: #f6f8fa; --card: #fff; --ink: #1f2328; --faint: #59636e; --line: #d1d9e0;
  --blue: #0072b2; --tint: #e8f2f9; --warn: #fff4e0; --warn-line: #e69f00; }
@media (prefers-color-scheme: dark) { :root { --page: #0d1117; --card: #161b22; --ink: #e6edf3; --faint: #9da7b1;
  --line: #30363d; --blue: #58b0e3; --tint: #14283a; --warn: #2c2210; --warn-line: #b77f1c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); line-height: 1.5; font-size: 16px; font-family:
  system-ui, -apple-system, "Segoe UI", "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 8px; }
h2 { font-size: 1.25rem; margin: 44px 0 12px; }
h3 { font-size: 1rem; margin: 22px 0 8px; }
p { margin: 0 0 10px; max-width: 75ch; }
.faint { color: var(--faint); font-size: .9rem; }
nav { display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 18px 0 0; font-size: .9rem; }
a { color: var(--blue); text-decoration: none; }
a:hover { text-decoration: underline; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 8px 20px; margin: 18px 0 0; }
.facts dt { color: var(--faint); font-size: .82rem; }
.facts dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; }
.note { background: var(--warn); border-left: 4px solid var(--warn-line); border-radius: 6px; padding: 10px 14px;
  margin: 20px 0 0; max-width: none; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(205px, 1fr)); gap: 14px; }
.tile, .card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; }
.tile .name { font-size: .9rem; font-weight: 600; }
.tile .value { font-size: 1.85rem; font-weight: 650; line-height: 1.25; font-variant-numeric: tabular-nums; }
.tile .range, .tile .hint { color: var(--faint); font-size: .82rem; }
.tile svg { display: block; width: 100%; height: 10px; margin: 4px 0 6px; }
.track { fill: var(--line); } .span { fill: var(--blue); opacity: .45; } .mark { fill: var(--blue); }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 430px), 1fr)); gap: 14px;
  align-items: start; margin-top: 14px; }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px; }
figure img { display: block; max-width: 100%; height: auto; margin: 0 auto; border-radius: 6px; background: #fff; }
figcaption { color: var(--faint); font-size: .86rem; margin-top: 8px; overflow-wrap: anywhere; }
.sheet { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 12px; }
.sheet figure { padding: 8px; } .sheet img { width: 100%; }
.scroll { overflow-x: auto; width: fit-content; max-width: 100%; min-width: min(100%, 460px);
  background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: 7px 12px; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
tbody tr:last-child td { border-bottom: 0; }
thead th { color: var(--faint); font-weight: 600; background: var(--tint); vertical-align: bottom; }
td.number, th.number { text-align: right; white-space: nowrap; }
td small { display: block; color: var(--faint); font-size: .78rem; }
td:first-child, th:first-child { text-align: left; } td:first-child { font-weight: 600; }
details { margin: 12px 0; } summary { cursor: pointer; color: var(--blue); font-weight: 600; }
details[open] > summary { margin-bottom: 8px; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 14px; overflow-x: auto;
  font-size: .85rem; line-height: 1.45; margin: 8px 0; }
ul { margin: 0; padding-left: 22px; max-width: 80ch; } li { margin: 4px 0; overflow-wrap: anywhere; }
@media (max-width: 520px) { main { padding: 20px 14px 48px; } h1 { font-size: 1.5rem; }
  .tiles { grid-template-columns: repeat(2, 1fr); gap: 10px; } .tile { padding: 10px 12px; }
  .tile .value { font-size: 1.5rem; } th, td { padding: 6px 9px; } .sheet { grid-template-columns: repeat(2, 1fr); } }
@media print { body { background: #fff; } .tile, figure, tr { break-inside: avoid; } nav { display: none; } }
"""
