import { createLocalSigner, createSignatureVerifier } from '../../src/chain/signer.ts'
import { toEvidence } from '../../src/cli/courtChecks.ts'
import { type ReceiptBundle, zReceiptBundle } from '../../src/cli/receipts.ts'
import type { Ballot, Chain, Deployment } from '../../src/domain/chainPort.ts'
import type { CaseRecord, ConvictionRecord, CreditRecord, DisputeRecord, RoundRecord, SeatRecord, SlashRecord } from '../../src/domain/dispute.ts'
import { keccak256, toDomainSeparator } from '../../src/domain/eip712.ts'
import { type Address, type Hash, toHex, zeroHash } from '../../src/domain/hex.ts'
import { devnetParameters } from '../../src/domain/networkParameters.ts'
import type { Signer } from '../../src/domain/ports.ts'
import { type Receipt, toAssignmentDigest, toResultDigest } from '../../src/domain/receipt.ts'
import { type TextOutput, toInputHash, toOutputHash, toParamsHash } from '../../src/domain/task.ts'
import { caseUnknown, parameterInvalid } from '../../src/errors/court.ts'
import { chainTime, createFakeChain, createFakePorts, createNode, type FakeChain, otherNode, owner, staking } from './cli.ts'

export const cai = 10n ** 18n
export const coordinatorNode: Address = `0x${'c0'.repeat(20)}`
/** the miner that is accused */
export const accused = otherNode
export const court: Address = `0x${'66'.repeat(20)}`
export const deployment: Deployment = {
  network: 'fakenet',
  chainId: 31_337,
  contracts: { staking, payments: `0x${'57'.repeat(20)}`, court, epochs: `0x${'58'.repeat(20)}`, randomness: `0x${'59'.repeat(20)}` },
  randomness: 'blockhash',
  deploymentBlock: 1,
  rpcUrls: ['http://127.0.0.1:1'],
}
export const domainSeparator = toDomainSeparator({ chainId: deployment.chainId, verifyingContract: staking })

export const coordinatorKey = createLocalSigner(`0x${'11'.repeat(32)}`)
export const minerKey = createLocalSigner(`0x${'22'.repeat(32)}`)
/** the key of the account in use, in tests that vote */
export const jurorKey = createLocalSigner(`0x${'33'.repeat(32)}`)
const current = 2n ** 64n - 1n

const content = {
  kind: 'completion' as const,
  input: { tokenIds: [1, 2, 3] },
  params: { maxTokens: 8, temperature: 0, topP: 1, topK: 0, stop: [], date: '2026-01-01' },
}
const output: TextOutput = { tokenIds: [4, 5, 6], finishReason: 'length' }

/** A receipt with its content, signed by both sides ten seconds ago; fields replace those of the assignment before it is signed. */
export function createBundle(
  fields: Partial<Receipt['assignment']> = {},
  options: { output?: TextOutput; signers?: { coordinator?: Signer; miner?: Signer }; network?: Pick<Chain, 'deployment' | 'domainSeparator'> } = {},
): ReceiptBundle {
  const { signers = {}, network = { deployment, domainSeparator } } = options
  const made = options.output ?? output
  const assignment: Receipt['assignment'] = {
    taskId: `0x${'ab'.repeat(32)}`,
    attempt: 1,
    coordinator: coordinatorNode,
    miner: accused,
    manifest: `0x${'cd'.repeat(32)}`,
    inputHash: toInputHash(content.input),
    paramsHash: toParamsHash(content.params),
    seed: 7n,
    unitPriceWei: 1_000n,
    maxPriceWei: 8_000n,
    issuedAt: BigInt(chainTime - 10),
    deadline: BigInt(chainTime + 50),
    drawRef: zeroHash,
    ...fields,
  }
  const digest = toAssignmentDigest(network.domainSeparator, assignment)
  const result = { assignment: digest, outputHash: toOutputHash(made), units: BigInt(made.tokenIds.length), finishReason: 2 }
  const receipt: Receipt = {
    assignment,
    assignmentSignature: (signers.coordinator ?? coordinatorKey).sign(digest),
    result,
    resultSignature: (signers.miner ?? minerKey).sign(toResultDigest(network.domainSeparator, result)),
  }
  return { receipt, content, output: made, chainId: network.deployment.chainId, stakingContract: network.deployment.contracts.staking }
}

/** As a file has it. */
export function toText(bundle: ReceiptBundle): string {
  return JSON.stringify(zReceiptBundle.encode(bundle))
}

export interface FakeCase {
  dispute: DisputeRecord
  rounds: RoundRecord[]
  opened: CaseRecord
}

export interface FakeCourt extends FakeChain {
  /** the chain's time */
  nowAt: number
  cases: Map<bigint, FakeCase>
  /** by `case round node`; what is not there holds no seat, null: bonds that are forgotten */
  seats: Map<string, SeatRecord | null>
  operators: Map<Address, { node: Address; validUntil: bigint }>
  convictions: ConvictionRecord
  credits: CreditRecord
  slashes: SlashRecord[]
  /** called by each write, before it is counted as sent */
  onSend: (verb: string, input: Record<string, unknown>) => void
}

const seatKey = (caseId: bigint, round: number, node: Address) => `${caseId} ${round} ${node}`

/** A court whose cases, seats and credits a test sets; it remembers what it was asked to send. */
export function createFakeCourt(): FakeCourt {
  const fake: FakeCourt = {
    ...createFakeChain(),
    nowAt: chainTime,
    cases: new Map(),
    seats: new Map(),
    operators: new Map([
      [coordinatorKey.address, { node: coordinatorNode, validUntil: current }],
      [minerKey.address, { node: accused, validUntil: current }],
    ]),
    convictions: { node: accused, step: 0, stepAt: 0, stepBps: 0, openDisputes: 0, frozenWei: 0n },
    credits: { creditWei: 0n, cuts: [] },
    slashes: [],
    onSend: () => {},
  }
  const getCase = (caseId: bigint) => {
    const found = fake.cases.get(caseId)
    if (found === undefined) throw caseUnknown({ caseId })
    return found
  }
  const write = (verb: string) => async (signer: Signer, input: Record<string, unknown>, options?: { dryRun?: boolean }) => {
    fake.onSend(verb, input)
    fake.sent.push({ verb, input, options })
    const [dryRun, valueWei] = [options?.dryRun ?? false, (input['bondWei'] as bigint | undefined) ?? 0n]
    const mined = dryRun ? { hash: null, blockNumber: null } : { hash: `0x${'ab'.repeat(32)}` as Hash, blockNumber: 8n }
    return { action: verb, from: signer.address, to: court, valueWei, gas: 50_000n, feeWei: 50_000n * 10n ** 9n, dryRun, ...mined }
  }
  const verbs = ['reportMiner', 'reportCoordinator', 'challenge', 'addEvidence', 'sealRound', 'summonJuror', 'commitVote', 'revealVote'] as const
  const more = ['concludeRound', 'appeal', 'fineJuror', 'creditJuror', 'withdrawCredits', 'withdrawCut'] as const
  Object.assign(fake.chain, {
    deployment,
    domainSeparator,
    getParameters: async () => devnetParameters,
    getBlocks: async () => ({ latest: { number: 7n, timestamp: fake.nowAt }, finalized: { number: 7n, timestamp: fake.nowAt } }),
    findOperator: async (operator: Address) => fake.operators.get(operator) ?? null,
    getOperators: async (node: Address) => [...fake.operators].flatMap(([key, record]) => (record.node === node ? [key] : [])),
    getDispute: async (caseId: bigint) => {
      const { dispute, opened } = getCase(caseId)
      if (opened.reason.kind !== 'challenge') throw caseUnknown({ caseId })
      return dispute
    },
    getRounds: async (caseId: bigint) => getCase(caseId).rounds,
    getSeat: async (caseId: bigint, round: number, node: Address) => {
      const seat = fake.seats.get(seatKey(caseId, round, node))
      if (seat === null) throw parameterInvalid({ name: 'epoch' })
      return seat ?? createSeat(caseId, round, node, { seats: 0, pinned: false })
    },
    getCase: async (caseId: bigint) => getCase(caseId).opened,
    listOpenDisputes: async () =>
      [...fake.cases.values()]
        .map(({ dispute }) => dispute)
        .filter(({ stage }) => stage !== 'closed' && stage !== 'none')
        .reverse(),
    listBallots: async (node: Address) => [...fake.seats.values()].filter((seat) => seat?.node === node && seat.commitment !== null),
    getConvictions: async () => fake.convictions,
    getSlashes: async () => fake.slashes,
    getCredits: async () => fake.credits,
    getChallengeBond: async () => 3n * cai,
    getAppealBond: async () => 10n * cai,
    toVoteCommitment: ({ caseId, round, node, vote, salt }: Ballot) => toHex(keccak256(Buffer.from([caseId, round, node, vote, salt].join(' ')))),
    ...Object.fromEntries([...verbs, ...more].map((verb) => [verb, write(verb)])),
  })
  return fake
}

/** Ports over a fake court, with real signatures; the account in use is `account`'s. */
export function createCourtPorts(fake: FakeCourt, account: Signer = jurorKey, overrides: Parameters<typeof createFakePorts>[1] = {}) {
  return createFakePorts(fake, {
    getSigner: async () => account,
    getOwn: async () => ({ name: 'alice', address: account.address }),
    getVerifier: async () => createSignatureVerifier(),
    ...overrides,
  })
}

/** Opens case `caseId` about a receipt, in `stage`; fields replace those of the dispute and of its running round. */
export function addCase(fake: FakeCourt, caseId: bigint, dispute: Partial<DisputeRecord>, round: Partial<RoundRecord> = {}): FakeCase {
  const { receipt } = createBundle()
  const number = dispute.round ?? 0
  const made: FakeCase = {
    dispute: {
      caseId,
      accused,
      challenger: owner,
      issuedAt: Number(receipt.assignment.issuedAt),
      stage: 'committing',
      round: number,
      baseWei: 20_000n * cai,
      feeWei: cai,
      verdict: 'none',
      ...dispute,
    },
    rounds: Array.from({ length: number + 1 }, (_, index) => createRound(index, index === number ? round : {})),
    opened: {
      caseId,
      accused,
      by: owner,
      openedAt: chainTime - 5,
      reason: {
        kind: 'challenge',
        receipt,
        evidence: toEvidence({ ...content, output }),
        additions: [],
      },
    },
  }
  fake.cases.set(caseId, made)
  return made
}

/** A round that was sealed now, with the devnet's windows. */
export function createRound(round: number, fields: Partial<RoundRecord> = {}): RoundRecord {
  return {
    round,
    seats: devnetParameters.seats[round] ?? 0,
    referenceEpoch: 4n,
    eligibleWei: 60_000n * cai,
    randomnessRound: BigInt(chainTime),
    seed: `0x${'ee'.repeat(32)}`,
    commitEndsAt: chainTime + 60,
    revealEndsAt: chainTime + 120,
    appealEndsAt: null,
    validSeats: 0,
    invalidSeats: 0,
    cannotJudgeSeats: 0,
    verdict: 'none',
    payer: owner,
    side: 'invalid',
    potWei: 3n * cai,
    ...fields,
  }
}

/** A seat as the court would tell it; `fake.seats` takes it by {@link setSeat}. */
export function createSeat(caseId: bigint, round: number, node: Address, fields: Partial<SeatRecord> = {}): SeatRecord {
  return { caseId, round, node, seats: 2, pinned: true, commitment: null, vote: null, fined: false, paid: false, ...fields }
}

/** Gives `node` seats in a round, registered as a miner. */
export function setSeat(fake: FakeCourt, caseId: bigint, round: number, node: Address, fields: Partial<SeatRecord> = {}): void {
  fake.seats.set(seatKey(caseId, round, node), createSeat(caseId, round, node, fields))
  if (!fake.nodes.has(node)) fake.nodes.set(node, createNode(node))
}

/** The bonds that decide a node's seats are forgotten. */
export function forgetSeat(fake: FakeCourt, caseId: bigint, round: number, node: Address): void {
  fake.seats.set(seatKey(caseId, round, node), null)
}
