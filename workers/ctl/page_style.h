/* SPDX-License-Identifier: MIT */
/* The style sheet of page.h: colours by the reader's system, sections in columns, the room that
 * plots keep for their labels (plot.h). PAGE_NARROW is in pixels. */
#ifndef CTL_PAGE_STYLE_H
#define CTL_PAGE_STYLE_H

#define PAGE_NARROW "640"

#define PAGE_STYLE \
	":root{color-scheme:light dark;--bg:#fff;--card:#f6f7f9;--ink:#1a1f26;--soft:#56606c;" \
	"--rule:#dde1e6;--good:#2b6cb0;--bad:#c5352b;--again:#d08a1d;--other:#8b95a1;" \
	"--first:#2b6cb0;--second:#b3521e}\n" \
	"@media(prefers-color-scheme:dark){:root{--bg:#12151a;--card:#1a1f26;--ink:#e7eaee;" \
	"--soft:#a3adb9;--rule:#303843;--good:#63a4e8;--bad:#f0776c;--again:#e6b154;" \
	"--other:#77828f;--first:#63a4e8;--second:#f0a070}}\n" \
	"*{box-sizing:border-box}\n" \
	"body{margin:0 auto;padding:20px 24px;max-width:1360px;background:var(--bg);" \
	"color:var(--ink);font:15px/1.45 system-ui,-apple-system,\"Segoe UI\",Roboto,\"DejaVu Sans\"," \
	"sans-serif;overflow-wrap:anywhere}\n" \
	"h1{font-size:24px;margin:0 0 4px}h2{font-size:17px;margin:0 0 4px}\n" \
	"header p,footer p,.about{color:var(--soft);margin:0 0 12px}\n" \
	"footer{margin-top:20px;font-size:13px}\n" \
	"main{display:grid;gap:16px;grid-template-columns:repeat(2,minmax(0,1fr))}\n" \
	"main>dl,section.all{grid-column:1/-1}\n" \
	"section,.tiles>div{background:var(--card);border:1px solid var(--rule);border-radius:8px}\n" \
	"section{padding:14px 16px;min-width:0}\n" \
	".tiles{display:grid;gap:12px;margin:4px 0 0;" \
	"grid-template-columns:repeat(4,minmax(0,1fr))}\n" \
	".tiles>div{padding:10px 14px}dt{color:var(--soft);font-size:13px}dd{margin:0;font-size:22px;" \
	"font-weight:600}dd.bad{color:var(--bad)}dd.small{font-size:13px;font-weight:400;" \
	"color:var(--soft)}\n" \
	".good{--c:var(--good)}.bad{--c:var(--bad)}.again{--c:var(--again)}.other{--c:var(--other)}" \
	".first{--c:var(--first)}.second{--c:var(--second)}\n" \
	".plot{display:block;width:100%;overflow:visible;font-size:12px;margin:8px 0}\n" \
	".wide{height:calc(var(--h) + 56px);padding:26px 22px 30px 66px}\n" \
	".rows{height:calc(var(--h) + 50px);padding:26px 6px 24px 0}\n" \
	".plot text{fill:var(--ink)}.plot .unit,.plot .amount,.plot .time{fill:var(--soft)}\n" \
	".wide .unit{transform:translate(-66px,0)}\n" \
	".amount,.value{text-anchor:end}.time{text-anchor:middle}.time.first{text-anchor:start}" \
	".time.last{text-anchor:end}\n" \
	".value{font-variant-numeric:tabular-nums}\n" \
	".grid,.tick{stroke:var(--rule)}.track{fill:var(--rule);opacity:.5}\n" \
	".mark{fill:var(--c)}.line{fill:none;stroke:var(--c);stroke-width:1.5;" \
	"vector-effect:non-scaling-stroke}.line.second{stroke-dasharray:5 3}\n" \
	".before{stroke:var(--ink);stroke-width:2}\n" \
	".clip{overflow:hidden}\n" \
	".legend{display:flex;flex-wrap:wrap;gap:4px 18px;list-style:none;margin:6px 0;padding:0;" \
	"font-size:13px}\n" \
	".swatch{display:inline-block;width:11px;height:11px;border-radius:2px;margin-right:6px;" \
	"background:var(--c)}.swatch.upright{width:2px;background:var(--ink)}\n" \
	".note{font-size:13px;color:var(--soft);margin:6px 0}" \
	".empty{color:var(--soft);font-style:italic;margin:18px 0}\n" \
	"details{margin-top:6px;font-size:13px}summary{cursor:pointer;color:var(--soft)}\n" \
	".scroll{overflow:auto;max-height:420px;margin-top:8px}\n" \
	"table{border-collapse:collapse;width:100%;font-size:13px}" \
	"caption{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}\n" \
	"th,td{text-align:left;vertical-align:top;padding:4px 10px 4px 0;" \
	"border-bottom:1px solid var(--rule);overflow-wrap:break-word;max-width:480px}\n" \
	"th{color:var(--soft);font-weight:600;position:sticky;top:0;background:var(--card)}\n" \
	".number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}\n" \
	"@media(max-width:900px){main{grid-template-columns:minmax(0,1fr)}" \
	".tiles{grid-template-columns:repeat(2,minmax(0,1fr))}}\n" \
	"@media(max-width:" PAGE_NARROW "px){body{padding:12px}section{padding:12px}" \
	".plot .minor{display:none}td{max-width:220px}}\n" \
	"@media print{section{break-inside:avoid}.scroll{max-height:none;overflow:visible}}\n"

#endif
