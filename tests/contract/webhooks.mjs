// Has github-simulator send each of its webhooks, and holds signature, headers and payload against GitHub's description:
// node webhooks.mjs GITHUB_SIMULATOR
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import { Program, owner, repo, token, until } from './simulator.mjs';
import { github, webhooks } from './subset.mjs';

const secret = "It's a Secret to Everybody";
const described = webhooks(github(), ['workflow-job-queued', 'workflow-job-in-progress', 'workflow-job-completed', 'workflow-run-completed']);
const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);
ajv.addSchema(described, 'github');

const came = [];
const receiver = createServer((incoming, outgoing) => {
  const parts = [];
  incoming.on('data', (part) => parts.push(part));
  incoming.on('end', () => {
    came.push({ headers: incoming.headers, method: incoming.method, url: incoming.url, body: Buffer.concat(parts) });
    outgoing.writeHead(202).end();
  });
});
await new Promise((resolve) => { receiver.listen(0, '127.0.0.1', resolve); });

const simulator = new Program(process.argv[2], '--port', '0', '--port-file', '{folder}/port', '--token', token,
  '--scope', `repos/${owner}/${repo}`, '--webhook-url', `http://127.0.0.1:${receiver.address().port}/github/webhook`, '--webhook-secret', secret);
const url = `http://127.0.0.1:${(await simulator.text('port')).split(/\s+/).pop()}`;

async function ask(method, path, body, bearer = token) {
  const answer = await fetch(url + path, { method, body: body && JSON.stringify(body), headers: { authorization: `Bearer ${bearer}` } });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : null;
}

/** One runner's whole life, with a job. */
async function work() {
  const { runner, encoded_jit_config: config } = await ask('POST', `/repos/${owner}/${repo}/actions/runners/generate-jitconfig`,
    { name: 'ci-runner-linux.7@ci0', runner_group_id: 1, labels: ['self-hosted', 'linux'] });
  const decoded = (text) => JSON.parse(Buffer.from(text, 'base64'));
  const credentials = decoded(decoded(config)['.credentials']);
  const says = (method, what, body) => ask(method, `/_runner/${runner.id}/${what}`, body, credentials.token);
  await ask('POST', '/_control/jobs', { repo: `${owner}/${repo}`, labels: ['linux'], seconds: 0 });
  await says('POST', 'session', { os: 'Linux', version: '2.336.0' });
  await says('GET', 'job?wait=5');
  await says('POST', 'done', { conclusion: 'success' });
}

await work();
const cancelled = await ask('POST', '/_control/jobs', { repo: `${owner}/${repo}`, labels: ['nobody'] });
await ask('DELETE', `/_control/jobs/${cancelled.id}`);
const expected = { 'workflow-job-queued': 2, 'workflow-job-in-progress': 1, 'workflow-job-completed': 2, 'workflow-run-completed': 2 };
const all = Object.values(expected).reduce((sum, number) => sum + number);
await until(`${all} webhooks`, () => came.length >= all);

const counts = {};
const ids = new Set();
for (const { headers, method, url: path, body } of came) {
  assert.equal(`${method} ${path}`, 'POST /github/webhook');
  assert.equal(headers['x-hub-signature-256'], `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`);
  assert.equal(headers['content-type'], 'application/json');
  assert.match(headers['user-agent'], /^GitHub-Hookshot\//);
  assert.match(headers['x-github-delivery'], /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  for (const name of ['x-github-hook-id', 'x-github-hook-installation-target-id', 'x-github-hook-installation-target-type']) assert.ok(headers[name], name);
  ids.add(headers['x-github-delivery']);
  const payload = JSON.parse(body);
  const name = `${headers['x-github-event']}-${payload.action}`.replaceAll('_', '-');
  const validate = ajv.getSchema(`github#/webhooks/${name}`) ?? ajv.compile({ $ref: `github#/webhooks/${name}` });
  assert.ok(validate(payload), `${name}: ${ajv.errorsText(validate.errors, { separator: '\n' })}`);
  counts[name] = (counts[name] ?? 0) + 1;
}
assert.deepEqual(counts, expected);
assert.equal(ids.size, all);
// What GitHub does not describe is noticed: without this, a schema that takes anything would pass.
const wrong = JSON.parse(came.find(({ headers }) => headers['x-github-event'] === 'workflow_job').body);
delete wrong.workflow_job.runner_name;
assert.ok(!ajv.compile({ $ref: 'github#/webhooks/workflow-job-queued' })(wrong));
console.log(`  ${Object.entries(counts).map(([name, number]) => `${name}: ${number}`).join(', ')}`);
console.log(`${all} webhooks of ${Object.keys(counts).length} kinds validated`);
simulator.end();
receiver.close();
process.exit(0);
