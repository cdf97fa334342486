// Of GitHub's own description (@octokit/openapi), the operations that ci-monitor or github-simulator know, with all that
// they refer to. Made when the tests run; nothing of it is kept in this repository.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const source = createRequire(import.meta.url).resolve('@octokit/openapi/generated/api.github.com.json');

const scoped = ['/repos/{owner}/{repo}', '/orgs/{org}'].flatMap((scope) => [
  `GET ${scope}/actions/runners`,
  `GET ${scope}/actions/runners/{runner_id}`,
  `DELETE ${scope}/actions/runners/{runner_id}`,
  `POST ${scope}/actions/runners/generate-jitconfig`,
  `GET ${scope}/actions/runners/{runner_id}/labels`,
  `POST ${scope}/actions/runners/{runner_id}/labels`,
  `PUT ${scope}/actions/runners/{runner_id}/labels`,
  `DELETE ${scope}/actions/runners/{runner_id}/labels`,
  `DELETE ${scope}/actions/runners/{runner_id}/labels/{name}`,
]);
const inRepository = [
  'GET runs/{run_id}',
  'GET runs/{run_id}/jobs',
  'POST runs/{run_id}/cancel',
  'GET runs/{run_id}/artifacts',
  'GET artifacts',
  'GET artifacts/{artifact_id}',
  'DELETE artifacts/{artifact_id}',
  'GET artifacts/{artifact_id}/{archive_format}',
].map((line) => line.replace(' ', ' /repos/{owner}/{repo}/actions/'));

export const operations = [...scoped, ...inRepository, 'GET /orgs/{org}/actions/runner-groups', 'GET /rate_limit', 'GET /meta',
  'POST /app/installations/{installation_id}/access_tokens'];

const at = (document, reference) => reference.slice(2).split('/').map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
  .reduce((value, key) => value?.[key], document);

function put(document, reference, value) {
  const keys = reference.slice(2).split('/');
  const last = keys.pop();
  keys.reduce((where, key) => (where[key] ??= {}), document)[last] = value;
}

/** Copies into `target` what `value` refers to, and what that refers to. */
function carry(source, target, value) {
  if (value === null || typeof value !== 'object') return;
  if (typeof value.$ref === 'string' && at(target, value.$ref) === undefined) {
    const wanted = at(source, value.$ref);
    put(target, value.$ref, wanted);
    carry(source, target, wanted);
  }
  Object.values(value).forEach((inner) => carry(source, target, inner));
}

export function github() {
  return JSON.parse(readFileSync(source));
}

export function subset(description) {
  const result = { openapi: description.openapi, info: description.info, servers: description.servers, paths: {}, components: {} };
  for (const operation of operations) {
    const [method, path] = operation.split(' ');
    const found = description.paths[path]?.[method.toLowerCase()];
    if (!found) throw new Error(`GitHub describes no ${operation}`);
    (result.paths[path] ??= {})[method.toLowerCase()] = found;
    carry(description, result, found);
  }
  return result;
}

/** The schemas of those webhooks' payloads by name, with all that they refer to. */
export function webhooks(description, names) {
  const result = { components: {}, webhooks: {} };
  for (const name of names) {
    const found = description['x-webhooks'][name]?.post.requestBody.content['application/json'].schema;
    if (!found) throw new Error(`GitHub describes no webhook ${name}`);
    result.webhooks[name] = found;
    carry(description, result, found);
  }
  return result;
}
