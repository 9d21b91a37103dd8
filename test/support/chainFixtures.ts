import { mnemonicToAccount } from 'viem/accounts'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { createChain } from '../../src/chain/createChain.ts'
import { deployContracts } from '../../src/chain/deployContracts.ts'
import { signRegistration } from '../../src/chain/registration.ts'
import { createLocalSigner } from '../../src/chain/signer.ts'
import { weiPerCai } from '../../src/domain/amount.ts'
import type { Chain, Deployment, NetworkParameters } from '../../src/domain/chainPort.ts'
import { type Address, type Hex, toHex } from '../../src/domain/hex.ts'
import type { Profile, Role } from '../../src/domain/node.ts'
import type { Signer } from '../../src/domain/ports.ts'
import { type Anvil, startAnvil } from './anvil.ts'

const anvilMnemonic = 'test test test test test test test test test test test junk'

/** Private key of anvil's account `index`. Public knowledge: for tests only. */
export function toTestKey(index: number): Hex {
  const key = mnemonicToAccount(anvilMnemonic, { addressIndex: index }).getHdKey().privateKey
  if (key === null) throw new Error('no key')
  return toHex(key)
}

/** CAI in wei. @example cai(25_000) // 25000000000000000000000n */
export function cai(amount: number): bigint {
  return BigInt(amount) * weiPerCai
}

export interface RegisterOptions {
  owner: Signer
  operator: Signer
  role?: Role
  bondWei?: bigint
  voterShareBps?: number
  profile?: Partial<Profile>
}

export interface TestNetwork {
  anvil: Anvil
  rpcUrl: string
  deployment: Deployment
  chain: Chain
  /** anvil's accounts 0 to 9, a billion CAI each; 0 deployed the contracts */
  signers: Signer[]
  /** account `index` of {@link signers} */
  signer(index: number): Signer
  register(options: RegisterOptions): Promise<void>
  /** a miner with 25,000 CAI of bond unless told */
  registerMiner(options: Omit<RegisterOptions, 'role'>): Promise<void>
  /** a coordinator with 2,100,000 CAI of bond unless told */
  registerCoordinator(options: Omit<RegisterOptions, 'role'>): Promise<void>
  mine(blocks?: number): Promise<void>
  /** moves the chain's clock on and mines a block */
  warp(seconds: number): Promise<void>
  /** moves the clock on to the next `second` of a period, so that what follows crosses the same ends of periods whenever a test runs */
  warpTo(second: number, periodSeconds: number): Promise<void>
  setBalance(address: Address, wei: bigint): Promise<void>
  /** current block timestamp, unix seconds */
  now(): Promise<number>
  stop(): Promise<void>
}

/** A whole dispute, and its thaw, within ten minutes of the chain's time. */
export const testParameters: NetworkParameters = {
  thawSeconds: 600,
  epochSeconds: 60,
  rewardSeconds: 120,
  dripSeconds: 60,
  freezeSeconds: 240,
  topUpSeconds: 100,
  drawSeconds: 60,
  graceSeconds: 30,
  evidenceSeconds: 300,
  sealSeconds: 5,
  commitSeconds: 20,
  revealSeconds: 20,
  appealSeconds: 20,
  jailSeconds: 120,
  jurorFeeWei: weiPerCai,
  seats: [3, 5, 7],
}
export const testThawSeconds = testParameters.thawSeconds
export const testEpochSeconds = testParameters.epochSeconds

/** A fresh anvil with the contracts deployed. The caller stops it. */
async function createTestNetwork(options: Parameters<typeof startAnvil>[0] = {}): Promise<TestNetwork> {
  const anvil = await startAnvil(options)
  const signers = Array.from({ length: 10 }, (_, index) => createLocalSigner(toTestKey(index)))
  const signer = (index: number): Signer => {
    const found = signers[index]
    if (!found) throw new Error(`there is no test account ${index}`)
    return found
  }
  const { deployment } = await deployContracts({
    signer: signer(0),
    rpcUrl: anvil.rpcUrl,
    network: 'devnet',
    parameters: testParameters,
    randomness: 'blockhash',
  })
  const chain = await createChain({ deployment })
  const warp = async (seconds: number): Promise<void> => {
    await anvil.request('evm_increaseTime', [toHexNumber(seconds)])
    await anvil.request('anvil_mine', ['0x1'])
  }
  const now = async (): Promise<number> => (await chain.getBlocks()).latest.timestamp
  const register = async ({ owner, operator, role = 'miner', bondWei, voterShareBps = 1_000, profile }: RegisterOptions): Promise<void> => {
    const amountWei = bondWei ?? cai(role === 'miner' ? 25_000 : 2_100_000)
    const { nonce } = await chain.getNode(owner.address)
    const deadline = (await now()) + 3_600
    await chain.register(owner, {
      role,
      operator: operator.address,
      voterShareBps,
      bondWei: amountWei,
      valueWei: amountWei,
      profile: { name: `${role} of ${owner.address.slice(0, 8)}`, url: '', description: '', ...profile },
      deadline,
      operatorSignature: signRegistration(operator, deployment, { owner: owner.address, role, nonce, deadline }),
    })
  }
  return {
    anvil,
    rpcUrl: anvil.rpcUrl,
    deployment,
    chain,
    signers,
    signer,
    register,
    registerMiner: (registration) => register({ ...registration, role: 'miner' }),
    registerCoordinator: (registration) => register({ ...registration, role: 'coordinator' }),
    mine: async (blocks = 1) => {
      await anvil.request('anvil_mine', [toHexNumber(blocks)])
    },
    warp,
    warpTo: async (second, periodSeconds) => warp(periodSeconds - (((await now()) - second + periodSeconds) % periodSeconds)),
    setBalance: async (address, wei) => {
      await anvil.request('anvil_setBalance', [address, `0x${wei.toString(16)}`])
    },
    now,
    stop: () => anvil.stop(),
  }
}

/**
 * One network for a test file: started before the first test, put back after each test, ended after the last.
 * @example const network = useTestNetwork(); test('…', async () => { await network().chain.getBlocks() })
 */
export function useTestNetwork(options: Parameters<typeof startAnvil>[0] = {}): () => TestNetwork {
  let network: TestNetwork | undefined
  let snapshot = ''
  const get = (): TestNetwork => {
    if (!network) throw new Error('the network is there inside tests only')
    return network
  }
  beforeAll(async () => {
    network = await createTestNetwork(options)
  })
  beforeEach(async () => {
    snapshot = await get().anvil.request<string>('evm_snapshot')
  })
  afterEach(async () => {
    await get().anvil.request('evm_revert', [snapshot])
  })
  afterAll(() => network?.stop())
  return get
}

function toHexNumber(value: number): string {
  return `0x${value.toString(16)}`
}
