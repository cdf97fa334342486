// Stands between ci-monitor (or any client) and github-simulator, and holds each request and each answer against GitHub's own
// description: node proxy.mjs --port-file FILE --report FILE
//
//   POST /open {"upstream": "http://127.0.0.1:1234"}  ->  {"url": "http://127.0.0.1:5678"}: a validating proxy for that one
//
// Traffic passes unchanged, whatever is found. At SIGTERM it writes the report and ends. Prism (as a library) does the
// comparing; this adds what Prism cannot do: redirects are checked here, GitHub's numeric aliases of repositories are
// translated, and Link headers lead back through the proxy. A client that is wrong on purpose says so in X-Wrong-On-Purpose.
import { createServer, request as send } from 'node:http';
import { renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { excuse } from './excused.mjs';
import { github, subset } from './subset.mjs';

const require = createRequire(import.meta.url);
const { createServer: createPrism } = require('@stoplight/prism-http-server');
const { getHttpOperationsFromSpec } = require('@stoplight/prism-http');

const { values: options } = parseArgs({ options: { 'port-file': { type: 'string' }, report: { type: 'string' } } });
const description = subset(github());
const operations = await getHttpOperationsFromSpec(structuredClone(description));

const templates = Object.entries(description.paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => ({
  name: `${method.toUpperCase()} ${path}`,
  method: method.toUpperCase(),
  pattern: new RegExp(`^${path.replace(/\{[^}]*\}/g, '[^/]+')}$`),
  literal: path.replace(/\{[^}]*\}/g, '').length,
}))).sort((a, b) => b.literal - a.literal);

const report = { answers: {}, violations: [], excused: {}, undescribed: {} };

const count = (where, key) => { where[key] = (where[key] ?? 0) + 1; };

function operationOf(method, target) {
  const path = target.split('?')[0];
  return templates.find((template) => template.method === method && template.pattern.test(path))?.name;
}

/** `meant`: "request" or "response" where a client is wrong, or has the simulator be wrong, to see that it is noticed. */
function judge(operation, status, violations, meant) {
  count(report.answers[operation] ??= {}, status);
  if (meant && !violations.some((violation) => violation.location[0] === meant)) {
    report.violations.push({ operation, status, at: meant, message: 'is wrong on purpose, and was not noticed' });
  }
  for (const violation of violations.filter(({ location }) => location[0] !== meant)) {
    const why = excuse(operation, status, violation);
    if (why) count(report.excused, why);
    else if (violation.severity === 'Error' || /status code/.test(violation.message)) {
      report.violations.push({ operation, status, at: violation.location.join('.'), message: violation.message });
    }
  }
}

const silent = new Proxy({}, { get: (_, name) => (name === 'child' ? () => silent : () => {}) });

async function startPrism(upstream) {
  const prism = createPrism(operations, {
    cors: false,
    config: {
      isProxy: true, upstream: new URL(upstream), upstreamProxy: undefined, validateRequest: true, validateResponse: true,
      checkSecurity: false, errors: false, mock: { dynamic: false },
    },
    components: { logger: silent },
  });
  return prism.listen(0, '127.0.0.1');
}

/** One request to an origin: the answer with its body. */
function exchange(origin, { method, path, headers, body }) {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(origin);
    const outgoing = send({ hostname, port, method, path, headers }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(parts) }));
      answer.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** The described path of a numeric alias, such as Link headers name; the description has no words for those. */
class Aliases {
  #known = new Map();

  learn(path, link) {
    const alias = /<[^>]*?(\/(?:repositories|organizations)\/\d+)\//.exec(link ?? '')?.[1];
    const scope = /^\/(?:repos\/[^/]+\/[^/]+|orgs\/[^/]+)/.exec(path)?.[0];
    if (alias && scope) this.#known.set(alias, scope);
  }

  translate(path) {
    const alias = /^\/(?:repositories|organizations)\/\d+/.exec(path)?.[0];
    return alias && this.#known.has(alias) ? this.#known.get(alias) + path.slice(alias.length) : path;
  }
}

/** An archive's redirect: Prism would follow it. */
function redirectViolations(answer) {
  const wrong = (message) => [{ location: ['response'], severity: 'Error', message }];
  if (answer.status !== 302) return answer.status === 410 || answer.status === 404 ? [] : wrong(`status code ${answer.status} instead of 302`);
  return URL.canParse?.(answer.headers.location) ?? answer.headers.location?.startsWith('http') ? [] : wrong('no Location to follow');
}

async function pass(incoming, body, { upstream, prism, aliases, own }) {
  const path = aliases.translate(incoming.url);
  const operation = operationOf(incoming.method, path);
  const message = { method: incoming.method, path, headers: { ...incoming.headers }, body };
  const direct = operation === undefined || path.startsWith('/_') || /\/artifacts\/\d+\/zip$/.test(path);
  const meant = message.headers['x-wrong-on-purpose'];
  delete message.headers['x-wrong-on-purpose'];
  delete message.headers.connection;
  const answer = await exchange(direct ? upstream : prism, message);
  if (operation === undefined) {
    if (!path.startsWith('/_')) count(report.undescribed, `${incoming.method} ${path.split('?')[0]} -> ${answer.status}`);
  } else {
    const found = direct ? redirectViolations(answer) : violationsOf(answer);
    // Prism, not the simulator, answers where the simulator is not there.
    if (answer.headers['content-type'] !== 'application/problem+json') judge(operation, answer.status, found, meant);
  }
  delete answer.headers['sl-violations'];
  if (answer.headers.link) {
    aliases.learn(path, answer.headers.link);
    answer.headers.link = answer.headers.link.replaceAll(upstream, own);
  }
  return answer;
}

function violationsOf(answer) {
  const header = answer.headers['sl-violations'];
  if (!header) return [];
  try {
    return JSON.parse(header);
  } catch {
    // Prism cuts a long list off.
    const location = [header.includes('"location":["request"') ? 'request' : 'response'];
    return [{ location, severity: 'Error', message: header.slice(0, 2000) }];
  }
}

function serve(handle) {
  return new Promise((resolve) => {
    const server = createServer((incoming, outgoing) => {
      const parts = [];
      incoming.on('data', (part) => parts.push(part));
      incoming.on('end', async () => {
        try {
          const answer = await handle(incoming, Buffer.concat(parts), `http://127.0.0.1:${server.address().port}`);
          const headers = { ...answer.headers };
          for (const name of ['connection', 'keep-alive', 'transfer-encoding']) delete headers[name];
          outgoing.writeHead(answer.status, headers).end(answer.body);
        } catch {
          incoming.socket.destroy(); // as GitHub not being there would look
        }
      });
    });
    server.listen(0, '127.0.0.1', () => resolve(server.address().port));
  });
}

async function open(upstream) {
  const context = { upstream, prism: await startPrism(upstream), aliases: new Aliases() };
  return `http://127.0.0.1:${await serve((incoming, body, own) => pass(incoming, body, { ...context, own }))}`;
}

const control = await serve(async (incoming, body) => {
  if (incoming.url !== '/open') return { status: 404, headers: {}, body: '' };
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ url: await open(JSON.parse(body).upstream) }) };
});
writeFileSync(`${options['port-file']}.new`, String(control));
renameSync(`${options['port-file']}.new`, options['port-file']);

process.on('SIGTERM', () => {
  writeFileSync(options.report, JSON.stringify(report, null, 1));
  process.exit(0);
});
