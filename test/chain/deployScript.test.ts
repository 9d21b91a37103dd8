import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createChain } from '../../src/chain/createChain.ts'
import { loadDeployment } from '../../src/chain/deployment.ts'
import { verifyDeployment } from '../../src/chain/verifyDeployment.ts'
import { publicParameters } from '../../src/domain/networkParameters.ts'
import { type Anvil, startAnvil } from '../support/anvil.ts'
import { toTestKey } from '../support/chainFixtures.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)
/** Compiling takes most of it. */
const timeoutMs = 480_000

let folder: string
let anvil: Anvil
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cuckoo-script-'))
  anvil = await startAnvil()
})
afterAll(async () => {
  await anvil?.stop()
  await rm(folder, { recursive: true })
})

/** What `forge script Deploy.s.sol` prints, with build and broadcast folders of its own. */
async function runScript(args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const forge = join(dirname(createRequire(import.meta.url).resolve('@foundry-rs/forge/package.json')), 'bin.mjs')
  const settings = {
    FOUNDRY_OUT: join(folder, 'out'),
    FOUNDRY_CACHE_PATH: join(folder, 'cache'),
    FOUNDRY_BROADCAST: join(folder, 'broadcast'),
    FOUNDRY_VIA_IR: 'true',
  }
  const all = [forge, 'script', 'contracts/script/Deploy.s.sol', '--rpc-url', anvil.rpcUrl, ...args]
  const { stdout } = await run(process.execPath, all, { cwd: root, env: { ...process.env, ...settings, ...env }, timeout: timeoutMs })
  return stdout
}

test('the forge script makes the network that cuckoo makes, and says where it is', { timeout: timeoutMs }, async () => {
  const env = { CUCKOO_PRIVATE_KEY: toTestKey(0), CUCKOO_NETWORK: 'mine', CUCKOO_RPC_URL: anvil.rpcUrl }
  const printed = await runScript(['--broadcast', '--slow'], env)
  const line = /^\s*(\{"network".*\})$/m.exec(printed)?.[1]
  const path = join(folder, 'mine.json')
  await writeFile(path, line ?? '')
  const deployment = await loadDeployment(path)
  expect(deployment).toMatchObject({ network: 'mine', chainId: 31337, randomness: 'drand', rpcUrls: [anvil.rpcUrl] })
  // Our code at each address, drand's key, and the same parameters as `cuckoo deploy` has for public chains.
  expect(await verifyDeployment(deployment, { parameters: publicParameters })).toEqual(publicParameters)
  await createChain({ deployment })

  await runScript(['--sig', 'verify(address)', deployment.contracts.staking])
  const other = runScript(['--sig', 'verify(address)', deployment.contracts.staking], { CUCKOO_JAIL_SECONDS: '5' })
  const failure = await other.catch((error) => `${error.stdout}${error.stderr}`)
  expect(failure).toMatch(/ValueUnexpected\("jailSeconds", 604800/)
})
