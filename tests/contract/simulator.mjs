// A github-simulator for the clients' tests, behind the validating proxy.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

export const token = 'contract-token';
export const owner = 'octo-org';
export const repo = 'octo-repo';

export async function until(what, condition, seconds = 30) {
  for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline; await pause(20)) {
    const value = await condition();
    if (value) return value;
  }
  throw new Error(`not within ${seconds} s: ${what}`);
}

/** A program that is ended with this one; `text(file)` is what it writes into a file in its folder. */
export class Program {
  constructor(command, ...parameters) {
    this.folder = mkdtempSync(join(tmpdir(), 'ci-monitor-contract-'));
    this.child = spawn(command, parameters.map((p) => p.replace('{folder}', this.folder)), { stdio: ['ignore', 'ignore', 'inherit'] });
    process.on('exit', () => this.end());
  }

  path(name) { return join(this.folder, name); }

  async text(name) {
    return until(`${this.child.spawnfile} writes ${name}`, () => {
      assert.equal(this.child.exitCode, null, `${this.child.spawnfile} has ended`);
      return existsSync(this.path(name)) && readFileSync(this.path(name), 'utf8').trim();
    });
  }

  end() {
    this.child.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export class Simulator {
  static async begin(binary, proxy) {
    const self = new Simulator();
    self.program = new Program(binary, '--port', '0', '--port-file', '{folder}/port', '--token', token,
      '--scope', `repos/${owner}/${repo}`, '--scope', `orgs/${owner}`);
    self.url = `http://127.0.0.1:${(await self.program.text('port')).split(/\s+/).pop()}`;
    const opened = await fetch(`${proxy}/open`, { method: 'POST', body: JSON.stringify({ upstream: self.url }) });
    self.proxied = (await opened.json()).url;
    return self;
  }

  async control(method, what, body) {
    const answer = await fetch(`${this.url}/_control/${what}`, { method, body: body && JSON.stringify(body) });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${what}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }

  /** Operations of its REST API that nobody has asked for yet; the table of its README names all. */
  async unasked() {
    const readme = readFileSync(new URL('../simulators/README.md', import.meta.url), 'utf8');
    const table = readme.split('### The REST API')[1].split('###')[0];
    const all = [...table.matchAll(/^\| `(\w+)` \|/gm)].map((row) => row[1]);
    assert.ok(all.length >= 12);
    const { counters } = await this.control('GET', 'state');
    return all.filter((name) => !counters[name]);
  }
}
