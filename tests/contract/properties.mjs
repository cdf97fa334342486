// Asks a running ci-monitor for anything that its description allows, and for what it does not: whatever comes in, no answer
// is a 5xx but 503, and every answer is described. node properties.mjs URL TOKEN WEBHOOK_SECRET
//   PROPERTY_SECONDS: how long (default 45). PROPERTY_SEED, PROPERTY_PATH: what a failure printed, to see it again.
// The service has files HEAD, a/b and .git/HEAD in both folders for guests.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { request as send } from 'node:http';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';

const [, , url, token, webhookSecret] = process.argv;
const { hostname, port } = new URL(url);
const seconds = Number(process.env.PROPERTY_SECONDS ?? 45);
const LEAST_PRODUCED = 90; // described answers; ten seconds make 98 under sanitizers, the default's 45 make 113
// What is not described may answer these: limits, and paths or methods that are not there.
const anywhere = new Set([400, 404, 405, 413, 414, 429, 431, 503]);

function exchange({ method, target, headers, body, guest }) {
  return new Promise((resolve, reject) => {
    const localAddress = guest ?? '127.0.0.1';
    const outgoing = send({ hostname, port, method, path: target, headers, localAddress, agent: false, timeout: 30_000 }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(parts) }));
      answer.on('error', reject);
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer within 30 s')));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

const first = await exchange({ method: 'GET', target: '/openapi.json', headers: {} });
const description = JSON.parse(first.body);
const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);
ajv.addSchema(description, 'openapi');
const escape = (key) => encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'));
const pointer = (...keys) => `openapi#/${keys.map(escape).join('/')}`;
const resolve = (value) => (value.$ref ? value.$ref.slice(2).split('/').reduce((at, key) => at[key], description) : value);

const operations = Object.entries(description.paths).flatMap(([path, methods]) => Object.entries(methods)
  .map(([method, described]) => ({ path, method, described, parameters: (described.parameters ?? []).map(resolve) })));

// --- What is asked ----------------------------------------------------------------------------------------------

const dashboard = JSON.parse((await exchange({ method: 'GET', target: '/dashboard.json', headers: {} })).body);
const { profile_runner_counts: profiles } = dashboard;
const guests = ['127.64.77.7', ...dashboard.runners.map(({ runner }) => runner.ipv4_address).filter(Boolean)];
const uuids = ['0f0e0d0c-0b0a-4908-8706-050403020100', '0F0E0D0C-0B0A-4908-8706-050403020101', '00000000-0000-4000-8000-000000000000'];
const plausible = {
  profile_key: fc.constantFrom(...Object.keys(profiles)),
  runner_id: fc.integer({ min: 1, max: 30 }).map(String),
  count: fc.integer({ min: 1, max: 3 }).map(String),
  minimum: fc.integer({ min: 1, max: 3 }).map(String),
  unique_id: fc.oneof(fc.constantFrom(...uuids), fc.uuid({ version: 4 })),
  qualified_repo: fc.constantFrom('octo-org/octo-repo', 'servo/servo'),
  run_id: fc.integer({ min: 1, max: 5 }).map(String),
  path: fc.constantFrom('HEAD', 'a/b', '.git/HEAD'),
  'If-None-Match': fc.constantFrom('*', '"x"', first.headers.etag),
  Range: fc.constantFrom('bytes=0-1', 'bytes=-5', 'bytes=9-', 'bytes=5-1', 'bytes=0-1,3-4', 'lines=1'),
};
const nasty = fc.oneof(fc.fullUnicodeString({ maxLength: 12 }), fc.constantFrom('', '0', '-1', '+1', '1.0', '1e3', ' 1', '9223372036854775807', '9223372036854775808',
  '..', '.', '%00', '\0', 'a/b', '../../etc/passwd', '\u202e', 'x'.repeat(300)));
const some = (name) => fc.oneof({ weight: 4, arbitrary: plausible[name] ?? nasty }, { weight: 1, arbitrary: nasty });
const encoded = (text) => encodeURIComponent(text.toWellFormed?.() ?? text.replace(/[\ud800-\udfff]/g, '?'));
const broken = fc.constantFrom('%', '%zz', '%c3', '%ff', '+', '&', '=', '%2F', ';');

const authorization = fc.oneof({ weight: 6, arbitrary: fc.constant(`Bearer ${token}`) },
  { weight: 1, arbitrary: fc.constantFrom(undefined, 'Bearer', 'Bearer wrong', 'Basic eA==', `bearer ${token}`, `Bearer ${token} x`) });
const commonHeaders = fc.record({
  authorization,
  'x-request-id': fc.constantFrom(undefined, 'a.b-c_9', 'no good', 'x'.repeat(65)),
  'x-real-ip': fc.constantFrom(undefined, '127.64.0.2', 'nonsense'),
  'x-reservation-key': fc.constantFrom(undefined, 'k'),
});
const body = fc.oneof({ weight: 8, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) });

const job = fc.record({ run_id: fc.nat(9), runner_id: fc.nat(30), runner_name: fc.oneof(fc.constant('ci-runner-linux.1@ci0'), nasty), labels: fc.constant([]) });
const delivery = fc.record({ action: fc.oneof(fc.constantFrom('queued', 'in_progress', 'completed'), nasty),
  repository: fc.constant({ full_name: 'octo-org/octo-repo' }), workflow_job: job, workflow_run: job }, { requiredKeys: [] });
const signed = fc.record({
  body: fc.oneof({ weight: 4, arbitrary: delivery.map((value) => Buffer.from(JSON.stringify(value))) },
    { weight: 1, arbitrary: fc.json().map((text) => Buffer.from(text)) }, { weight: 1, arbitrary: fc.uint8Array().map((bytes) => Buffer.from(bytes)) }),
  event: fc.oneof({ weight: 4, arbitrary: fc.constantFrom('workflow_job', 'workflow_run') }, { weight: 1, arbitrary: fc.constantFrom('ping', '', undefined) }),
  type: fc.oneof({ weight: 4, arbitrary: fc.constant('application/json') }, { weight: 1, arbitrary: fc.constantFrom('text/plain', undefined) }),
}).map(({ body: content, event, type }) => ({ body: content, headers: defined({ 'x-github-event': event, 'content-type': type,
  'x-hub-signature-256': `sha256=${createHmac('sha256', webhookSecret).update(content).digest('hex')}` }) }));

/** Zero, one or, rarely, two of a parameter. */
const occurrences = (parameter) => fc.oneof({ weight: 8, arbitrary: fc.tuple(some(parameter.name)) }, { weight: 1, arbitrary: fc.constant([]) },
  { weight: 1, arbitrary: fc.tuple(some(parameter.name), some(parameter.name)) });

function queryOf(parameters) {
  const named = parameters.filter((p) => p.in === 'query' && !p.explode)
    .map((p) => occurrences(p).map((values) => values.map((value) => `${p.name}=${encoded(value)}`)));
  const counts = parameters.some((p) => p.in === 'query' && p.explode)
    ? [fc.array(fc.tuple(some('profile_key'), fc.oneof(some('count'), fc.constantFrom('0', '10000', '10001'))), { maxLength: 3 })
      .map((pairs) => pairs.map(([key, value]) => `${encoded(key)}=${encoded(value)}`))] : [];
  const unknown = fc.oneof({ weight: 9, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.tuple(broken) });
  return fc.tuple(...named, ...counts, unknown).map((lists) => lists.flat().join('&'));
}

function asking(operation) {
  const places = operation.parameters.filter((p) => p.in === 'path');
  const inPath = ({ 'x-several-segments': several }, value) => (several ? value.split('/').map(encoded).join('/') : encoded(value));
  const webhook = operation.parameters.some((p) => p.name === 'X-Hub-Signature-256');
  const files = places.some((p) => p['x-several-segments']); // they are for guests alone
  const headers = operation.parameters.filter((p) => p.in === 'header' && plausible[p.name])
    .map((p) => fc.option(plausible[p.name], { nil: undefined }).map((value) => [p.name, value]));
  return fc.record({
    path: fc.tuple(...places.map((p) => some(p.name))).map((values) => places
      .reduce((path, p, i) => path.replace(`{${p.name}}`, () => inPath(p, values[i] || '-')), operation.path)),
    query: queryOf(operation.parameters), own: fc.tuple(...headers), common: commonHeaders, body,
    delivered: webhook ? fc.option(signed, { nil: undefined }) : fc.constant(undefined),
    method: fc.oneof({ weight: 12, arbitrary: fc.constant(operation.method.toUpperCase()) },
      { weight: 1, arbitrary: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS') }),
    guest: fc.oneof({ weight: files ? 1 : 8, arbitrary: fc.constant(undefined) }, { weight: files ? 8 : 1, arbitrary: fc.constantFrom(...guests) }),
  }).map(({ path, query, own, common, delivered, ...rest }) => ({
    path: operation.path, target: path + (query ? `?${query}` : ''), ...rest, ...delivered,
    headers: defined({ ...common, ...Object.fromEntries(own), ...delivered?.headers }),
  }));
}

const anyTarget = fc.record({
  target: fc.array(fc.oneof(nasty.map(encoded), broken, fc.constantFrom('/', '//', 'profile', 'runner', 'reservation', 'take', 'screenshot')), { maxLength: 6 })
    .map((parts) => `/${parts.join('/')}`),
  headers: commonHeaders.map(defined),
  body,
  method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'),
});

function defined(headers) {
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
}

// --- What is answered -------------------------------------------------------------------------------------------

const produced = new Map(); // by what was described: a request and its answer

function checkContent({ path, method }, response, answer) {
  const mediaType = (answer.headers['content-type'] ?? '').split(';')[0];
  if (!response.content) return assert.equal(answer.body.length, 0, 'a body where none is described');
  assert.ok(response.content[mediaType] ?? response.content['*/*'], `content type ${mediaType} is not described`);
  if (!mediaType.endsWith('json')) return undefined;
  const validate = ajv.getSchema(pointer('paths', path, method, 'responses', String(answer.status), 'content', mediaType, 'schema'));
  return assert.ok(validate(JSON.parse(answer.body)), ajv.errorsText(validate.errors));
}

function checkProblem(answer) {
  if (answer.body.length === 0) return;
  const validate = ajv.getSchema(pointer('components', 'schemas', 'Problem'));
  assert.ok(validate(JSON.parse(answer.body)), ajv.errorsText(validate.errors));
}

const patterns = Object.entries(description.paths).map(([path, methods]) => {
  const several = new Set(Object.values(methods).flatMap((described) => (described.parameters ?? []).map(resolve))
    .filter((p) => p['x-several-segments']).map((p) => p.name));
  const source = path.replace(/[.]/g, '\\.').replace(/\{(\w+)\}/g, (_, name) => (several.has(name) ? '.+' : '[^/]+'));
  return { path, pattern: new RegExp(`^${source}$`), literal: path.replace(/\{\w+\}/g, '').length };
}).sort((one, other) => other.literal - one.literal);

/** The operation that the request is of, made for it or by chance, if the method is its own. */
function asked({ path, target, method }) {
  const own = method === 'HEAD' ? 'get' : method.toLowerCase();
  const place = path ?? patterns.find(({ pattern }) => pattern.test(target.split('?')[0]))?.path;
  return operations.find((operation) => operation.path === place && operation.method === own);
}

function check(request, answer) {
  assert.ok(answer.status < 500 || answer.status === 503, `status ${answer.status}: ${answer.body}`);
  assert.ok(answer.headers['x-request-id'] && answer.headers.date && answer.headers['cache-control'], 'a common header is missing');
  const operation = asked(request);
  const response = operation?.described.responses[answer.status];
  if (response) {
    if (request.method !== 'HEAD') checkContent(operation, response, answer);
    produced.set(`${operation.method} ${operation.path} ${answer.status}`, { request, answer });
  } else {
    assert.ok(!operation && anywhere.has(answer.status), `status ${answer.status} is not described: ${answer.body}`);
    if (request.method !== 'HEAD') checkProblem(answer);
  }
}

/** What the check must complain of: answers that are described, if they were not, or were of another type. */
function checkTheCheck() {
  for (const [key, { request, answer }] of produced) {
    const { responses } = asked(request).described;
    const { [answer.status]: described } = responses;
    delete responses[answer.status];
    assert.throws(() => check(request, answer), /is not described/, `${key}: no complaint where it is not described`);
    responses[answer.status] = described;
    if (request.method === 'HEAD' || !(answer.headers['content-type'] ?? '').includes('json')) continue;
    assert.throws(() => check(request, { ...answer, body: Buffer.from('0') }), assert.AssertionError, `${key}: no complaint of a number`);
  }
}

const any = fc.oneof({ weight: 20, arbitrary: fc.oneof(...operations.map(asking)) }, { weight: 1, arbitrary: anyTarget });
const outcome = await fc.check(fc.asyncProperty(any, async (request) => check(request, await exchange(request))), {
  numRuns: 10_000_000, interruptAfterTimeLimit: seconds * 1000, markInterruptAsFailure: false,
  seed: process.env.PROPERTY_SEED && Number(process.env.PROPERTY_SEED), path: process.env.PROPERTY_PATH,
});
if (outcome.failed) {
  console.error(fc.defaultReportMessage(outcome));
  process.exit(1);
}
checkTheCheck();
const described = operations.reduce((sum, operation) => sum + Object.keys(operation.described.responses).length, 0);
console.log(`${outcome.numRuns} requests, ${produced.size} of ${described} described answers produced, seed ${outcome.seed}`);
assert.ok(produced.size >= LEAST_PRODUCED || process.env.PROPERTY_PATH, `too few: at least ${LEAST_PRODUCED} are wanted`);
process.exit(0);
