import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { getDeployment, loadDeployment, saveDeployment, stripUrl, toDeploymentPath } from '../../../src/chain/deployment.ts'
import { findNetwork, networks } from '../../../src/chain/networks.ts'
import type { Deployment } from '../../../src/domain/chainPort.ts'
import * as errors from '../../../src/errors/chain.ts'

const deployment: Deployment = {
  network: 'devnet',
  chainId: 31337,
  contracts: {
    staking: '0x5fbdb2315678afecb367f032d93f642f64180aa3',
    payments: `0x${'22'.repeat(20)}`,
    court: `0x${'33'.repeat(20)}`,
    epochs: `0x${'44'.repeat(20)}`,
    randomness: `0x${'55'.repeat(20)}`,
  },
  randomness: 'blockhash',
  deploymentBlock: 1,
  rpcUrls: ['http://127.0.0.1:8545'],
}
const withCode = (factory: { code: string }) => expect.objectContaining({ code: factory.code })

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cuckoo-deployment-'))
})
afterEach(() => rm(folder, { recursive: true }))

test('what is saved is what is loaded, and nothing else stays in the folder', async () => {
  const path = toDeploymentPath(folder, 'devnet')
  await saveDeployment(path, { ...deployment, chainId: 1 })
  await saveDeployment(path, deployment)
  expect(await loadDeployment(path)).toEqual(deployment)
  expect(await getDeployment(folder, 'devnet')).toEqual(deployment)
  expect(await readdir(join(folder, 'networks'))).toEqual(['devnet.json'])
})

test('addresses with a checksum become lower case', async () => {
  const path = join(folder, 'file.json')
  await writeFile(path, JSON.stringify({ ...deployment, contracts: { ...deployment.contracts, staking: '0x5FbDB2315678afecb367f032d93F642f64180aa3' } }))
  expect(await loadDeployment(path)).toEqual(deployment)
})

test.each<[string, unknown]>([
  ['text', 'hello'],
  ['null', null],
  ['an empty object', {}],
  ['a chain id as text', { ...deployment, chainId: '31337' }],
  ['a chain id of 0', { ...deployment, chainId: 0 }],
  ['a short address', { ...deployment, contracts: { ...deployment.contracts, staking: '0x5fbd' } }],
  ['a wrong checksum', { ...deployment, contracts: { ...deployment.contracts, staking: '0x5FbDB2315678afecb367f032d93F642f64180aA3' } }],
  ['no court', { ...deployment, contracts: { ...deployment.contracts, court: undefined } }],
  ['randomness of another kind', { ...deployment, randomness: 'dice' }],
  ['a negative block', { ...deployment, deploymentBlock: -1 }],
  ['a foreign URL', { ...deployment, rpcUrls: ['file:///etc/passwd'] }],
  ['a path for a network', { ...deployment, network: '../x' }],
])('refuses %s and says where', async (_what, value) => {
  const path = join(folder, 'file.json')
  await writeFile(path, JSON.stringify(value))
  await expect(loadDeployment(path)).rejects.toEqual(withCode(errors.deploymentInvalid))
})

test('a file of the version that knew staking alone says what to do', async () => {
  const path = join(folder, 'file.json')
  const { randomness: _none, ...old } = { ...deployment, contracts: { staking: deployment.contracts.staking } }
  await writeFile(path, JSON.stringify(old))
  const error = await loadDeployment(path).catch((caught) => caught)
  expect(error).toEqual(withCode(errors.deploymentOutdated))
  expect(error.message).toBe(`${path} names a staking contract alone: it was written by an older version, whose network has neither payments nor a court.`)
  expect(error.hint).toMatchInlineSnapshot(
    `"Deploy all contracts with \`cuckoo deploy\`, or start the devnet anew: \`cuckoo devnet stop\`, \`cuckoo devnet start\`."`,
  )
})

test('refuses what is no JSON, too large, absent or a folder', async () => {
  await writeFile(join(folder, 'cut'), '{"network":')
  await writeFile(join(folder, 'large'), ' '.repeat(64 * 1024 + 1))
  await expect(loadDeployment(join(folder, 'cut'))).rejects.toEqual(withCode(errors.deploymentInvalid))
  await expect(loadDeployment(join(folder, 'large'))).rejects.toEqual(withCode(errors.deploymentInvalid))
  await expect(loadDeployment(join(folder, 'absent'))).rejects.toEqual(withCode(errors.deploymentFileMissing))
  await expect(loadDeployment(folder)).rejects.toEqual(withCode(errors.deploymentUnreachable))
  await expect(saveDeployment(join(folder, 'cut', 'x.json'), deployment)).rejects.toEqual(withCode(errors.deploymentUnwritable))
})

test('a network without a deployment says what to do', async () => {
  const hints = await Promise.all(['devnet', 'cuckoo'].map((network) => getDeployment(folder, network).catch((error) => [error.code, error.hint])))
  expect(hints).toMatchInlineSnapshot(`
    [
      [
        "CUCKOO_CHAIN_DEPLOYMENT_MISSING",
        "Start the local network with \`cuckoo devnet start\`.",
      ],
      [
        "CUCKOO_CHAIN_DEPLOYMENT_MISSING",
        "Name the deployment file with --deployment <file|url>, or deploy with \`cuckoo deploy\`.",
      ],
    ]
  `)
})

describe('from a URL', () => {
  const serve = async (status: number, body: string): Promise<{ url: string; close: () => Promise<void> }> => {
    const server = createServer((_request, response) => response.writeHead(status, { location: '/elsewhere' }).end(body))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const close = () => new Promise<void>((resolve) => void server.close(() => resolve()).closeAllConnections())
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/d.json`, close }
  }

  test.each<[string, number, string, { code: string } | null]>([
    ['a deployment', 200, JSON.stringify(deployment), null],
    ['something else', 200, '[]', errors.deploymentInvalid],
    ['64 KiB and more', 200, ' '.repeat(64 * 1024 + 1), errors.deploymentInvalid],
    ['404', 404, JSON.stringify(deployment), errors.deploymentUnreachable],
    ['a redirect', 302, '', errors.deploymentUnreachable],
  ])('that answers %s', async (_what, status, body, failure) => {
    const { url, close } = await serve(status, body)
    try {
      const result = await loadDeployment(url).catch((error) => error)
      expect(result).toEqual(failure === null ? deployment : withCode(failure))
    } finally {
      await close()
    }
  })

  test('is refused without https unless it is this machine', async () => {
    await expect(loadDeployment('http://example.test/d.json?key=secret')).rejects.toEqual(withCode(errors.deploymentInsecure))
  })

  test('that nobody listens on', async () => {
    const { url, close } = await serve(200, '')
    await close()
    const error = await loadDeployment(`${url}?key=secret`).catch((caught) => caught)
    expect(error).toEqual(withCode(errors.deploymentUnreachable))
    expect(error.message).toContain('ECONNREFUSED')
    expect(error.message).not.toContain('secret')
  })
})

test('a URL is shown without its secrets', () => {
  expect(stripUrl('https://me:secret@rpc.example/v1?key=secret#secret')).toBe('https://rpc.example/v1')
  expect(stripUrl('http://127.0.0.1:8545')).toBe('http://127.0.0.1:8545')
  expect(stripUrl('secret')).toBe('the given URL')
})

test('networks are found by name, and only by their own', () => {
  expect(Object.values(networks).map(({ name, chainId }) => [name, chainId])).toEqual([
    ['devnet', 31337],
    ['cuckoo', 1200],
    ['cuckoo-sepolia', 1210],
  ])
  expect(findNetwork('cuckoo')?.rpcUrls).toEqual(['https://mainnet-rpc.cuckoo.network'])
  expect(findNetwork('toString')).toBeUndefined()
})
