// Starts github-simulator and sends gh through it: node gh.mjs SIMULATOR PROXY
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Simulator, token } from './simulator.mjs';

const [, , binary, proxy] = process.argv;
const simulator = await Simulator.begin(binary, proxy);
const { status } = spawnSync(fileURLToPath(new URL('gh.sh', import.meta.url)), [simulator.proxied, token, simulator.url], { stdio: 'inherit' });
assert.equal(status, 0);
// gh does not sign in as an App; Octokit does.
assert.deepEqual((await simulator.unasked()).filter((name) => name !== 'access_token'), [], 'operations that gh has not asked for');
process.exit(0);
