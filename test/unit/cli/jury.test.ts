import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { createLocalSigner } from '../../../src/chain/signer.ts'
import type { Ports } from '../../../src/cli/ports.ts'
import type { Vote } from '../../../src/domain/dispute.ts'
import type { Address, Hash } from '../../../src/domain/hex.ts'
import { devnetParameters } from '../../../src/domain/networkParameters.ts'
import type { Signer } from '../../../src/domain/ports.ts'
import { beaconRoundNotReached, beaconUnavailable } from '../../../src/errors/beacon.ts'
import { notFinable } from '../../../src/errors/court.ts'
import { chainTime, createNode, runMain } from '../../support/cli.ts'
import {
  accused,
  addCase,
  cai,
  coordinatorNode,
  createCourtPorts,
  createFakeCourt,
  createRound,
  deployment,
  type FakeCourt,
  forgetSeat,
  jurorKey,
  setSeat,
} from '../../support/court.ts'

process.env['TZ'] = 'UTC'
const folder = mkdtempSync(join(tmpdir(), 'cuckoo-unit-jury-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface RunOptions {
  account?: Signer
  overrides?: Partial<Ports>
}

async function run(fake: FakeCourt, argv: string[], { account, overrides }: RunOptions = {}) {
  return runMain(argv, { compose: createCourtPorts(fake, account, overrides) })
}

async function runText(fake: FakeCourt, argv: string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await run(fake, argv, options)
  expect(stdout.split('\n').filter((line) => line.length > 80 && !line.includes('0x'))).toEqual([])
  return `${stdout}${stderr}exit ${code}`.replaceAll(folder, '')
}

/** Every line of JSON that a command prints. */
async function runLines(fake: FakeCourt, argv: string[], options: RunOptions = {}): Promise<Record<string, unknown>[]> {
  const { code, stdout, stderr } = await run(fake, [...argv, '--json', '--yes'], options)
  expect(code, stderr).toBe(0)
  const lines = stdout.trim().split('\n')
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

async function runJson(fake: FakeCourt, argv: string[], options: RunOptions = {}): Promise<Record<string, unknown>> {
  const lines = await runLines(fake, argv, options)
  expect(lines).toHaveLength(1)
  return lines[0] as Record<string, unknown>
}

/** Code, exit code, message and hint of a command that fails, and that nothing was sent. */
async function fail(fake: FakeCourt, argv: string[], options: RunOptions = {}): Promise<string> {
  const before = fake.sent.length
  const { code, stdout, stderr } = await run(fake, [...argv, '--json', '--yes'], options)
  expect([stdout, fake.sent.length]).toEqual(['', before])
  const { error } = JSON.parse(stderr.trim().split('\n').at(-1) ?? '{}') as { error: { code: string; message: string; hint: string } }
  return `${error.code} ${code}: ${error.message}\n${error.hint}`.replaceAll(folder, '')
}

const node: Address = `0x${'a1'.repeat(20)}`
const operated = { node, validUntil: 2n ** 64n - 1n }

/** A court where the account in use is the operator of a miner with two seats in case 3. */
function createJury(stage: Parameters<typeof addCase>[2]['stage'] = 'committing'): FakeCourt {
  const fake = createFakeCourt()
  fake.nodes.set(node, createNode(node, { operator: jurorKey.address }))
  fake.operators.set(jurorKey.address, operated)
  addCase(fake, 3n, { stage: stage ?? 'committing' })
  setSeat(fake, 3n, 0, node)
  return fake
}

function move(fake: FakeCourt, stage: 'revealing' | 'due' | 'appealing' | 'closed', verdict: 'none' | 'valid' | 'invalid' | 'undecided' = 'none'): void {
  const found = fake.cases.get(3n)
  if (found !== undefined) Object.assign(found.dispute, { stage, verdict })
}

describe('jury status', () => {
  it('marks what the own node has to do until when, and puts it first', async () => {
    const fake = createJury()
    addCase(fake, 4n, { stage: 'sealing', challenger: coordinatorNode }, { seed: null, commitEndsAt: null, revealEndsAt: null })
    addCase(fake, 5n, { stage: 'closed', verdict: 'valid' })
    expect(await runText(fake, ['jury', 'status'])).toMatchInlineSnapshot(`
      "Seats of 0xa1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1

      * case 3, round 1: taking commitments until 2026-01-01 00:01 (in 1 min)
          against 0x2222…2222, by 0x1111…1111, over 20000 CAI
          seats 2 of 3, not committed
          next: judge and commit, \`cuckoo jury commit 3 <vote>\`

        case 4, round 1: waiting for its seed
          against 0x2222…2222, by 0xc0c0…c0c0, over 20000 CAI
          next: fetch its seed, \`cuckoo jury seal 4\`
      exit 0"
    `)
    expect(await runJson(fake, ['jury', 'status'])).toMatchObject({
      node,
      disputes: [{ dispute: { caseId: '3' }, seat: { seats: 2 }, duty: { own: true, until: chainTime + 60, command: 'jury commit 3 <vote>' } }, { seat: null }],
    })
  })

  it.each([
    { stage: 'committing', seat: {}, text: 'judge and commit', command: 'jury commit 3 <vote>', own: true },
    { stage: 'committing', seat: { commitment: '0xaa' }, text: 'wait: reveal when this window is over', command: null, own: false },
    { stage: 'committing', seat: { seats: 0 }, text: 'nothing', command: null, own: false },
    { stage: 'revealing', seat: { commitment: '0xaa' }, text: 'reveal the vote', command: 'jury reveal 3', own: true },
    { stage: 'revealing', seat: {}, text: 'too late: no vote was committed', command: null, own: false },
    { stage: 'revealing', seat: { commitment: '0xaa', vote: 'valid' }, text: 'nothing: the vote is revealed', command: null, own: false },
    { stage: 'due', seat: {}, text: 'carry it on', command: 'jury conclude 3', own: false },
    { stage: 'appealing', seat: {}, text: 'appeal, if the verdict is wrong', command: 'appeal 3 invalid', own: false },
  ] as const)('at $stage with $seat: $text', async ({ stage, seat, text, command, own }) => {
    const fake = createJury(stage)
    const commitment: Hash | null = 'commitment' in seat ? `0x${'aa'.repeat(32)}` : null
    setSeat(fake, 3n, 0, node, { ...seat, commitment })
    const { duty } = (await runJson(fake, ['jury', 'status', '3'])) as { duty: Record<string, unknown> }
    expect(duty).toMatchObject({ text, command, own })
  })

  it('shows a case whole: receipt, stage, rounds, seats, votes, money, evidence', async () => {
    const fake = createJury()
    const { opened, rounds } = addCase(fake, 3n, { stage: 'appealing', round: 1, verdict: 'invalid' }, { verdict: 'invalid', appealEndsAt: chainTime + 60 })
    Object.assign(rounds[0] ?? {}, {
      verdict: 'valid',
      validSeats: 3,
      commitEndsAt: chainTime - 300,
      revealEndsAt: chainTime - 240,
      appealEndsAt: chainTime - 180,
    })
    Object.assign(rounds[1] ?? {}, { invalidSeats: 4, cannotJudgeSeats: 1, commitEndsAt: chainTime - 120, revealEndsAt: chainTime - 60, potWei: 10n * cai })
    if (opened.reason.kind === 'challenge') opened.reason.additions.push({ from: coordinatorNode, data: Buffer.from('hello') })
    setSeat(fake, 3n, 0, node, { vote: 'valid', commitment: `0x${'aa'.repeat(32)}`, fined: true })
    expect(await runText(fake, ['jury', 'status', '3'])).toMatchInlineSnapshot(`
      "case 3, opened 2025-12-31 23:59 (5 s ago)
      accused     0x2222222222222222222222222222222222222222
      challenger  0x1111111111111111111111111111111111111111
      task        0xabababababababababababababababababababababababababababababababab
      manifest    0xcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd
      issued      2025-12-31 23:59
      evidence    input 20, params 79, output 44 bytes
      added       5 bytes by 0xc0c0…c0c0
      stage       open for appeals until 2026-01-01 00:01 (in 1 min), verdict invalid
      at stake    a part of 20000 CAI; 1 CAI per seat of round 1

      round 1: 3 seats, verdict valid
        seed      0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee
        commit    until 2025-12-31 23:55 (5 min ago)
        reveal    until 2025-12-31 23:56 (4 min ago)
        appeal    until 2025-12-31 23:57 (3 min ago)
        revealed  valid 3, invalid 0, cannot judge 0
        bond      3 CAI for invalid by 0x1111…1111
        own seats 2, revealed: valid, fined

      round 2: 5 seats, verdict invalid
        seed      0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee
        commit    until 2025-12-31 23:58 (2 min ago)
        reveal    until 2025-12-31 23:59 (1 min ago)
        appeal    until 2026-01-01 00:01 (in 1 min)
        revealed  valid 0, invalid 4, cannot judge 1
        bond      10 CAI for invalid by 0x1111…1111
        own seats none

      next: appeal, if the verdict is wrong, \`cuckoo appeal 3 valid\`
      exit 0"
    `)
    const shown = (await runJson(fake, ['jury', 'status', '3'])) as { reason: { evidence: { input: string } }; rounds: { seat: unknown }[] }
    expect(Buffer.from(shown.reason.evidence.input.slice(2), 'hex').toString()).toBe('{"tokenIds":[1,2,3]}')
    expect(shown.rounds.map(({ seat }) => seat)).toMatchObject([{ seats: 2, fined: true }, { seats: 0 }])
  })

  it('shows what the contract settled at once, with its slash', async () => {
    const fake = createJury()
    const { opened } = addCase(fake, 6n, {})
    const [first, second] = [`0x${'01'.repeat(32)}`, `0x${'02'.repeat(32)}`] as const
    opened.reason = { kind: 'miner-equivocation', assignment: `0x${'03'.repeat(32)}`, first, second }
    fake.slashes.push({
      ...{ node: accused, caseId: 6n, bondWei: 9_000n * cai, thawingBondWei: 1_000n * cai, votesWei: 5n * cai },
      ...{ at: chainTime - 5, blockNumber: 6n, transaction: first, reason: 'two results', evidence: [] },
    })
    expect(await runText(fake, ['jury', 'status', '6'])).toMatchInlineSnapshot(`
      "case 6, opened 2025-12-31 23:59 (5 s ago)
      accused     0x2222222222222222222222222222222222222222
      reporter    0x1111111111111111111111111111111111111111
      proof       two results of one assignment
      assignment  0x0303030303030303030303030303030303030303030303030303030303030303
      first       0x0101010101010101010101010101010101010101010101010101010101010101
      second      0x0202020202020202020202020202020202020202020202020202020202020202
      slashed     10000 CAI of bond, 5 CAI of votes, 2025-12-31 23:59
      exit 0"
    `)
  })

  it('--save gives a juror what is to be judged, in the form that receipt verify reads', async () => {
    const fake = createJury()
    const { opened } = addCase(fake, 3n, {})
    if (opened.reason.kind === 'challenge') opened.reason.additions.push({ from: coordinatorNode, data: Buffer.from([0, 255]) })
    const path = join(folder, 'case3', 'deeper')
    expect(await runJson(fake, ['jury', 'status', '3', '--save', path])).toMatchObject({ saved: readdirSync(path).map(() => expect.any(String)) })
    expect(readdirSync(path).sort()).toEqual(['addition-1.bin', 'input.json', 'output.json', 'params.json', 'receipt.json'])
    expect(readFileSync(join(path, 'output.json'), 'utf8')).toBe('{"finishReason":"length","tokenIds":[4,5,6]}')
    expect([...readFileSync(join(path, 'addition-1.bin'))]).toEqual([0, 255])
    expect(await runJson(fake, ['receipt', 'verify', join(path, 'receipt.json')])).toMatchObject({ verified: true })
    expect(await fail(fake, ['jury', 'status', '3', '--save', path])).toMatch(/^CUCKOO_CLI_FILE_EXISTS 2/)
  })

  it.each([
    { what: 'no JSON', bytes: Buffer.from([0xff, 0x00]) },
    { what: 'not canonical', bytes: Buffer.from('{"tokenIds": [4,5,6], "finishReason": "length"}') },
    { what: 'no output', bytes: Buffer.from('{"image":"…"}') },
  ])('--save keeps an output that is $what byte for byte, with the bare receipt', async ({ what, bytes }) => {
    const fake = createJury()
    const { opened } = addCase(fake, 3n, {})
    if (opened.reason.kind === 'challenge') opened.reason.evidence.output = bytes
    const path = join(folder, what)
    await runJson(fake, ['jury', 'status', '3', '--save', path])
    expect(readFileSync(join(path, 'output.json')).equals(bytes)).toBe(true)
    expect(JSON.parse(readFileSync(join(path, 'receipt.json'), 'utf8'))).toHaveProperty('resultSignature')
  })

  it('works without an account, and where bonds are forgotten; refuses what is no case', async () => {
    const fake = createJury()
    const nobody = { account: createLocalSigner(`0x${'99'.repeat(32)}`) }
    expect(await runText(fake, ['jury', 'status'], nobody)).toContain('Seats of no node')
    forgetSeat(fake, 3n, 0, node)
    expect(await runJson(fake, ['jury', 'status', '--node', node])).toMatchObject({ disputes: [{ seat: null }] })
    expect(await fail(fake, ['jury', 'status', '7'])).toMatchInlineSnapshot(`
      "CUCKOO_COURT_CASE_UNKNOWN 10: There is no case 7 of this kind.
      See the open ones with \`cuckoo jury status\`."
    `)
    expect(await fail(fake, ['jury', 'status', '0'])).toMatchInlineSnapshot(`
      "CUCKOO_CLI_VALUE_INVALID 2: '0' (<case>) is not the number of a case.
      \`cuckoo jury status --help\` shows what it takes."
    `)
    expect(await fail(fake, ['jury', 'status', '--save', folder])).toMatchInlineSnapshot(`
      "CUCKOO_CLI_ARGUMENT_MISSING 2: \`cuckoo jury status\` needs <case>.
      Write it like: cuckoo jury status <case> --save <folder>"
    `)
  })
})

describe('jury commit and jury reveal', () => {
  const sent = (fake: FakeCourt, verb: string) => fake.sent.find((call) => call.verb === verb)?.input as { commitment: Hash; vote: Vote; salt: Hash }
  const commit = async (fake: FakeCourt, vote: Vote, options?: RunOptions) => {
    await runJson(fake, ['jury', 'commit', '3', vote], options)
    setSeat(fake, 3n, 0, node, { commitment: sent(fake, 'commitVote').commitment })
    move(fake, 'revealing')
  }

  it.each(['valid', 'invalid', 'cannot-judge'] as const)('%s is hidden, and found again without any notes', async (vote) => {
    const fake = createJury()
    await commit(fake, vote)
    expect(JSON.stringify(fake.sent[0]?.input, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))).not.toContain(vote)
    expect(await runJson(fake, ['jury', 'reveal', '3'])).toMatchObject({ vote, node, seats: 2 })
    const { salt } = sent(fake, 'revealVote')
    expect(fake.chain.toVoteCommitment({ caseId: 3n, round: 0, node, vote, salt })).toBe(sent(fake, 'commitVote').commitment)
  })

  it('says when to reveal; a dry run sends nothing', async () => {
    const fake = createJury()
    expect(await runText(fake, ['jury', 'commit', '3', 'invalid', '--dry-run'])).toContain('Nothing was sent.')
    expect(await runText(fake, ['jury', 'commit', '3', 'invalid'])).toMatchInlineSnapshot(`
      "Committed 0xa1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1 with 2 seats in case 3.
      Reveal with this account: \`cuckoo jury reveal 3\`
        from  2026-01-01 00:01 (in 1 min)
        until 2026-01-01 00:02 (in 2 min); who does not reveal is fined
        transaction 0xabababababababababababababababababababababababababababababababab
        block 8, 0.00005 CAI for gas
      exit 0"
    `)
  })

  it('a commit is refused at the wrong time, without a seat, twice, and for who is no node', async () => {
    const fake = createJury('sealing')
    expect(await fail(fake, ['jury', 'commit', '3', 'valid'])).toMatchInlineSnapshot(`
      "CUCKOO_JURY_STAGE_UNFIT 10: Case 3 is waiting for its seed: a commitment is possible later.
      Fetch its seed with \`cuckoo jury seal 3\`."
    `)
    move(fake, 'revealing')
    expect(await fail(fake, ['jury', 'commit', '3', 'valid'])).toMatchInlineSnapshot(`
      "CUCKOO_JURY_STAGE_UNFIT 10: Case 3 is taking reveals until 2026-01-01 00:02 (in 2 min): a commitment is possible no longer.
      \`cuckoo jury status 3\` shows every date."
    `)
    const seated = createJury()
    expect(await fail(seated, ['jury', 'commit', '3', 'yes'])).toMatchInlineSnapshot(`
      "CUCKOO_CLI_VALUE_INVALID 2: 'yes' (<valid|invalid|cannot-judge>) is not one of valid, invalid, cannot-judge.
      \`cuckoo jury commit --help\` shows what it takes."
    `)
    expect(await fail(seated, ['jury', 'commit', '3', 'valid'], { account: createLocalSigner(`0x${'99'.repeat(32)}`) })).toMatchInlineSnapshot(`
      "CUCKOO_JURY_NODE_MISSING 10: The account 0x0d8e461687b7d06f86ec348e0c270b0f279855f0 is neither a node nor the operator of one.
      Choose the node's owner or operator with --account; \`cuckoo account list\` shows the accounts."
    `)
    setSeat(seated, 3n, 0, node, { seats: 0 })
    expect(await fail(seated, ['jury', 'commit', '3', 'valid'])).toMatchInlineSnapshot(`
      "CUCKOO_JURY_SEAT_MISSING 10: The node 0xa1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1 holds no seat in round 1 of case 3.
      Seats are drawn by bond. \`cuckoo jury status\` lists the cases in which the own node sits."
    `)
    setSeat(seated, 3n, 0, node, { commitment: `0x${'aa'.repeat(32)}` })
    expect(await fail(seated, ['jury', 'commit', '3', 'valid'])).toMatchInlineSnapshot(`
      "CUCKOO_JURY_ALREADY_COMMITTED 10: The node 0xa1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1 has committed to a vote in round 1 of case 3 already, and a vote cannot be changed.
      Reveal it when its time has come: \`cuckoo jury reveal 3\`."
    `)
  })

  it('a replaced operator acts for nobody', async () => {
    const fake = createJury()
    fake.nodes.set(node, createNode(node, { operator: accused }))
    expect(await fail(fake, ['jury', 'commit', '3', 'valid'])).toMatch(/^CUCKOO_JURY_NODE_MISSING 10/)
  })

  it('a reveal is refused at the wrong time, without a commitment, and twice', async () => {
    const fake = createJury()
    expect(await fail(fake, ['jury', 'reveal', '3'])).toMatchInlineSnapshot(`
      "CUCKOO_JURY_STAGE_UNFIT 10: Case 3 is taking commitments until 2026-01-01 00:01 (in 1 min): a reveal is possible from 2026-01-01 00:01 (in 1 min) on.
      \`cuckoo jury status 3\` shows every date."
    `)
    move(fake, 'revealing')
    expect(await fail(fake, ['jury', 'reveal', '3'])).toMatchInlineSnapshot(`
      "CUCKOO_JURY_NOT_COMMITTED 10: The node 0xa1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1 has not committed to a vote in round 1 of case 3, so there is nothing to reveal.
      \`cuckoo jury status\` shows what can be done now."
    `)
    setSeat(fake, 3n, 0, node, { commitment: `0x${'aa'.repeat(32)}`, vote: 'valid' })
    expect(await fail(fake, ['jury', 'reveal', '3'])).toMatchInlineSnapshot(`
      "CUCKOO_JURY_ALREADY_REVEALED 10: The node 0xa1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1 has revealed its vote already: valid.
      \`cuckoo jury status 3\` shows the tally."
    `)
    move(fake, 'due')
    expect(await fail(fake, ['jury', 'reveal', '3'])).toMatchInlineSnapshot(`
      "CUCKOO_JURY_STAGE_UNFIT 10: Case 3 is waiting to be concluded: a reveal is possible no longer.
      Carry it on with \`cuckoo jury conclude 3\`."
    `)
  })

  it('with another key the error names those that can have committed, and --committed-by reveals with one of them', async () => {
    const fake = createJury()
    await commit(fake, 'invalid')
    const fresh = createLocalSigner(`0x${'34'.repeat(32)}`)
    fake.nodes.set(node, createNode(node, { operator: fresh.address }))
    fake.operators.set(fresh.address, operated)
    const list = async () => [{ name: 'old-operator', address: jurorKey.address, path: '', problem: null }]
    const overrides = { accounts: { list } as unknown as Ports['accounts'], getNamedSigner: async () => jurorKey }
    expect(await fail(fake, ['jury', 'reveal', '3'], { account: fresh, overrides })).toMatchInlineSnapshot(`
      "CUCKOO_JURY_KEY_UNFIT 77: The vote in case 3 was not committed with the key 0x0331ced0875e2eee97ad88f2b85b02f4944f78fc: no vote fits its salt. Other keys of the node: 0xa1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1, 0x5cbdd86a2fa8dc4bddd8a8f69dba48572eec07fb.
      Name the account that committed: \`cuckoo jury reveal 3 --committed-by old-operator\`."
    `)
    const [elsewhere, revealed] = [{ account: fresh }, { account: fresh, overrides }]
    expect(await fail(fake, ['jury', 'reveal', '3'], elsewhere)).toMatch(/--committed-by <account>`, on the machine that keeps it/)
    expect(await runJson(fake, ['jury', 'reveal', '3', '--committed-by', 'old-operator'], revealed)).toMatchObject({ vote: 'invalid', from: fresh.address })
  })
})

describe('jury seal', () => {
  it('with block hashes sends no proof once the time has come, and waits for it until then', async () => {
    const fake = createJury('sealing')
    expect(await runJson(fake, ['jury', 'seal', '3'])).toMatchObject({ round: 0, randomnessRound: String(chainTime) })
    expect(fake.sent).toMatchObject([{ verb: 'sealRound', input: { caseId: 3n, proof: '0x' } }])
    fake.nowAt = chainTime - 1
    setTimeout(() => {
      fake.nowAt = chainTime
    }, 2_000)
    expect(await runText(fake, ['jury', 'seal', '3'])).toMatchInlineSnapshot(`
      "Sealed round 1 of case 3: its jurors can vote.
      \`cuckoo jury status 3\` shows the seats.
        transaction 0xabababababababababababababababababababababababababababababababab
        block 8, 0.00005 CAI for gas
      Waiting for round 1767225600, 2026-01-01 00:00 (in 1 s).
      exit 0"
    `)
  })

  it('with a beacon sends the signature of its round', async () => {
    const fake = createJury('sealing')
    const asked: bigint[] = []
    Object.assign(fake.chain, { deployment: { ...deployment, randomness: 'drand' } })
    const fetchProof = async (round: bigint) => {
      asked.push(round)
      if (asked.length === 1) throw beaconRoundNotReached({ round, reachedAt: BigInt(chainTime + 1) })
      return '0xbeef' as const
    }
    await runJson(fake, ['jury', 'seal', '3'], { overrides: { getBeacon: async () => ({ fetchProof }) } })
    expect(asked).toEqual([BigInt(chainTime), BigInt(chainTime)])
    expect(fake.sent).toMatchObject([{ input: { proof: '0xbeef' } }])
  })

  it('gives up with the exit code of unavailable, saying when, where --timeout is too short', async () => {
    const fake = createJury('sealing')
    fake.nowAt = chainTime - 600
    expect(await fail(fake, ['jury', 'seal', '3', '--timeout', '5m'])).toMatchInlineSnapshot(`
      "CUCKOO_JURY_SEED_PENDING 75: The seed of case 3 cannot be had yet: its round 1767225600 comes 2026-01-01 00:00 (in 10 min).
      Try again then, or wait for it: \`cuckoo jury seal 3 --timeout 30m\`."
    `)
    Object.assign(fake.chain, { deployment: { ...deployment, randomness: 'drand' } })
    const withBeacon = (error: Error) => ({ overrides: { getBeacon: async () => ({ fetchProof: () => Promise.reject(error) }) } })
    const early = beaconRoundNotReached({ round: BigInt(chainTime), reachedAt: BigInt(chainTime + 600) })
    expect(await fail(fake, ['jury', 'seal', '3', '--timeout', '5m'], withBeacon(early))).toMatch(/^CUCKOO_JURY_SEED_PENDING 75: .*in 10 min/)
    const down = beaconUnavailable({ round: 1n, relays: ['https://relay.example'], reasons: ['HTTP 500'] })
    expect(await fail(fake, ['jury', 'seal', '3'], withBeacon(down))).toMatch(/^CUCKOO_BEACON_UNAVAILABLE 75/)
  })

  it('refuses a round that is sealed', async () => {
    expect(await fail(createJury(), ['jury', 'seal', '3'])).toMatchInlineSnapshot(`
      "CUCKOO_JURY_STAGE_UNFIT 10: Case 3 is taking commitments until 2026-01-01 00:01 (in 1 min): sealing is possible no longer.
      \`cuckoo jury status 3\` shows every date."
    `)
  })
})

describe('jury conclude', () => {
  it('carries a case on, and says where it stands then', async () => {
    const fake = createJury('due')
    fake.onSend = () => move(fake, 'closed', 'valid')
    expect(await runText(fake, ['jury', 'conclude', '3'])).toMatchInlineSnapshot(`
      "Case 3 is closed, verdict valid.
        transaction 0xabababababababababababababababababababababababababababababababab
        block 8, 0.00005 CAI for gas
      exit 0"
    `)
  })

  it('refuses before a window is over', async () => {
    expect(await fail(createJury('committing'), ['jury', 'conclude', '3'])).toMatchInlineSnapshot(`
      "CUCKOO_JURY_STAGE_UNFIT 10: Case 3 is taking commitments until 2026-01-01 00:01 (in 1 min): concluding is possible from 2026-01-01 00:02 (in 2 min) on.
      \`cuckoo jury status 3\` shows every date."
    `)
    expect(await fail(createJury('closed'), ['jury', 'conclude', '3'])).toMatchInlineSnapshot(`
      "CUCKOO_JURY_STAGE_UNFIT 10: Case 3 is closed: concluding is possible no longer.
      \`cuckoo jury collect\` and \`cuckoo jury fine 3\` settle what is left."
    `)
    const fake = createFakeCourt()
    addCase(fake, 3n, { stage: 'appealing', verdict: 'valid' }, { appealEndsAt: chainTime + 30 })
    expect(await fail(fake, ['jury', 'conclude', '3'])).toMatchInlineSnapshot(`
      "CUCKOO_JURY_STAGE_UNFIT 10: Case 3 is open for appeals until 2026-01-01 00:00 (in 30 s): concluding is possible from 2026-01-01 00:00 (in 30 s) on.
      \`cuckoo jury status 3\` shows every date."
    `)
    expect(await fail(createJury('sealing'), ['jury', 'conclude', '3'])).toMatch(/^CUCKOO_JURY_STAGE_UNFIT 10: .*possible later/)
  })
})

describe('jury summon', () => {
  it('writes down the seats of the own node, or of another', async () => {
    const fake = createJury()
    expect(await runJson(fake, ['jury', 'summon', '3'])).toMatchObject({ node, seats: 2 })
    setSeat(fake, 3n, 0, coordinatorNode, { seats: 1 })
    expect(await runJson(fake, ['jury', 'summon', '3', coordinatorNode])).toMatchObject({ node: coordinatorNode, seats: 1 })
    expect(await fail(fake, ['jury', 'summon', '3', accused])).toMatch(/^CUCKOO_JURY_SEAT_MISSING 10/)
    expect(await fail(createJury('sealing'), ['jury', 'summon', '3'])).toMatch(/^CUCKOO_JURY_STAGE_UNFIT 10/)
  })
})

describe('jury fine', () => {
  const [silent, wrong, right, unsure] = ['b1', 'b2', 'b3', 'b4'].map((byte) => `0x${byte.repeat(20)}` as Address) as [Address, Address, Address, Address]
  const createVoted = () => {
    const fake = createJury('appealing')
    fake.nowAt = chainTime + 121
    const commitment: Hash = `0x${'aa'.repeat(32)}`
    setSeat(fake, 3n, 0, node, { commitment, vote: 'valid' })
    setSeat(fake, 3n, 0, silent, { commitment })
    setSeat(fake, 3n, 0, wrong, { commitment, vote: 'invalid' })
    setSeat(fake, 3n, 0, right, { commitment, vote: 'valid' })
    setSeat(fake, 3n, 0, unsure, { commitment, vote: 'cannot-judge' })
    return fake
  }

  it('fines who was silent once the reveals are over, and who was wrong once the verdict is final', async () => {
    const fake = createVoted()
    expect(await runLines(fake, ['jury', 'fine', '3'])).toMatchObject([{ node: silent, why: 'silent', round: 0 }])
    move(fake, 'closed', 'valid')
    expect((await runLines(fake, ['jury', 'fine', '3'])).map(({ node: fined, why }) => [fined, why])).toEqual([
      [silent, 'silent'],
      [wrong, 'against'],
    ])
    expect(await runLines(fake, ['jury', 'fine', '3', wrong, '--dry-run'])).toMatchObject([{ node: wrong, dryRun: true }])
    move(fake, 'closed', 'undecided')
    expect(await runLines(fake, ['jury', 'fine', '3'])).toMatchObject([{ node: silent }])
  })

  it('goes on where somebody was faster, and fails when nothing was left', async () => {
    const fake = createVoted()
    move(fake, 'closed', 'valid')
    fake.onSend = (_, input) => {
      if (input['node'] === silent) throw notFinable({ caseId: 3n, round: 0, node: silent })
    }
    expect(await runText(fake, ['jury', 'fine', '3'])).toMatchInlineSnapshot(`
      "Fined 0xb2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2 in round 1 of case 3: it voted against the verdict.
        transaction 0xabababababababababababababababababababababababababababababababab
        block 8, 0.00005 CAI for gas
      warning: The node 0xb1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1 owes nothing for round 1 of case 3: it did its duty, was fined already, or the time is not there or over.
      exit 0"
    `)
    fake.onSend = () => {
      throw notFinable({ caseId: 3n, round: 0, node: silent })
    }
    expect(await fail(fake, ['jury', 'fine', '3'])).toMatch(/^CUCKOO_COURT_NOT_FINABLE 10/)
  })

  it('refuses before, and more than one thaw after, and who did right', async () => {
    const fake = createVoted()
    fake.nowAt = chainTime + 119
    expect(await fail(fake, ['jury', 'fine', '3'])).toMatchInlineSnapshot(`
      "CUCKOO_CLI_NOTHING_TO_DO 10: Nobody can be fined in case 3 now.
      Fines begin when a reveal window is over: \`cuckoo jury status 3\` shows when."
    `)
    fake.nowAt = chainTime + 120
    expect(await runLines(fake, ['jury', 'fine', '3', '--dry-run'])).toHaveLength(1)
    fake.nowAt = chainTime + 120 + devnetParameters.thawSeconds
    expect(await runLines(fake, ['jury', 'fine', '3'])).toHaveLength(1)
    fake.nowAt++
    expect(await fail(fake, ['jury', 'fine', '3'])).toMatch(/^CUCKOO_CLI_NOTHING_TO_DO 10/)
    fake.nowAt = chainTime + 121
    expect(await fail(fake, ['jury', 'fine', '3', right])).toMatch(/^CUCKOO_CLI_NOTHING_TO_DO 10/)
    expect(await fail(fake, ['jury', 'fine', '3', 'nobody'])).toMatch(/^CUCKOO_ACCOUNT_UNKNOWN 78/)
  })
})

describe('jury collect', () => {
  const commitment: Hash = `0x${'aa'.repeat(32)}`

  it('credits the pay of closed cases, then takes out credits and what is released', async () => {
    const fake = createJury('closed')
    move(fake, 'closed', 'valid')
    // The account in use owns the node here.
    fake.nodes.set(jurorKey.address, createNode(jurorKey.address))
    const own = jurorKey.address
    fake.operators.clear()
    fake.cases.get(3n)?.rounds.push(createRound(1), createRound(2))
    setSeat(fake, 3n, 0, own, { commitment, vote: 'valid' })
    setSeat(fake, 3n, 1, own, { commitment, vote: 'invalid' })
    setSeat(fake, 3n, 2, own, { commitment, vote: 'valid', paid: true })
    addCase(fake, 4n, { stage: 'closed', verdict: 'undecided' })
    setSeat(fake, 4n, 0, own, { commitment, vote: 'invalid' })
    addCase(fake, 5n, { stage: 'appealing', verdict: 'valid' })
    setSeat(fake, 5n, 0, own, { commitment, vote: 'valid' })
    fake.credits = {
      creditWei: 0n,
      cuts: [
        { caseId: 1n, amountWei: 7n * cai, releaseAt: chainTime },
        { caseId: 2n, amountWei: cai, releaseAt: chainTime + 1 },
      ],
    }
    fake.onSend = (verb) => {
      if (verb === 'creditJuror') fake.credits = { ...fake.credits, creditWei: fake.credits.creditWei + cai }
    }
    expect(await runLines(fake, ['jury', 'collect', '--to', accused])).toMatchObject([
      { step: 'pay', caseId: '3', recipient: own },
      { step: 'pay', caseId: '4', recipient: own },
      { step: 'credits', caseId: null, amountWei: String(2n * cai), recipient: accused },
      { step: 'cut', caseId: '1', amountWei: String(7n * cai), recipient: accused },
    ])
    expect(fake.sent.map(({ verb, input }) => [verb, (input as { round?: number }).round])).toEqual([
      ['creditJuror', 0],
      ['creditJuror', 0],
      ['withdrawCredits', undefined],
      ['withdrawCut', undefined],
    ])
  })

  it('an operator is told whose the pay is', async () => {
    const fake = createJury('closed')
    move(fake, 'closed', 'valid')
    setSeat(fake, 3n, 0, node, { commitment, vote: 'valid' })
    expect(await runText(fake, ['jury', 'collect'])).toMatchInlineSnapshot(`
      "Credited the pay for case 3 to 0xa1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1.
        transaction 0xabababababababababababababababababababababababababababababababab
        block 8, 0.00005 CAI for gas
      The pay is the owner's: take it out with the account of 0xa1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1.
      exit 0"
    `)
  })

  it('with nothing due says what comes when', async () => {
    const fake = createJury()
    expect(await fail(fake, ['jury', 'collect'])).toMatchInlineSnapshot(`
      "CUCKOO_CLI_NOTHING_TO_DO 10: The court holds nothing for 0x5cbdd86a2fa8dc4bddd8a8f69dba48572eec07fb that is due.
      \`cuckoo jury status\` lists the open cases; pay comes when one is closed."
    `)
    fake.credits = { creditWei: 0n, cuts: [{ caseId: 2n, amountWei: cai, releaseAt: chainTime + 90 }] }
    expect(await fail(fake, ['jury', 'collect'])).toMatchInlineSnapshot(`
      "CUCKOO_CLI_NOTHING_TO_DO 10: The court holds nothing for 0x5cbdd86a2fa8dc4bddd8a8f69dba48572eec07fb that is due.
      1 CAI of case 2 are released on 2026-01-01 00:01 (in 1 min 30 s)."
    `)
  })
})

describe('jury evidence', () => {
  const file = (name: string, bytes: number) => {
    writeFileSync(join(folder, name), Buffer.alloc(bytes, 1))
    return join(folder, name)
  }

  it('publishes a file after a warning and a yes', async () => {
    const fake = createJury()
    const path = file('rerun.json', 24_576)
    expect(await runText(fake, ['jury', 'evidence', '3', path])).toMatchInlineSnapshot(`
      "warning: This publishes /rerun.json on the chain: 24576 bytes, for everybody, for ever.
      error: There is no terminal to ask on: Publish /rerun.json in case 3? (CUCKOO_CLI_TERMINAL_REQUIRED)
      hint: Give --yes (or CUCKOO_YES=true) to answer it beforehand.
      exit 2"
    `)
    expect(fake.sent).toEqual([])
    expect(await runJson(fake, ['jury', 'evidence', '3', path])).toMatchObject({ bytes: 24_576 })
  })

  it('refuses too much, nothing, no file, and a closed case', async () => {
    const fake = createJury()
    expect(await fail(fake, ['jury', 'evidence', '3', file('long', 24_577)])).toMatchInlineSnapshot(`
      "CUCKOO_JURY_EVIDENCE_TOO_LARGE 10: The evidence has 24577 bytes; the court takes 24576 at most.
      Input, params and output count together; an addition counts by itself and can be split over several files."
    `)
    expect(await fail(fake, ['jury', 'evidence', '3', file('empty', 0)])).toMatchInlineSnapshot(`
      "CUCKOO_JURY_EVIDENCE_EMPTY 2: /empty is empty.
      Name a file with something for jurors to read."
    `)
    expect(await fail(fake, ['jury', 'evidence', '3', join(folder, 'missing')])).toMatchInlineSnapshot(`
      "CUCKOO_CLI_FILE_UNREADABLE 2: The file /missing cannot be read: there is no such file.
      Check the path and its permissions."
    `)
    expect(await fail(createJury('closed'), ['jury', 'evidence', '3', file('late', 1)])).toMatchInlineSnapshot(`
      "CUCKOO_JURY_STAGE_UNFIT 10: Case 3 is closed: evidence is possible no longer.
      \`cuckoo jury status 3\` shows how it ended."
    `)
  })
})
