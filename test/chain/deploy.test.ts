import { createPublicClient, http } from 'viem'
import { describe, expect, test } from 'vitest'
import { stakingAbi } from '../../src/chain/contracts.generated.ts'
import { createChain } from '../../src/chain/createChain.ts'
import { deployContracts } from '../../src/chain/deployContracts.ts'
import { toRegistrationDigest } from '../../src/chain/registration.ts'
import { createLocalSigner } from '../../src/chain/signer.ts'
import { toHex } from '../../src/domain/hex.ts'
import * as errors from '../../src/errors/chain.ts'
import { toTestKey, useTestNetwork } from '../support/chainFixtures.ts'

const network = useTestNetwork()
const times = { thawSeconds: 120, epochSeconds: 30 }

test('what is deployed answers, with the times given', async () => {
  const { signer, rpcUrl } = network()
  const { deployment, report } = await deployContracts({ signer: signer(3), rpcUrl, network: 'devnet', ...times })
  expect(report).toMatchObject({ action: 'deploy', from: signer(3).address, to: null, dryRun: false })
  expect(deployment).toMatchObject({ network: 'devnet', chainId: 31337, rpcUrls: [rpcUrl], deploymentBlock: Number(report.blockNumber) })
  expect(await (await createChain({ deployment })).getTiming()).toEqual(times)
})

test('a dry run says where it would be and what it would cost, and sends nothing', async () => {
  const { signer, rpcUrl, chain } = network()
  const before = await chain.getBlocks()
  const planned = await deployContracts({ signer: signer(3), rpcUrl, network: 'devnet', ...times, dryRun: true })
  expect(planned.report).toMatchObject({ dryRun: true, hash: null, blockNumber: null })
  expect(await chain.getBlocks()).toEqual(before)
  const made = await deployContracts({ signer: signer(3), rpcUrl, network: 'devnet', ...times })
  expect(planned.deployment.contracts).toEqual(made.deployment.contracts)
  expect(planned.report.gas).toBeGreaterThanOrEqual(made.report.gas)
})

describe('refuses', () => {
  test.each([
    [{ thawSeconds: 59, epochSeconds: 30 }, 'thawSeconds'],
    [{ thawSeconds: 60, epochSeconds: 61 }, 'epochSeconds'],
  ])('times out of range: %j', async (wrong, name) => {
    const { signer, rpcUrl } = network()
    const failed = deployContracts({ signer: signer(3), rpcUrl, network: 'devnet', ...wrong })
    await expect(failed).rejects.toMatchObject({ code: errors.parameterInvalid.code, facts: { name } })
  })

  test('another chain than the network named', async () => {
    const { signer, rpcUrl } = network()
    const failed = deployContracts({ signer: signer(3), rpcUrl, network: 'cuckoo', ...times })
    await expect(failed).rejects.toMatchObject({ code: errors.chainMismatch.code, facts: { found: 31337, expected: 1200 } })
  })

  test('an account that cannot pay the gas', async () => {
    const poor = createLocalSigner(`0x${'42'.repeat(32)}`)
    const failed = deployContracts({ signer: poor, rpcUrl: network().rpcUrl, network: 'devnet', ...times })
    await expect(failed).rejects.toMatchObject({ code: errors.walletTooLow.code, facts: { availableCai: '0' } })
  })
})

test('a network of any name takes the chain id that the RPC says', async () => {
  const { signer, rpcUrl } = network()
  const url = new URL(rpcUrl)
  url.search = 'key=secret'
  const { deployment } = await deployContracts({ signer: signer(3), rpcUrl: url.href, network: 'mine', ...times })
  expect(deployment).toMatchObject({ network: 'mine', chainId: 31337, rpcUrls: [rpcUrl] })
})

test('domain separator and registration digest are those of the contract', async () => {
  const { deployment, chain, rpcUrl } = network()
  const client = createPublicClient({ transport: http(rpcUrl) })
  const address = deployment.contracts.staking
  const [owner, operator] = [createLocalSigner(toTestKey(1)).address, createLocalSigner(toTestKey(2)).address]
  expect(await client.readContract({ address, abi: stakingAbi, functionName: 'domainSeparator' })).toBe(toHex(chain.domainSeparator))
  for (const [role, number] of [
    ['miner', 1],
    ['coordinator', 2],
  ] as const) {
    const args = [owner, operator, number, 7n, 1_900_000_000n] as const
    const digest = await client.readContract({ address, abi: stakingAbi, functionName: 'registrationDigest', args })
    expect(toRegistrationDigest(deployment, { owner, operator, role, nonce: 7n, deadline: 1_900_000_000 })).toBe(digest)
  }
})
