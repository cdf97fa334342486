// Prints what a proxy saw and ends with 1 if anything broke the contract: node report.mjs FILE [--every OPERATION...]
import { readFileSync } from 'node:fs';

const report = JSON.parse(readFileSync(process.argv[2]));
let requests = 0;
for (const [operation, statuses] of Object.entries(report.answers).sort()) {
  const counts = Object.entries(statuses).map(([status, number]) => `${status}: ${number}`);
  requests += Object.values(statuses).reduce((sum, number) => sum + number, 0);
  console.log(`  ${operation.padEnd(72)} ${counts.join(', ')}`);
}
console.log(`${requests} requests of ${Object.keys(report.answers).length} operations validated`);
for (const [what, number] of Object.entries(report.excused)) console.log(`  excused ${number}: ${what}`);
for (const [what, number] of Object.entries(report.undescribed)) console.log(`  not in GitHub's description, ${number}: ${what}`);
const shown = new Map();
for (const { operation, status, at, message } of report.violations) {
  const text = `${operation} -> ${status}: ${at}: ${message}`;
  shown.set(text, (shown.get(text) ?? 0) + 1);
}
for (const [text, number] of shown) console.log(`  VIOLATION ${number}: ${text}`);
process.exit(requests === 0 || report.violations.length > 0 ? 1 : 0);
