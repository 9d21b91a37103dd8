import { Readable } from 'node:stream'
import type { Io, StopSignal } from '../../src/cli/io.ts'
import { main } from '../../src/cli/main.ts'
import type { ComposeOptions, Ports } from '../../src/cli/ports.ts'
import type { AccountRecord, Chain, NetworkContracts, TxOptions, TxReport } from '../../src/domain/chainPort.ts'
import type { Address } from '../../src/domain/hex.ts'
import { publicParameters } from '../../src/domain/networkParameters.ts'
import { bondThresholdWei, type NodeRecord } from '../../src/domain/node.ts'
import type { EscrowRecord, LineRecord } from '../../src/domain/payments.ts'
import type { Signer } from '../../src/domain/ports.ts'

export const owner: Address = `0x${'11'.repeat(20)}`
export const otherNode: Address = `0x${'22'.repeat(20)}`
export const operator: Address = `0x${'33'.repeat(20)}`
export const staking: Address = `0x${'55'.repeat(20)}`
export const contracts: NetworkContracts = {
  staking,
  payments: `0x${'66'.repeat(20)}`,
  court: `0x${'77'.repeat(20)}`,
  epochs: `0x${'88'.repeat(20)}`,
  randomness: `0x${'99'.repeat(20)}`,
}
/** 2026-01-01 00:00:00 UTC */
export const chainTime = 1_767_225_600

export interface CliRun {
  code: number
  stdout: string
  stderr: string
}

export interface CliOptions {
  env?: Record<string, string>
  /** what the person types, line by line; without it there is no terminal */
  answers?: string[]
  /** stdout is a terminal of 80 columns: long lines are folded */
  terminal?: boolean
  compose?: (options: ComposeOptions) => Ports
  /** called with a way to send signals once the command line runs */
  onStart?: (send: (signal: StopSignal) => void) => void
  onForceExit?: (signal: StopSignal) => void
  onExitNow?: (code: number) => void
  onStdout?: (text: string) => void
}

/** Runs one command line in this process and collects what it prints. */
export async function runMain(argv: readonly string[], options: CliOptions = {}): Promise<CliRun> {
  let [stdout, stderr] = ['', '']
  const isTTY = options.answers !== undefined
  const io: Io = {
    env: { CUCKOO_HOME: '/nowhere/home', NO_COLOR: '1', ...options.env },
    platform: 'linux',
    stdin: Object.assign(Readable.from(options.answers?.map((line) => `${line}\n`) ?? []), { isTTY }) as unknown as Io['stdin'],
    stdout: {
      write: (text) => {
        stdout += text
        options.onStdout?.(text)
      },
      columns: 80,
      isTTY: options.terminal === true,
    },
    stderr: {
      write: (text) => {
        stderr += text
      },
      isTTY,
      columns: 80,
      // what the spinner needs of a terminal
      ...{ cursorTo: () => true, moveCursor: () => true, clearLine: () => true },
    },
    watchSignals: (listener) => {
      options.onStart?.(listener)
      return () => {}
    },
    forceExit: (signal) => options.onForceExit?.(signal),
    exitNow: (code) => options.onExitNow?.(code),
  }
  const code = await main(argv, { io, ...(options.compose === undefined ? {} : { compose: options.compose }) })
  return { code, stdout, stderr }
}

/** A node as the fake chain knows it. */
export function createNode(node: Address, fields: Partial<NodeRecord> = {}): NodeRecord {
  return {
    node,
    role: 'miner',
    active: true,
    away: false,
    suspended: false,
    jailedUntil: 0,
    operator,
    voterShareBps: 5_000,
    registeredAt: chainTime - 1_000,
    bondWei: bondThresholdWei.miner + 1n,
    votesWei: 1_000n * 10n ** 18n,
    voteShares: 1_000n * 10n ** 18n,
    thawingBondWei: 0n,
    thawingVotesWei: 0n,
    rewardsWei: 0n,
    weightWei: 21_000n * 10n ** 18n,
    nonce: 1n,
    profileHash: `0x${'00'.repeat(12)}`,
    profile: { name: 'Ada', url: 'https://ada.example', description: '' },
    ...fields,
  }
}

export interface FakeChain {
  account: AccountRecord
  nodes: Map<Address, NodeRecord>
  /** every write: verb, input, options */
  sent: { verb: string; input: unknown; options: TxOptions | undefined }[]
  chain: Chain
}

/** Without claims, so that only lines need bond. */
export function createEscrow(coordinator: Address, fields: Partial<EscrowRecord> = {}): EscrowRecord {
  const { escrowWei = 0n, thawingWei = 0n, openWei = 0n } = fields
  const uncoveredWei = openWei + thawingWei - escrowWei
  return {
    coordinator,
    escrowWei: 0n,
    thawingWei: 0n,
    releaseAt: null,
    openWei: 0n,
    claimsWei: 0n,
    requiredBondWei: uncoveredWei > 0n ? 2n * uncoveredWei : 0n,
    ...fields,
  }
}

export function createLine(coordinator: Address, miner: Address, fields: Partial<LineRecord> = {}): LineRecord {
  return { coordinator, miner, capWei: 0n, redeemedWei: 0n, lineWei: 0n, notice: null, ...fields }
}

/** A chain that knows one account and some nodes, and remembers what it was asked to send. `reads` replaces functions of it. */
export function createFakeChain(account: Partial<AccountRecord> = {}, reads: Partial<Chain> = {}): FakeChain {
  const sent: FakeChain['sent'] = []
  const nodes = new Map<Address, NodeRecord>([[otherNode, createNode(otherNode)]])
  const record: AccountRecord = {
    account: owner,
    walletWei: 100n * 10n ** 18n,
    freeWei: 0n,
    bondWei: 0n,
    votes: [],
    thaws: [],
    node: null,
    rewardsWei: 0n,
    credits: { creditWei: 0n, cuts: [] },
    blockNumber: 7n,
    blockTimestamp: chainTime,
    ...account,
  }
  const write = (verb: string) => async (signer: Signer, input: unknown, options?: TxOptions) => {
    sent.push({ verb, input, options })
    return toReport(verb, signer.address, options?.dryRun ?? false, (input as { amountWei?: bigint }).amountWei ?? 0n)
  }
  const chain = {
    deployment: { network: 'fakenet', chainId: 99, contracts, randomness: 'drand', deploymentBlock: 1, rpcUrls: ['http://127.0.0.1:1'] },
    domainSeparator: new Uint8Array(32),
    getNode: async (node: Address) => nodes.get(node) ?? createNode(node, { role: 'none', active: false, bondWei: 0n, profile: null, nonce: 0n }),
    getNodes: async (role: string) => [...nodes.values()].filter((node) => node.role === role),
    getTotalWeight: async () => 84_000n * 10n ** 18n,
    getAccount: async () => record,
    getParameters: async () => publicParameters,
    getBlocks: async () => ({ latest: { number: 7n, timestamp: chainTime }, finalized: { number: 7n, timestamp: chainTime } }),
    getOperators: async () => [operator],
    findOperator: async () => null,
    findShareDrop: async () => null,
    getRewards: async (node: Address) => ({ node, ownerWei: 0n, drip: { waitingWei: 0n, endsAt: 0 } }),
    getStream: async () => ({ rateWei: 0n, endsAt: 0, nextWei: 0n, weightWei: 84_000n * 10n ** 18n }),
    getUndistributed: async () => 0n,
    getEarnings: async () => [],
    getEscrow: async (coordinator: Address) => createEscrow(coordinator),
    getLine: async (coordinator: Address, miner: Address) => createLine(coordinator, miner),
    getLines: async () => [],
    getClaims: async () => [],
    getConvictions: async (node: Address) => ({ node, step: 0, stepAt: 0, stepBps: 0, openDisputes: 0, frozenWei: 0n }),
    getSlashes: async () => [],
    getRounds: async () => [],
    listOpenDisputes: async () => [],
    ...Object.fromEntries(
      [
        ...['stake', 'withdraw', 'bond', 'unbond', 'vote', 'unvote', 'register', 'setProfile', 'setOperator', 'setVoterShare'],
        ...['fund', 'pour', 'claim', 'rest', 'rejoin'],
        ...['depositEscrow', 'requestEscrow', 'withdrawEscrow', 'raiseLines', 'noticeLine', 'applyNotice', 'redeem', 'coverClaims', 'collectClaim'],
      ].map((verb) => [verb, write(verb)]),
    ),
    ...reads,
    deregister: (signer: Signer, options?: TxOptions) => write('deregister')(signer, {}, options),
  } as unknown as Chain
  return { account: record, nodes, sent, chain }
}

function toReport(action: string, from: Address, dryRun: boolean, valueWei: bigint): TxReport {
  return {
    action,
    from,
    to: staking,
    valueWei: action === 'stake' ? valueWei : 0n,
    gas: 50_000n,
    feeWei: 50_000n * 10n ** 9n,
    dryRun,
    hash: dryRun ? null : `0x${'ab'.repeat(32)}`,
    blockNumber: dryRun ? null : 8n,
  }
}

/** Ports over a fake chain; `overrides` replaces any of them. What is missing fails when it is used. */
export function createFakePorts(fake: FakeChain, overrides: Partial<Ports> = {}): (options: ComposeOptions) => Ports {
  const signer: Signer = { address: owner, sign: () => `0x${'77'.repeat(65)}` }
  return () =>
    ({
      clock: { nowMs: () => chainTime * 1_000 },
      accounts: { list: async () => [{ name: 'alice', address: owner, path: '/nowhere/home/accounts/alice.json', problem: null }] },
      getOwn: async () => ({ name: 'alice', address: owner }),
      getSigner: async () => signer,
      getNamedSigner: async () => ({ ...signer, address: operator }),
      getDeployment: async () => fake.chain.deployment,
      getChain: async () => fake.chain,
      signRegistration: async () => `0x${'77'.repeat(65)}`,
      findDevnet: async () => undefined,
      dispose: async () => {},
      ...overrides,
    }) as Ports
}

/** A coordinator that can be drained, and a fake chain on which `owner` is its operator. */
export function createServing(): { compose: (options: ComposeOptions) => Ports; finish: () => void; drains: () => number } {
  const fake = createFakeChain()
  const node = fake.nodes.get(otherNode)
  if (node) fake.nodes.set(otherNode, { ...node, role: 'coordinator', operator: owner })
  Object.assign(fake.chain, { findOperator: async () => ({ node: otherNode, validUntil: 2n ** 64n - 1n }) })
  const drained = Promise.withResolvers<void>()
  let drains = 0
  const compose = createFakePorts(fake, {
    serveCoordinator: async () => ({
      url: 'http://127.0.0.1:1',
      drain: () => {
        drains++
        return drained.promise
      },
      close: async () => {},
    }),
    createClient: async () => ({ getReadiness: async () => ({ coordinator: otherNode }) }) as never,
  })
  return { compose, finish: drained.resolve, drains: () => drains }
}
