// GitHub's own JavaScript client goes through every operation of github-simulator: node octokit.mjs SIMULATOR PROXY
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { createAppAuth } from '@octokit/auth-app';
import { Octokit } from '@octokit/rest';
import { Simulator, owner, repo, token } from './simulator.mjs';

const [, , binary, proxy] = process.argv;
const simulator = await Simulator.begin(binary, proxy);
const octokit = new Octokit({ baseUrl: simulator.proxied, auth: token, log: { debug() {}, info() {}, warn() {}, error() {} } });
const { actions } = octokit.rest;
const here = { owner, repo };
const org = { org: owner };
const refused = (status) => (error) => error.status === status;
const onPurpose = { headers: { 'x-wrong-on-purpose': 'request' } };
const names = (labels) => labels.map((label) => label.name).sort();

const scopes = [
  {
    scope: here,
    register: actions.generateRunnerJitconfigForRepo, list: actions.listSelfHostedRunnersForRepo,
    get: actions.getSelfHostedRunnerForRepo, remove: actions.deleteSelfHostedRunnerFromRepo,
    labels: actions.listLabelsForSelfHostedRunnerForRepo, label: actions.addCustomLabelsToSelfHostedRunnerForRepo,
    set: actions.setCustomLabelsForSelfHostedRunnerForRepo, unlabel: actions.removeCustomLabelFromSelfHostedRunnerForRepo,
    clear: actions.removeAllCustomLabelsFromSelfHostedRunnerForRepo,
  },
  {
    scope: org,
    register: actions.generateRunnerJitconfigForOrg, list: actions.listSelfHostedRunnersForOrg,
    get: actions.getSelfHostedRunnerForOrg, remove: actions.deleteSelfHostedRunnerFromOrg,
    labels: actions.listLabelsForSelfHostedRunnerForOrg, label: actions.addCustomLabelsToSelfHostedRunnerForOrg,
    set: actions.setCustomLabelsForSelfHostedRunnerForOrg, unlabel: actions.removeCustomLabelFromSelfHostedRunnerForOrg,
    clear: actions.removeAllCustomLabelsFromSelfHostedRunnerForOrg,
  },
];

async function checkRunners({ scope, register, list, get, remove, labels, label, set, unlabel, clear }) {
  const wanted = { ...scope, name: 'ci-runner-linux.1@ci0', runner_group_id: 1, labels: ['self-hosted', 'self-hosted-image:linux'] };
  const made = await register(wanted);
  assert.equal(made.status, 201);
  const { runner } = made.data;
  assert.ok(runner.id > 2 ** 31 && runner.status === 'offline' && runner.busy === false);
  assert.ok(JSON.parse(Buffer.from(made.data.encoded_jit_config, 'base64'))['.runner']);
  await assert.rejects(register(wanted), refused(409));
  await assert.rejects(register({ ...wanted, name: 'another', runner_group_id: undefined, ...onPurpose }), refused(422));
  for (let i = 2; i <= 35; i += 1) await register({ ...wanted, name: `ci-runner-linux.${i}@ci0` });
  const everyone = await octokit.paginate(list, scope); // two pages, over the Link header
  assert.equal(new Set(everyone.map((one) => one.id)).size, 35);
  const named = await list({ ...scope, name: runner.name });
  assert.deepEqual(named.data.runners.map((one) => one.id), [runner.id]);
  if (named.headers.etag) {
    await assert.rejects(list({ ...scope, name: runner.name, headers: { 'if-none-match': named.headers.etag } }), refused(304));
  }
  const it = { ...scope, runner_id: runner.id };
  assert.equal((await get(it)).data.name, runner.name);
  await assert.rejects(get({ ...scope, runner_id: 1 }), refused(404));
  await checkLabels(it, { labels, label, set, unlabel, clear });
  assert.equal((await remove(it)).status, 204);
  await assert.rejects(remove(it), refused(404));
}

async function checkLabels(it, { labels, label, set, unlabel, clear }) {
  const reserved = ['reserved-for:0f0e0d0c-0b0a-4908-8706-050403020100', 'reserved-since:1764000000', 'reserved-by:octo-org/octo-repo/actions/runs/1'];
  const added = await label({ ...it, labels: reserved });
  assert.ok(reserved.every((name) => names(added.data.labels).includes(name)));
  assert.deepEqual(names((await labels(it)).data.labels), names(added.data.labels));
  const left = await unlabel({ ...it, name: reserved[2] });
  assert.ok(!names(left.data.labels).includes(reserved[2]));
  await assert.rejects(unlabel({ ...it, name: reserved[2] }), refused(404));
  await assert.rejects(label({ ...it, labels: [], ...onPurpose }), refused(422));
  assert.ok(names((await set({ ...it, labels: ['a b/c'] })).data.labels).includes('a b/c'));
  assert.ok(!names((await clear(it)).data.labels).includes('a b/c'));
}

async function checkRuns() {
  const { run_id } = await simulator.control('POST', 'jobs', { labels: ['self-hosted', 'none-has-this'], repo: `${owner}/${repo}` });
  assert.equal((await actions.getWorkflowRun({ ...here, run_id })).data.id, run_id);
  await assert.rejects(actions.getWorkflowRun({ ...here, run_id: 1 }), refused(404));
  const jobs = await octokit.paginate(actions.listJobsForWorkflowRun, { ...here, run_id });
  assert.deepEqual(jobs.map((job) => job.status), ['queued']);
  return run_id;
}

// A zip that holds the file `info`.
const archive = Buffer.from('UEsDBBQAAAAAAAAAIVxGKrTEDAAAAAwAAAAEAAAAaW5mb3VuaXF1ZV9pZD14ClBLAQIUAxQAAAAAAAAAIVxGKrTEDAAAAAwAAAAEAAAAAAAAAA'
  + 'AAAACAAQAAAABpbmZvUEsFBgAAAAABAAEAMgAAAC4AAAAAAA==', 'base64');

async function checkArtifacts(run_id) {
  const upload = (name, more) => simulator.control('POST', 'artifacts', { run_id, name, archive: archive.toString('base64'), ...more });
  await upload('one');
  await upload('old', { expired: true });
  const { data } = await actions.listWorkflowRunArtifacts({ ...here, run_id, name: 'one' });
  assert.deepEqual(data.artifacts.map((artifact) => artifact.name), ['one']);
  const artifact_id = data.artifacts[0].id;
  assert.equal((await actions.getArtifact({ ...here, artifact_id })).data.size_in_bytes, archive.length);
  const it = { ...here, artifact_id, archive_format: 'zip' };
  const seen = await actions.downloadArtifact({ ...it, request: { redirect: 'manual' } });
  assert.equal(seen.status, 302);
  // The storage is another host, and refuses who shows it the token.
  assert.notEqual(new URL(seen.headers.location).hostname, new URL(simulator.proxied).hostname);
  assert.equal((await fetch(seen.headers.location, { headers: { authorization: `Bearer ${token}` } })).ok, false);
  assert.deepEqual(Buffer.from((await actions.downloadArtifact(it)).data), archive);
  const old = (await actions.listWorkflowRunArtifacts({ ...here, run_id, name: 'old' })).data.artifacts[0];
  await assert.rejects(actions.downloadArtifact({ ...it, artifact_id: old.id }), refused(410));
  assert.equal((await actions.deleteArtifact({ ...here, artifact_id })).status, 204);
  await assert.rejects(actions.getArtifact({ ...here, artifact_id }), refused(404));
}

// An App signs with a key of its own, and lives on an installation's token.
async function checkApp() {
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2048, publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  await simulator.control('PUT', 'app', { id: '4711', installation_id: 5, public_key: pair.publicKey });
  const app = (privateKey) => new Octokit({
    baseUrl: simulator.proxied, authStrategy: createAppAuth, auth: { appId: '4711', installationId: 5, privateKey }, log: octokit.log,
  });
  assert.equal((await app(pair.privateKey).rest.actions.listSelfHostedRunnersForRepo(here)).status, 200);
  const forged = generateKeyPairSync('rsa', { modulusLength: 2048, publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' } }).privateKey;
  await assert.rejects(app(forged).rest.actions.listSelfHostedRunnersForRepo(here), refused(401));
}

for (const scope of scopes) await checkRunners(scope);
await checkApp();
const run = await checkRuns();
await checkArtifacts(run);
assert.equal((await actions.cancelWorkflowRun({ ...here, run_id: run })).status, 202);
await assert.rejects(actions.cancelWorkflowRun({ ...here, run_id: run }), refused(409));
assert.ok((await octokit.rest.rateLimit.get()).data.resources.core.limit > 0);
await simulator.control('POST', 'faults', { operation: 'list', kind: 'wrong_types' });
await actions.listSelfHostedRunnersForRepo({ ...here, per_page: 1, headers: { 'x-wrong-on-purpose': 'response' } });
const stranger = new Octokit({ baseUrl: simulator.proxied, auth: 'wrong', log: octokit.log });
await assert.rejects(stranger.rest.actions.listSelfHostedRunnersForRepo(here), refused(401));
assert.deepEqual(await simulator.unasked(), [], 'operations that no client has asked for');
console.log('octokit: every operation');
process.exit(0);
