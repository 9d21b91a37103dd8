import type { CoordinatorChain } from '../../src/coordinator/coordinatorPorts.ts'
import { weiPerCai } from '../../src/domain/amount.ts'
import type { NodeSet, NodeSetWatch, TxReport } from '../../src/domain/chainPort.ts'
import { keccak256 } from '../../src/domain/eip712.ts'
import { type Address, fromHex, type Hash, toHex } from '../../src/domain/hex.ts'
import { devnetParameters } from '../../src/domain/networkParameters.ts'
import type { NodeRecord } from '../../src/domain/node.ts'
import type { LineRecord, SignedVoucher } from '../../src/domain/payments.ts'
import type { MinerChain } from '../../src/miner/minerContext.ts'
import { createNodeRecord, testDomain, testDomainSeparator } from './minerFakes.ts'

/** One transaction that was sent, in order. */
export type SentTransaction =
  | { action: 'raiseLines'; lines: readonly { miner: Address; addedWei: bigint }[] }
  | { action: 'commitEpoch'; epoch: number; commitment: Hash }
  | { action: 'revealEpoch'; epoch: number; secret: Hash }
  | { action: 'turnEpoch'; revealed: number; committed: number; secret: Hash; commitment: Hash }
  | { action: 'redeem'; vouchers: readonly SignedVoucher[] }

/** A chain whose nodes, lines and epochs are what the test says; transactions are mined at once. */
export interface FakeChain extends CoordinatorChain, MinerChain {
  /** replaces the nodes and tells everybody who watches */
  setNodes(records: NodeRecord[]): void
  /** watches that nobody stopped */
  readonly openWatches: number
  readonly sent: SentTransaction[]
  /** sees each read of money and epochs, and each transaction, before it is answered: throw for an error, wait for a slow one */
  before: (call: string) => void | Promise<void>
  /** unix seconds of the latest block */
  blockTimestamp: number
  drawSeconds: number
  escrowWei: bigint
  /** the cap of a line that nobody raised */
  capWei: bigint
  setLine(coordinator: Address, miner: Address, line: Partial<LineRecord>): void
  /** commitments by epoch */
  readonly commitments: Map<number, Hash>
}

export function createFakeChain(records: NodeRecord[], options: { capWei?: bigint } = {}): FakeChain {
  const listeners = new Set<(set: NodeSet) => void>()
  const lines = new Map<string, LineRecord>()
  let nodes = new Map(records.map((record) => [record.node, record]))
  let openWatches = 0
  const toSet = (): NodeSet => ({ blockNumber: 1n, blockTimestamp: chain.blockTimestamp, nodes })
  const watch: NodeSetWatch = {
    current: toSet,
    ageMs: () => 5,
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async stop() {
      openWatches--
    },
  }
  const getLine = (coordinator: Address, miner: Address): LineRecord => {
    const line = lines.get(coordinator + miner) ?? { coordinator, miner, capWei: chain.capWei, redeemedWei: 0n, lineWei: 0n, notice: null }
    return { ...line, lineWei: line.capWei - line.redeemedWei }
  }
  const send = async (transaction: SentTransaction, apply: () => void): Promise<TxReport> => {
    await chain.before(transaction.action)
    apply()
    chain.sent.push(transaction)
    return {
      action: transaction.action,
      from: `0x${'0'.repeat(40)}`,
      to: null,
      valueWei: 0n,
      gas: 1n,
      feeWei: 1n,
      dryRun: false,
      hash: toHex(Buffer.alloc(32, 7)),
      blockNumber: 1n,
    }
  }
  const commit = (epoch: number, commitment: Hash) => {
    if (chain.commitments.has(epoch)) throw new Error('AlreadyCommitted')
    chain.commitments.set(epoch, commitment)
  }
  const reveal = (coordinator: Address, epoch: number, secret: Hash) => {
    if (!chain.commitments.has(epoch)) throw new Error('CommitmentUnknown')
    if (chain.commitments.get(epoch) !== chain.toEpochCommitment(coordinator, BigInt(epoch), secret)) throw new Error('SecretInvalid')
    chain.commitments.delete(epoch)
  }
  const known: Partial<FakeChain> & Pick<FakeChain, 'before' | 'blockTimestamp' | 'capWei' | 'commitments' | 'sent' | 'escrowWei' | 'drawSeconds'> = {
    deployment: {
      network: 'test',
      chainId: testDomain.chainId,
      contracts: {
        staking: testDomain.verifyingContract,
        payments: `0x${'a1'.repeat(20)}`,
        court: `0x${'a2'.repeat(20)}`,
        epochs: `0x${'a3'.repeat(20)}`,
        randomness: `0x${'a4'.repeat(20)}`,
      },
      randomness: 'blockhash',
      deploymentBlock: 0,
      rpcUrls: [],
    },
    domainSeparator: testDomainSeparator,
    sent: [],
    before: () => undefined,
    blockTimestamp: 1_700_000_000,
    drawSeconds: 3600,
    escrowWei: 1000n * weiPerCai,
    capWei: options.capWei ?? 0n,
    commitments: new Map(),
    setLine(coordinator, miner, line) {
      lines.set(coordinator + miner, { ...getLine(coordinator, miner), ...line })
    },
    setNodes(list) {
      nodes = new Map(list.map((record) => [record.node, record]))
      for (const listener of listeners) listener(toSet())
    },
    getNode: async (node) => nodes.get(node) ?? createNodeRecord(node, 'miner', node, { role: 'none', active: false, weightCai: 0 }),
    getNodes: async (role) => [...nodes.values()].filter((record) => record.role === role),
    async watchNodes() {
      openWatches++
      return watch
    },
    async findOperator(operator) {
      const record = [...nodes.values()].find((one) => one.operator === operator)
      return record === undefined ? null : { node: record.node, validUntil: 2n ** 64n - 1n }
    },
    getOperators: async (node) => [nodes.get(node)?.operator ?? node],
    listOpenDisputes: async () => [],
    getParameters: async () => ({ ...devnetParameters, drawSeconds: chain.drawSeconds }),
    async getLine(coordinator, miner) {
      await chain.before('getLine')
      return getLine(coordinator, miner)
    },
    async getEscrow(coordinator) {
      await chain.before('getEscrow')
      let openWei = 0n
      for (const line of lines.values()) if (line.coordinator === coordinator) openWei += line.capWei - line.redeemedWei
      return { coordinator, escrowWei: chain.escrowWei, thawingWei: 0n, releaseAt: null, openWei, claimsWei: 0n, requiredBondWei: 0n }
    },
    async findEpochCommitment(_, epoch) {
      await chain.before('findEpochCommitment')
      return chain.commitments.get(Number(epoch)) ?? null
    },
    toEpochCommitment(coordinator, epoch, secret) {
      const preimage = Buffer.alloc(96)
      preimage.set(fromHex(coordinator), 12)
      preimage.writeBigUInt64BE(epoch, 56)
      preimage.set(fromHex(secret), 64)
      return toHex(keccak256(preimage))
    },
    raiseLines: (_, { coordinator, lines: raised }) =>
      send({ action: 'raiseLines', lines: raised }, () => {
        for (const { miner, addedWei } of raised) {
          const line = getLine(coordinator, miner)
          lines.set(coordinator + miner, { ...line, capWei: line.capWei + addedWei, notice: null })
        }
      }),
    commitEpoch: (_, { epoch, commitment }) => send({ action: 'commitEpoch', epoch: Number(epoch), commitment }, () => commit(Number(epoch), commitment)),
    revealEpoch: (_, { coordinator, epoch, secret }) =>
      send({ action: 'revealEpoch', epoch: Number(epoch), secret }, () => reveal(coordinator, Number(epoch), secret)),
    turnEpoch: (_, { coordinator, revealed, secret, committed, commitment }) =>
      send({ action: 'turnEpoch', revealed: Number(revealed), secret, committed: Number(committed), commitment }, () => {
        reveal(coordinator, Number(revealed), secret)
        commit(Number(committed), commitment)
      }),
    redeem: (_, { vouchers }) =>
      send({ action: 'redeem', vouchers }, () => {
        for (const { voucher } of vouchers) {
          const line = getLine(voucher.coordinator, voucher.miner)
          const redeemedWei = voucher.cumulativeWei < line.capWei ? voucher.cumulativeWei : line.capWei
          if (redeemedWei > line.redeemedWei) lines.set(voucher.coordinator + voucher.miner, { ...line, redeemedWei })
        }
      }),
  }
  Object.defineProperty(known, 'openWatches', { get: () => openWatches })
  const absent = (name: PropertyKey) => () => Promise.reject(new Error(`the fake chain has no ${String(name)}`))
  // `then` stays away, so that the chain can be awaited like any value.
  const chain = new Proxy(known, { get: (target, name) => (name in target || name === 'then' ? Reflect.get(target, name) : absent(name)) }) as FakeChain
  return chain
}
