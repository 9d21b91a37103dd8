import { createPublicClient, encodeDeployData, getContractAddress, http } from 'viem'
import { describe, expect, test } from 'vitest'
import { contractNames } from '../../src/chain/abis.ts'
import { createRpcClient } from '../../src/chain/client.ts'
import { paymentsAbi, paymentsBytecode, stakingAbi } from '../../src/chain/contracts.generated.ts'
import { createChain } from '../../src/chain/createChain.ts'
import { type DeployOptions, deployContracts } from '../../src/chain/deployContracts.ts'
import { toDeploymentSteps } from '../../src/chain/deploymentSteps.ts'
import { drandEvmnet } from '../../src/chain/drandEvmnet.ts'
import { createNonces } from '../../src/chain/nonces.ts'
import { toRegistrationDigest } from '../../src/chain/registration.ts'
import { createLocalSigner } from '../../src/chain/signer.ts'
import { simulateDeployment } from '../../src/chain/simulateDeployment.ts'
import { verifyDeployment } from '../../src/chain/verifyDeployment.ts'
import type { NetworkParameters, TxStage } from '../../src/domain/chainPort.ts'
import { type Address, toHex } from '../../src/domain/hex.ts'
import { devnetParameters, publicParameters } from '../../src/domain/networkParameters.ts'
import * as errors from '../../src/errors/chain.ts'
import { randomnessUnsupported } from '../../src/errors/court.ts'
import { startAnvil } from '../support/anvil.ts'
import { cai, testParameters, toTestKey, useTestNetwork } from '../support/chainFixtures.ts'
import { startRpcServer } from '../support/rpcServer.ts'

const network = useTestNetwork()
const deploy = (change: Partial<DeployOptions> = {}) => {
  const { signer, rpcUrl } = network()
  return deployContracts({ signer: signer(3), rpcUrl, network: 'devnet', parameters: testParameters, randomness: 'blockhash', ...change })
}
const getNonce = async (): Promise<number> => Number(await network().anvil.request<string>('eth_getTransactionCount', [network().signer(3).address, 'latest']))

test('the five contracts lie where the nonces say, in one report, and are what was asked for', async () => {
  const { signer, rpcUrl, chain } = network()
  const { address } = signer(3)
  const before = await chain.getAccount(address)
  const stages: TxStage[] = []
  const { deployment, report } = await deploy({ onStage: (stage) => stages.push(stage) })
  const at = (nonce: bigint) => getContractAddress({ from: address, nonce }).toLowerCase()
  expect(deployment.contracts).toEqual({ randomness: at(0n), staking: at(1n), payments: at(2n), court: at(3n), epochs: at(4n) })
  expect(deployment).toMatchObject({ network: 'devnet', chainId: 31337, rpcUrls: [rpcUrl], randomness: 'blockhash' })
  expect(deployment.deploymentBlock).toBe(Number(before.blockNumber) + 1)
  const after = await chain.getAccount(address)
  expect(report).toMatchObject({ action: 'deploy', from: address, to: null, dryRun: false, blockNumber: before.blockNumber + 5n })
  expect(before.walletWei - after.walletWei).toBe(report.feeWei)
  expect(stages.filter(({ stage }) => stage === 'mined')).toHaveLength(5)
  expect(stages.at(-1)).toMatchObject({ hash: report.hash })
  expect(await verifyDeployment(deployment, { parameters: testParameters })).toEqual(testParameters)
  expect(await (await createChain({ deployment })).getParameters()).toEqual(testParameters)
})

test('a dry run says where it would be and what it would cost, and sends nothing', async () => {
  const { chain } = network()
  const before = await chain.getBlocks()
  const planned = await deploy({ dryRun: true })
  expect(planned.report).toMatchObject({ dryRun: true, hash: null, blockNumber: null })
  expect(await chain.getBlocks()).toEqual(before)
  const made = await deploy()
  expect(planned.deployment.contracts).toEqual(made.deployment.contracts)
  expect(planned.report.gas).toBeGreaterThanOrEqual(made.report.gas)
  expect(planned.report.gas).toBeLessThan(made.report.gas * 2n)
})

test.each([
  ['public', publicParameters],
  ['devnet', devnetParameters],
] as const)('the %s parameters are ones that the contracts take', async (_name, parameters) => {
  const { deployment } = await deploy({ parameters })
  expect(await verifyDeployment(deployment)).toEqual(parameters)
})

test('with drand the beacon is the published one, on any chain', async () => {
  const anvil = await startAnvil({ chainId: 4_242 })
  try {
    const options = { rpcUrl: anvil.rpcUrl, network: 'mine', randomness: 'drand', parameters: publicParameters } as const
    const { deployment } = await deploy(options)
    expect(deployment).toMatchObject({ chainId: 4_242, randomness: 'drand' })
    expect(await verifyDeployment(deployment)).toEqual(publicParameters)
    const client = createPublicClient({ transport: http(anvil.rpcUrl) })
    const abi = [{ type: 'function', name: 'groupKey', inputs: [], outputs: [{ type: 'uint256[4]' }], stateMutability: 'view' }] as const
    expect(await client.readContract({ address: deployment.contracts.randomness, abi, functionName: 'groupKey' })).toEqual(drandEvmnet.groupKey)
    await expect(verifyDeployment({ ...deployment, randomness: 'blockhash' })).rejects.toMatchObject({ code: randomnessUnsupported.code })
  } finally {
    await anvil.stop()
  }
})

const wrongParameters: [string, Partial<NetworkParameters>][] = [
  ['thawSeconds is 59, not a whole number of 60 to 5184000 seconds', { thawSeconds: 59 }],
  ['epochSeconds is 601, not a whole number of 10 to 600 seconds', { epochSeconds: 601 }],
  ['seal + commit + reveal = 45 must not be over epochSeconds 44', { epochSeconds: 44 }],
  ['evidenceSeconds 405 + three rounds of 195 = 600 must be below thawSeconds 600', { evidenceSeconds: 405 }],
  ['three rounds of 195 must not be over freezeSeconds 194', { freezeSeconds: 194 }],
  ['drawSeconds 60 + graceSeconds 540 = 600 must be below thawSeconds 600', { graceSeconds: 540 }],
  ['topUpSeconds is 600, not a whole number of 1 to 599 seconds', { topUpSeconds: 600 }],
  ['commitSeconds is 1.5, not a whole number of 1 to 31536000 seconds', { commitSeconds: 1.5 }],
  ['the juror fee of 0 CAI must be above 0 and fit 96 bits', { jurorFeeWei: 0n }],
  ['seats 3, 4, 7 must be odd, rise, and be at most 65535', { seats: [3, 4, 7] }],
  ['seats 7, 5, 3 must be odd, rise, and be at most 65535', { seats: [7, 5, 3] }],
]

test.each<Partial<NetworkParameters>>([{ epochSeconds: 45 }, { evidenceSeconds: 404 }, { freezeSeconds: 195 }, { graceSeconds: 539 }, { topUpSeconds: 599 }])(
  'parameters at the limit are taken: %j',
  async (change) => {
    expect((await deploy({ parameters: { ...testParameters, ...change }, dryRun: true })).report.dryRun).toBe(true)
  },
)

describe('refuses before anything is sent', () => {
  const refuses = async (change: Partial<DeployOptions>, expected: object) => {
    const before = await getNonce()
    await expect(deploy(change)).rejects.toMatchObject(expected)
    expect(await getNonce()).toBe(before)
  }

  test.each(wrongParameters)('parameters that make no network: %s', async (rule, wrong) => {
    await refuses({ parameters: { ...testParameters, ...wrong } }, { code: errors.parametersInvalid.code, facts: { rule } })
  })

  test.each(wrongParameters.filter(([, wrong]) => wrong.commitSeconds === undefined))('as the contracts would: %s', async (_rule, wrong) => {
    const { signer, rpcUrl } = network()
    const client = createRpcClient({ network: 'devnet', chainId: 31337, rpcUrls: [rpcUrl] })
    const input = { deployer: signer(3).address, nonce: 0, parameters: { ...testParameters, ...wrong }, randomness: 'blockhash' } as const
    const simulated = simulateDeployment({ client, nonces: createNonces(client), network: 'devnet' }, signer(3).address, toDeploymentSteps(input))
    await expect(simulated).rejects.toMatchObject({ code: expect.stringMatching(/^CUCKOO_(STAKING|PAYMENTS|COURT|EPOCHS)_PARAMETER_INVALID$/) })
  })

  test('block hashes off the devnet', async () => {
    const anvil = await startAnvil({ chainId: 4_242 })
    try {
      await refuses({ rpcUrl: anvil.rpcUrl, network: 'mine' }, { code: randomnessUnsupported.code, facts: { chainId: 4_242 } })
      expect(await anvil.request('eth_blockNumber')).toBe('0x0')
    } finally {
      await anvil.stop()
    }
  })

  test('a chain without the instructions that the contracts are compiled to', async () => {
    const anvil = await startAnvil({ hardfork: 'shanghai' })
    try {
      await refuses({ rpcUrl: anvil.rpcUrl }, { code: errors.evmTooOld.code, facts: { chainId: 31337 } })
      expect(await anvil.request('eth_blockNumber')).toBe('0x0')
    } finally {
      await anvil.stop()
    }
  })

  test('another chain than the network named', async () => {
    await refuses({ network: 'cuckoo', randomness: 'drand' }, { code: errors.chainMismatch.code, facts: { found: 31337, expected: 1200 } })
  })

  test('an account that cannot pay all five', async () => {
    await refuses({ signer: createLocalSigner(`0x${'42'.repeat(32)}`) }, { code: errors.walletTooLow.code, facts: { availableCai: '0' } })
    const { signer, setBalance } = network()
    // Enough for one contract, not for five.
    await setBalance(signer(3).address, cai(1) / 100n)
    await refuses({}, { code: errors.walletTooLow.code, facts: { availableCai: '0.01' } })
  })

  test('while the account has a transaction under way', async () => {
    const { anvil, signer } = network()
    await anvil.request('evm_setAutomine', [false])
    await anvil.request('anvil_impersonateAccount', [signer(3).address])
    await anvil.request('eth_sendTransaction', [{ from: signer(3).address, to: signer(4).address, value: '0x1' }])
    await expect(deploy()).rejects.toMatchObject({ code: errors.transactionPending.code, facts: { latest: 0, pending: 1 } })
    await anvil.request('evm_mine')
    await anvil.request('evm_setAutomine', [true])
  })
})

test('what breaks off in the middle names what is abandoned', async () => {
  const { rpcUrl, signer } = network()
  let sent = 0
  const proxy = await startRpcServer(({ method }) => {
    if (method === 'eth_sendRawTransaction' && ++sent > 2) return { error: { code: -32000, message: 'no more for today' } }
    return { forward: rpcUrl }
  })
  try {
    const error = await deploy({ rpcUrl: proxy.url }).catch((caught) => caught)
    const at = (nonce: bigint) => getContractAddress({ from: signer(3).address, nonce }).toLowerCase()
    expect(error).toMatchObject({ code: errors.deploymentBroken.code, facts: { deployed: [`randomness ${at(0n)}`, `staking ${at(1n)}`] } })
    expect(error.facts.failed).toBe(`payments (${at(2n)})`)
    expect(error.cause).toMatchObject({ code: errors.rpcRefused.code })
    expect(error.message).toContain('no more for today. Abandoned on chain 31337: randomness 0x')
  } finally {
    await proxy.close()
  }
  // The next attempt has nonces, and so addresses, of its own.
  const { deployment } = await deploy()
  await verifyDeployment(deployment, { parameters: testParameters })
})

test('what is sent is read back: a chain that does not keep it is not taken for a network', async () => {
  const { rpcUrl } = network()
  const proxy = await startRpcServer(({ method }) => (method === 'eth_getCode' ? { result: '0x' } : { forward: rpcUrl }))
  try {
    const error = await deploy({ rpcUrl: proxy.url }).catch((caught) => caught)
    expect(error).toMatchObject({ code: errors.deploymentUnverified.code, cause: { code: errors.contractMissing.code, facts: { reason: 'nothing is there' } } })
    expect(error.facts.deployed).toHaveLength(5)
  } finally {
    await proxy.close()
  }
})

test('a transaction that comes in between cannot lead to contracts that are wired wrongly', async () => {
  const { rpcUrl, anvil, signer } = network()
  let sent = 0
  const proxy = await startRpcServer(async ({ method }) => {
    if (method === 'eth_sendRawTransaction' && ++sent === 3) await anvil.sendAs(signer(3).address, { to: signer(4).address, value: '0x1' })
    return { forward: rpcUrl }
  })
  try {
    await expect(deploy({ rpcUrl: proxy.url })).rejects.toMatchObject({ code: errors.deploymentBroken.code })
  } finally {
    await proxy.close()
  }
})

describe('verifyDeployment finds', () => {
  const verify = (change: Partial<Record<(typeof contractNames)[number], Address>>) => {
    const { deployment } = network()
    return verifyDeployment({ ...deployment, contracts: { ...deployment.contracts, ...change } })
  }

  test.each(contractNames)('nothing at the address of %s', async (contract) => {
    const facts = { contract, reason: 'nothing is there' }
    await expect(verify({ [contract]: `0x${'77'.repeat(20)}` })).rejects.toMatchObject({ code: errors.contractMissing.code, facts })
  })

  test.each(contractNames)('another contract at the address of %s', async (contract) => {
    const { deployment } = network()
    const other = deployment.contracts[contract === 'court' ? 'staking' : 'court']
    const facts = { contract, reason: 'another contract is there' }
    await expect(verify({ [contract]: other })).rejects.toMatchObject({ code: errors.contractMissing.code, facts })
  })

  test('one byte of code that is not ours', async () => {
    const { anvil, deployment } = network()
    const address = deployment.contracts.payments
    const code = await anvil.request<string>('eth_getCode', [address, 'latest'])
    const changed = code.at(-1) === '0' ? '1' : '0'
    await anvil.request('anvil_setCode', [address, `${code.slice(0, -1)}${changed}`])
    await expect(verify({})).rejects.toMatchObject({ code: errors.contractMissing.code, facts: { contract: 'payments' } })
  })

  test('contracts of two deployments that do not belong together', async () => {
    const { deployment: other } = await deploy()
    for (const contract of ['staking', 'payments', 'court', 'epochs', 'randomness'] as const) {
      const mixed = verify({ [contract]: other.contracts[contract] })
      await expect(mixed).rejects.toMatchObject({ code: expect.stringMatching(/MISMATCH|CONTRACT_MISSING/) })
      const { deployment } = network()
      const contracts = { ...deployment.contracts, [contract]: other.contracts[contract] }
      await expect(createChain({ deployment: { ...deployment, contracts } })).rejects.toMatchObject({ code: errors.deploymentMismatch.code })
    }
  })

  test('a parameter that is not the expected one, by name', async () => {
    const { deployment } = network()
    const failed = verifyDeployment(deployment, { parameters: { ...testParameters, jailSeconds: 121 } })
    await expect(failed).rejects.toMatchObject({ code: errors.deploymentMismatch.code, facts: { what: 'jailSeconds', found: '120', expected: '121' } })
  })
})

test('a network of any name takes the chain id that the RPC says', async () => {
  const { rpcUrl } = network()
  const url = new URL(rpcUrl)
  url.search = 'key=secret'
  const { deployment } = await deploy({ rpcUrl: url.href, network: 'mine' })
  expect(deployment).toMatchObject({ network: 'mine', chainId: 31337, rpcUrls: [rpcUrl] })
})

test('nobody else can take the place of a contract: each refuses to be where staking does not name it', async () => {
  const { deployment, rpcUrl, signer } = network()
  const client = createPublicClient({ transport: http(rpcUrl) })
  const named = await client.readContract({ address: deployment.contracts.staking, abi: stakingAbi, functionName: 'payments' })
  expect(named.toLowerCase()).toBe(deployment.contracts.payments)
  const data = encodeDeployData({ abi: paymentsAbi, bytecode: paymentsBytecode, args: [deployment.contracts.staking, 100n] })
  await expect(client.call({ account: signer(5).address, data })).rejects.toThrow()
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
