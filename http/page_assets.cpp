#include "http/page_assets.hpp"

namespace ci::http {

const char* const page_style = R"css(
:root {
  color-scheme: light dark;
  --back: #f5f6f8; --card: #fff; --text: #1b1f27; --soft: #5d6675; --line: #e1e5eb; --track: #e7eaef;
  --idle: #1f9d57; --reserved: #8250df; --busy: #1f6feb; --starting: #bf8700; --ending: #7d8590; --invalid: #cf222e;
  --bad-back: #fff1f0; --bad-line: #f3b9b5; --bad-text: #8c1d18; --warn-back: #fff8e5; --warn-line: #ecd28b;
  --warn-text: #6b5300; --link: #0a58ca;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #0e1116; --card: #171b22; --text: #e6eaf0; --soft: #97a1b0; --line: #2a313c; --track: #262d37;
    --idle: #3fb96d; --reserved: #a98bf5; --busy: #5a9bff; --starting: #d9a62e; --ending: #8b949e; --invalid: #f2655f;
    --bad-back: #2d1416; --bad-line: #6e2b2b; --bad-text: #ffb4ae; --warn-back: #2a2210; --warn-line: #5f4d18;
    --warn-text: #f0d58a; --link: #7cb0ff;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif; }
main { max-width: 1290px; margin: 0 auto; padding: 28px 24px 56px; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
code, .mono { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .88em; }
header { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 14px; margin-bottom: 22px; }
header .logo { width: 30px; height: 30px; flex: none; }
header h1 { font-size: 21px; line-height: 1.2; margin: 0; letter-spacing: -.01em; }
header .soft { margin-left: auto; text-align: right; }
h2 { font-size: 13px; font-weight: 600; text-transform: uppercase; letter-spacing: .06em; color: var(--soft);
  margin: 32px 0 10px; }
h2 .count { font-weight: 400; }
.soft { color: var(--soft); font-size: 13px; }
.chip { display: inline-flex; align-items: center; gap: 7px; padding: 2px 11px 2px 9px; border-radius: 99px;
  border: 1px solid var(--line); background: var(--card); font-size: 13px; white-space: nowrap; }
.dot { width: 9px; height: 9px; border-radius: 50%; background: var(--ending); flex: none; display: inline-block; }
.dot.Idle, .dot.well { background: var(--idle); } .dot.Reserved { background: var(--reserved); }
.dot.Busy { background: var(--busy); } .dot.StartedOrCrashed, .dot.warn { background: var(--starting); }
.dot.Invalid, .dot.bad { background: var(--invalid); }
.banner { border: 1px solid var(--warn-line); background: var(--warn-back); color: var(--warn-text);
  border-radius: 10px; padding: 10px 15px; margin: 0 0 10px; overflow-wrap: anywhere; }
.banner.bad { border-color: var(--bad-line); background: var(--bad-back); color: var(--bad-text); }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(280px, 1fr)); gap: 14px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 14px 18px; min-width: 0;
  display: flex; flex-direction: column; }
.card h3 { font-size: 16px; margin: 0; max-width: 100%; overflow-wrap: break-word; }
.card .top { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline; gap: 0 12px; }
.card .big { font-size: 23px; font-weight: 650; letter-spacing: -.02em; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
.card .big small { font-size: 13.5px; font-weight: 400; color: var(--soft); letter-spacing: 0; }
.bar { display: block; width: 100%; height: 9px; border-radius: 5px; margin: 10px 0 11px; background: var(--track); }
.bar .Idle { fill: var(--idle); } .bar .Reserved { fill: var(--reserved); } .bar .Busy { fill: var(--busy); }
.bar .StartedOrCrashed { fill: var(--starting); } .bar .DoneOrUnregistered { fill: var(--ending); }
.bar .Invalid { fill: var(--invalid); } .bar .held { fill: var(--busy); } .bar .full { fill: var(--starting); }
.legend { list-style: none; margin: 0 0 10px; padding: 0; display: grid; gap: 2px 6px; font-size: 12.5px;
  grid-template-columns: repeat(3, auto); justify-content: space-between; }
.legend li { display: flex; align-items: center; gap: 5px; white-space: nowrap; }
.legend .none { opacity: .45; }
.card .foot { border-top: 1px solid var(--line); padding-top: 9px; margin-top: auto; }
.card .bar:last-child { margin-bottom: 4px; }
.card .why { color: var(--invalid); font-size: 13.5px; margin: 0 0 9px; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th { text-align: left; font-weight: 600; font-size: 12.5px; color: var(--soft); padding: 9px 14px; white-space: nowrap; }
td { padding: 9px 14px; border-top: 1px solid var(--line); vertical-align: top; }
tbody tr:hover { background: color-mix(in srgb, var(--track) 45%, transparent); }
td.tight, td.tight .soft { white-space: nowrap; font-variant-numeric: tabular-nums; }
td .status { display: inline-flex; align-items: center; gap: 7px; white-space: nowrap; }
td .soft { display: block; overflow-wrap: anywhere; }
td.wide { width: 34%; min-width: 210px; }
td.screen { padding: 6px 0 6px 14px; }
img.screen { display: block; border-radius: 5px; background: var(--track); object-fit: cover; }
.empty { padding: 18px; color: var(--soft); text-align: center; }
ul.names { margin: 0; padding: 13px 18px 13px 34px; background: var(--card); border: 1px solid var(--line);
  border-radius: 12px; overflow-wrap: anywhere; }
footer { margin-top: 34px; display: flex; flex-wrap: wrap; gap: 4px 16px; color: var(--soft); font-size: 13px; }
#lost { display: none; position: fixed; left: 50%; transform: translateX(-50%); bottom: 18px; z-index: 1;
  padding: 7px 16px; border-radius: 99px; background: var(--invalid); color: #fff; font-size: 14px; }
body.lost #lost { display: block; }
@media (max-width: 600px) {
  main { padding: 18px 14px 40px; }
  header .soft { margin-left: 0; text-align: left; width: 100%; }
}
)css";

const char* const page_script = R"js(
(function () {
  'use strict';
  var main = document.getElementById('contents'), etag = null, lastHeard = Date.now();
  function age(s) {
    if (s < 0) s = 0;
    if (s < 60) return Math.floor(s) + ' s';
    if (s < 3600) return Math.floor(s / 60) + ' min';
    if (s < 86400) return Math.floor(s / 3600) + ' h ' + Math.floor(s % 3600 / 60) + ' min';
    return Math.floor(s / 86400) + ' d ' + Math.floor(s % 86400 / 3600) + ' h';
  }
  function tick() {
    var now = Date.now();
    main.querySelectorAll('time[data-kind]').forEach(function (t) {
      var s = (now - Date.parse(t.dateTime)) / 1000, k = t.dataset.kind, text;
      if (!t.title) t.title = t.textContent;
      if (k === 'age') text = age(s);
      else if (k === 'ago') text = age(s) + ' ago';
      else text = s < 0 ? 'in ' + age(-s) : age(s) + ' ago';
      if (t.textContent !== text) t.textContent = text;
    });
    document.body.classList.toggle('lost', now - lastHeard > 8000);
    pictures(now);
  }
  function pictures(now) {
    if (document.hidden) return;
    var at = '?at=' + Math.floor(now / 5000);
    main.querySelectorAll('img.screen').forEach(function (i) {
      var src = i.getAttribute('src').split('?')[0] + at;
      if (i.getAttribute('src') !== src) i.setAttribute('src', src);
    });
  }
  function selecting() {
    var s = window.getSelection();
    return s && !s.isCollapsed && main.contains(s.anchorNode);
  }
  function poll() {
    if (document.hidden) { lastHeard = Date.now(); return again(); }
    var stop = new AbortController(), timer = setTimeout(function () { stop.abort(); }, 7000);
    fetch('dashboard.html', { headers: etag ? { 'If-None-Match': etag } : {}, cache: 'no-store', signal: stop.signal })
      .then(function (r) {
        if (r.status === 304) { lastHeard = Date.now(); return; }
        if (!r.ok) throw new Error(r.status);
        return r.text().then(function (text) {
          lastHeard = Date.now();
          if (selecting()) return;
          etag = r.headers.get('ETag');
          main.innerHTML = text;
          pictures(Date.now());
        });
      })
      .catch(function () {})
      .then(function () { clearTimeout(timer); tick(); again(); });
  }
  function again() { setTimeout(poll, 2000); }
  tick();
  setInterval(tick, 1000);
  again();
})();
)js";

} // namespace ci::http
