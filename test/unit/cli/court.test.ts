import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { createLocalSigner } from '../../../src/chain/signer.ts'
import type { ReceiptBundle } from '../../../src/cli/receipts.ts'
import { sha256 } from '../../../src/domain/canonical.ts'
import type { Evidence } from '../../../src/domain/dispute.ts'
import { devnetParameters } from '../../../src/domain/networkParameters.ts'
import type { Receipt, SignedAssignment } from '../../../src/domain/receipt.ts'
import { chainTime, createNode, runMain } from '../../support/cli.ts'
import {
  accused,
  addCase,
  cai,
  coordinatorKey,
  coordinatorNode,
  createBundle,
  createCourtPorts,
  createFakeCourt,
  type FakeCourt,
  jurorKey,
  minerKey,
  toText,
} from '../../support/court.ts'

process.env['TZ'] = 'UTC'
const folder = mkdtempSync(join(tmpdir(), 'cuckoo-unit-court-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
function keep(text: string): string {
  const path = join(folder, `${files++}.json`)
  writeFileSync(path, text)
  return path
}
const keepBundle = (bundle: ReceiptBundle) => keep(toText(bundle))
/** A receipt alone, as somebody hands it out who does not want to show the prompt. */
const keepBare = (bundle: ReceiptBundle) => keep(JSON.stringify((JSON.parse(toText(bundle)) as { receipt: unknown }).receipt))

/** Names of files depend on the order of tests. */
const hideFiles = (text: string) => text.replaceAll(/(?<=[ '])\S*\.json/g, 'FILE')

async function runText(fake: FakeCourt, argv: string[], answers?: string[]): Promise<string> {
  const { code, stdout, stderr } = await runMain(argv, { compose: createCourtPorts(fake), ...(answers === undefined ? {} : { answers }) })
  expect(stdout.split('\n').filter((line) => line.length > 80 && !line.includes('0x'))).toEqual([])
  return hideFiles(`${stdout}${stderr}exit ${code}`)
}

async function runJson(fake: FakeCourt, argv: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await runMain([...argv, '--json'], { compose: createCourtPorts(fake) })
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout) as Record<string, unknown>
}

/** What the only transaction was sent with. */
function getSent(fake: FakeCourt): unknown {
  expect(fake.sent).toHaveLength(1)
  return fake.sent[0]?.input
}

/** Code, message and exit code of a command that fails, and that nothing was sent. */
async function fail(fake: FakeCourt, argv: string[]): Promise<string> {
  const { code, stderr } = await runMain([...argv, '--json', '--yes'], { compose: createCourtPorts(fake) })
  expect(fake.sent).toEqual([])
  const { error } = JSON.parse(stderr.trim().split('\n').at(-1) ?? '{}') as { error: { code: string; message: string } }
  return hideFiles(`${error.code} ${code}: ${error.message}`)
}

describe('receipt show --save', () => {
  it('keeps the receipt with its content for its owner only, and never over another file', async () => {
    const bundle = createBundle()
    const [from, to] = [keepBundle(bundle), join(folder, 'kept.json')]
    await runJson(createFakeCourt(), ['receipt', 'show', from, '--save', to])
    expect(JSON.parse(readFileSync(to, 'utf8'))).toEqual(JSON.parse(toText(bundle)))
    expect(statSync(to).mode & 0o777).toBe(0o600)
    expect(await runJson(createFakeCourt(), ['receipt', 'verify', to])).toMatchObject({ verified: true })
    expect(await fail(createFakeCourt(), ['receipt', 'show', from, '--save', to])).toMatchInlineSnapshot(
      `"CUCKOO_CLI_FILE_EXISTS 2: The file FILE exists already."`,
    )
  })
})

describe('challenge', () => {
  it('sends the very bytes whose hashes the receipt carries, with the bond that is asked for', async () => {
    const fake = createFakeCourt()
    const bundle = createBundle()
    fake.onSend = () => void addCase(fake, 4n, { stage: 'sealing', challenger: jurorKey.address })
    const report = await runJson(fake, ['challenge', keepBundle(bundle), '--yes'])
    expect(report).toMatchObject({ caseId: '4', accused, bondWei: String(3n * cai), action: 'challenge', slashWei: String((20_000n * cai + 1n) / 10n) })
    const { receipt, evidence, bondWei } = getSent(fake) as { receipt: Receipt; evidence: Evidence; bondWei: bigint }
    expect([receipt, bondWei]).toEqual([bundle.receipt, 3n * cai])
    expect([sha256(evidence.input), sha256(evidence.params), sha256(evidence.output)]).toEqual([
      receipt.assignment.inputHash,
      receipt.assignment.paramsHash,
      receipt.result.outputHash,
    ])
  })

  it('says what becomes public and what can be lost, then asks, and sends only after yes', async () => {
    const fake = createFakeCourt()
    expect(await runText(fake, ['challenge', keepBundle(createBundle())], ['n'])).toMatchInlineSnapshot(`
      "warning: This publishes the prompt, the parameters and the output on the chain:
        143 bytes, for everybody, for ever.
      The bond is 3 CAI. Found invalid, it comes back, the miner loses 10 % of its
      bond (2000 CAI), and a quarter of what the jurors' pay leaves of that is yours
      one thaw later. Found valid, it is lost: it pays the jurors. Undecided, what
      jurors have not earned of it comes back.
      Publish this and post 3 CAI? [y/N] error: Nothing was done: 'Publish this and post 3 CAI?' was not answered with
        yes. (CUCKOO_CLI_ANSWERED_NO)
      hint: Give --yes to answer it beforehand.
      exit 2"
    `)
    expect(fake.sent).toEqual([])
    expect(await runText(fake, ['challenge', keepBundle(createBundle())])).toContain('CUCKOO_CLI_TERMINAL_REQUIRED')
    expect(fake.sent).toEqual([])
    expect(await runText(fake, ['challenge', keepBundle(createBundle())], ['y'])).toContain(`Challenged ${accused}`)
    expect(fake.sent).toHaveLength(1)
  })

  it('--dry-run asks nothing and sends nothing', async () => {
    const fake = createFakeCourt()
    expect(await runText(fake, ['challenge', keepBundle(createBundle()), '--dry-run'])).toMatchInlineSnapshot(`
      "Would send 'challenge' from 0x5cbdd86a2fa8dc4bddd8a8f69dba48572eec07fb
        to 0x6666666666666666666666666666666666666666
        value 3 CAI, gas 50000, at most 0.00005 CAI for gas
      Nothing was sent.
      warning: This publishes the prompt, the parameters and the output on the chain: 143 bytes, for everybody, for ever.
      The bond is 3 CAI. Found invalid, it comes back, the miner loses 10 % of its bond (2000 CAI), and a quarter of what the jurors' pay leaves of that is yours one thaw later. Found valid, it is lost: it pays the jurors. Undecided, what jurors have not earned of it comes back.
      exit 0"
    `)
    expect(fake.sent).toMatchObject([{ options: { dryRun: true } }])
  })

  it('counts what earlier convictions make of the slash, and what thaws', async () => {
    const fake = createFakeCourt()
    fake.convictions = { ...fake.convictions, step: 1, stepAt: chainTime - 100, stepBps: 1_000 }
    fake.nodes.set(accused, createNode(accused, { bondWei: 30_000n * cai, thawingBondWei: 10_000n * cai }))
    expect(await runJson(fake, ['challenge', keepBundle(createBundle()), '--dry-run'])).toMatchObject({ slashWei: String(20_000n * cai) })
  })

  it('takes content that is kept apart, in any order and spacing', async () => {
    const fake = createFakeCourt()
    const bundle = createBundle()
    const evidence = keep(
      JSON.stringify(
        { output: bundle.output, params: Object.fromEntries(Object.entries(bundle.content.params).reverse()), input: bundle.content.input },
        null,
        4,
      ),
    )
    await runJson(fake, ['challenge', keepBare(bundle), '--evidence', evidence, '--yes'])
    expect(sha256((getSent(fake) as { evidence: Evidence }).evidence.params)).toBe(bundle.receipt.assignment.paramsHash)
  })

  it('refuses evidence that is missing, is none, is another one, or is too much', async () => {
    const fake = createFakeCourt()
    const bundle = createBundle()
    const bare = keepBare(bundle)
    expect(await fail(fake, ['challenge', bare])).toMatchInlineSnapshot(
      `"CUCKOO_JURY_EVIDENCE_MISSING 2: FILE holds the receipt, but not the input, params and output that it is about."`,
    )
    expect(await fail(fake, ['challenge', bare, '--evidence', keep('{"input":1,"params":2}')])).toMatchInlineSnapshot(
      `"CUCKOO_JURY_EVIDENCE_UNREADABLE 65: FILE is no evidence: output: Invalid input."`,
    )
    expect(await fail(fake, ['challenge', bare, '--evidence', keep('[')])).toMatchInlineSnapshot(
      `"CUCKOO_JURY_EVIDENCE_UNREADABLE 65: FILE is no evidence: it is not JSON."`,
    )
    expect(await fail(fake, ['challenge', keepBundle({ ...bundle, output: { tokenIds: [4, 5, 7], finishReason: 'length' } })])).toMatchInlineSnapshot(
      `"CUCKOO_JURY_EVIDENCE_MISMATCH 65: The output is not the one that was signed: its SHA-256 is 0x676951ba7af7af8adc15709ae4afd7e2017da1df7a36db1211110fe7f86a74ce, the receipt has 0x790f87c0e084e8e239579a1aede0268b5a523500ec475133c5f5715dab827b9f."`,
    )
    const long = createBundle({}, { output: { tokenIds: Array.from({ length: 13_000 }, () => 1), finishReason: 'length' } })
    expect(await fail(fake, ['challenge', keepBundle(long)])).toMatchInlineSnapshot(
      `"CUCKOO_JURY_EVIDENCE_TOO_LARGE 10: The evidence has 26137 bytes; the court takes 24576 at most."`,
    )
  })

  it('refuses what the evidence clock refuses, to the second', async () => {
    const fake = createFakeCourt()
    const { evidenceSeconds } = devnetParameters
    const issued = (at: number) => keepBundle(createBundle({ issuedAt: BigInt(at) }))
    expect(await fail(fake, ['challenge', issued(chainTime - evidenceSeconds - 1)])).toMatchInlineSnapshot(
      `"CUCKOO_JURY_RECEIPT_TOO_OLD 10: FILE is no evidence any more since 2025-12-31 23:59 (1 s ago)."`,
    )
    expect(await fail(fake, ['challenge', issued(chainTime + 1)])).toMatchInlineSnapshot(
      `"CUCKOO_JURY_RECEIPT_TOO_EARLY 10: FILE was issued 2026-01-01 00:00 by its own date, which has not come on the chain."`,
    )
    for (const at of [chainTime - evidenceSeconds, chainTime]) await runJson(fake, ['challenge', issued(at), '--dry-run'])
  })

  it('refuses signatures that would not count now', async () => {
    const fake = createFakeCourt()
    const stranger = createLocalSigner(`0x${'44'.repeat(32)}`)
    expect(await fail(fake, ['challenge', keepBundle(createBundle({}, { signers: { miner: stranger } }))])).toMatchInlineSnapshot(
      `"CUCKOO_JURY_RECEIPT_UNFIT 65: The court would not take FILE: the key 0x7564105e977516c53be337314c7e53838967bdac that signed it is not the miner's, or it was signed for another network."`,
    )
    expect(await fail(fake, ['challenge', keepBundle(createBundle({}, { signers: { coordinator: minerKey } }))])).toMatchInlineSnapshot(
      `"CUCKOO_JURY_RECEIPT_UNFIT 65: The court would not take FILE: the key 0x1563915e194d8cfba1943570603f7606a3115508 that signed it is not the coordinator's, or it was signed for another network."`,
    )
    const bundle = createBundle()
    const malformed = { ...bundle, receipt: { ...bundle.receipt, resultSignature: `0x${'00'.repeat(65)}` as const } }
    expect(await fail(fake, ['challenge', keepBundle(malformed)])).toMatchInlineSnapshot(
      `"CUCKOO_JURY_RECEIPT_UNFIT 65: The court would not take FILE: the miner's signature is malformed."`,
    )
    const foreign = {
      ...bundle,
      receipt: { ...createBundle({ seed: 8n }).receipt, assignment: bundle.receipt.assignment, assignmentSignature: bundle.receipt.assignmentSignature },
    }
    expect(await fail(fake, ['challenge', keepBundle(foreign)])).toMatchInlineSnapshot(
      `"CUCKOO_JURY_RECEIPT_UNFIT 65: The court would not take FILE: its result is for another assignment."`,
    )
  })

  it('counts a replaced key for one thaw, and only for what was issued before', async () => {
    const fake = createFakeCourt()
    const { thawSeconds } = devnetParameters
    const replaced = (at: number) => fake.operators.set(minerKey.address, { node: accused, validUntil: BigInt(at + thawSeconds) })
    replaced(chainTime - 5)
    await runJson(fake, ['challenge', keepBundle(createBundle()), '--dry-run'])
    fake.sent.length = 0
    replaced(chainTime - 11)
    expect(await fail(fake, ['challenge', keepBundle(createBundle())])).toMatchInlineSnapshot(
      `"CUCKOO_JURY_RECEIPT_UNFIT 65: The court would not take FILE: the miner's key 0x1563915e194d8cfba1943570603f7606a3115508 was replaced before the assignment was issued."`,
    )
    replaced(chainTime - thawSeconds - 1)
    expect(await fail(fake, ['challenge', keepBundle(createBundle())])).toMatchInlineSnapshot(
      `"CUCKOO_JURY_RECEIPT_UNFIT 65: The court would not take FILE: the miner's key 0x1563915e194d8cfba1943570603f7606a3115508 was replaced, and counts no longer since 2025-12-31 23:59."`,
    )
  })
})

describe('report miner', () => {
  const other = () => createBundle({}, { output: { tokenIds: [9], finishReason: 'stop' } })

  it('sends both results of one assignment; no content is needed', async () => {
    const fake = createFakeCourt()
    expect(await runJson(fake, ['report', 'miner', keepBundle(createBundle()), keepBare(other())])).toMatchObject({
      accused,
      attempt: 1,
      action: 'reportMiner',
    })
    const { first, second } = getSent(fake) as { first: Receipt; second: Receipt }
    expect([first, second]).toEqual([createBundle().receipt, other().receipt])
  })

  it('names what does not fit', async () => {
    const fake = createFakeCourt()
    const first = keepBundle(createBundle())
    expect(await fail(fake, ['report', 'miner', first, first])).toMatchInlineSnapshot(
      `"CUCKOO_JURY_REPORT_UNFIT 65: The two receipts do not prove that a miner signed two results for one assignment: both have the output 0x790f87c0e084e8e239579a1aede0268b5a523500ec475133c5f5715dab827b9f."`,
    )
    expect(await fail(fake, ['report', 'miner', first, keepBundle(createBundle({ attempt: 2 }))])).toMatchInlineSnapshot(
      `"CUCKOO_JURY_REPORT_UNFIT 65: The two receipts do not prove that a miner signed two results for one assignment: they are of two assignments."`,
    )
    const forged = createBundle({}, { output: { tokenIds: [9], finishReason: 'stop' }, signers: { miner: coordinatorKey } })
    expect(await fail(fake, ['report', 'miner', first, keepBundle(forged)])).toMatchInlineSnapshot(
      `"CUCKOO_JURY_RECEIPT_UNFIT 65: The court would not take FILE: the key 0x19e7e376e7c213b7e7e7e46cc70a5dd086daff2a that signed it is not the miner's, or it was signed for another network."`,
    )
    fake.nowAt = chainTime + devnetParameters.evidenceSeconds
    expect(await fail(fake, ['report', 'miner', first, keepBundle(other())])).toContain('CUCKOO_JURY_RECEIPT_TOO_OLD 10')
  })
})

describe('report coordinator', () => {
  const second = (fields: Partial<Receipt['assignment']> = {}) => createBundle({ miner: `0x${'23'.repeat(20)}`, issuedAt: BigInt(chainTime - 3), ...fields })
  /** what a miner has in its hands that was given the task, and never ran it */
  const keepAssignment = ({ receipt: { assignmentSignature } }: ReceiptBundle, text: string) =>
    keep(JSON.stringify({ assignment: (JSON.parse(text) as { receipt: Receipt }).receipt.assignment, assignmentSignature }))

  it('sends two assignments of one attempt to two miners, from receipts or alone', async () => {
    const fake = createFakeCourt()
    const alone = keepAssignment(second(), toText(second()))
    expect(await runJson(fake, ['report', 'coordinator', keepBundle(createBundle()), alone])).toMatchObject({ accused: coordinatorNode })
    const sent = getSent(fake) as { first: SignedAssignment; second: SignedAssignment }
    expect([sent.first.assignment, sent.second.assignment]).toEqual([createBundle().receipt.assignment, second().receipt.assignment])
  })

  it('runs the clock from the later of the two', async () => {
    const fake = createFakeCourt()
    fake.nowAt = chainTime - 3 + devnetParameters.evidenceSeconds
    await runJson(fake, ['report', 'coordinator', keepBundle(createBundle()), keepBundle(second()), '--dry-run'])
    fake.sent.length = 0
    fake.nowAt++
    expect(await fail(fake, ['report', 'coordinator', keepBundle(createBundle()), keepBundle(second())])).toContain('CUCKOO_JURY_RECEIPT_TOO_OLD 10')
  })

  it('names what does not fit', async () => {
    const fake = createFakeCourt()
    const first = keepBundle(createBundle())
    const report = (bundle: ReceiptBundle) => fail(fake, ['report', 'coordinator', first, keepBundle(bundle)])
    expect(await report(createBundle({ seed: 9n }))).toMatchInlineSnapshot(
      `"CUCKOO_JURY_REPORT_UNFIT 65: The two receipts do not prove that a coordinator gave one task attempt to two miners: both are to the miner 0x2222222222222222222222222222222222222222."`,
    )
    expect(await report(second({ attempt: 2 }))).toMatchInlineSnapshot(
      `"CUCKOO_JURY_REPORT_UNFIT 65: The two receipts do not prove that a coordinator gave one task attempt to two miners: they are of two attempts, 1 and 2."`,
    )
    expect(await report(second({ taskId: `0x${'ac'.repeat(32)}` }))).toMatchInlineSnapshot(
      `"CUCKOO_JURY_REPORT_UNFIT 65: The two receipts do not prove that a coordinator gave one task attempt to two miners: they are of two tasks."`,
    )
    expect(await report(second({ coordinator: accused }))).toMatchInlineSnapshot(
      `"CUCKOO_JURY_REPORT_UNFIT 65: The two receipts do not prove that a coordinator gave one task attempt to two miners: they are of two coordinators."`,
    )
    expect(await report(createBundle({ miner: `0x${'23'.repeat(20)}` }, { signers: { coordinator: minerKey } }))).toMatchInlineSnapshot(
      `"CUCKOO_JURY_RECEIPT_UNFIT 65: The court would not take FILE: the key 0x1563915e194d8cfba1943570603f7606a3115508 that signed it is not the coordinator's, or it was signed for another network."`,
    )
    expect(await fail(fake, ['report', 'coordinator', first, keep('{"assignment":{}}')])).toMatchInlineSnapshot(
      `"CUCKOO_CLI_RECEIPT_UNREADABLE 65: FILE is not a receipt: assignment.taskId: Invalid input: expected string, received undefined."`,
    )
  })
})

describe('appeal', () => {
  it('says what is at stake until when, asks, and posts the bond', async () => {
    const fake = createFakeCourt()
    addCase(fake, 3n, { stage: 'appealing', verdict: 'invalid' }, { verdict: 'invalid', appealEndsAt: chainTime + 50 })
    expect(await runText(fake, ['appeal', '3', 'valid'])).toContain('CUCKOO_CLI_TERMINAL_REQUIRED')
    expect(fake.sent).toEqual([])
    expect(await runText(fake, ['appeal', '3', 'valid', '--yes'])).toMatchInlineSnapshot(`
      "Appealed case 3 for valid: round 2, 5 seats.
        transaction 0xabababababababababababababababababababababababababababababababab
        block 8, 0.00005 CAI for gas
      The verdict is invalid. Appeals are taken until 2026-01-01 00:00 (in 50 s).
      The bond is 10 CAI for 5 seats. If the case ends valid, it comes back. If it ends otherwise, it is lost: it pays the jurors. Undecided, what jurors have not earned of it comes back.
      exit 0"
    `)
    expect(fake.sent).toMatchObject([{ verb: 'appeal', input: { caseId: 3n, side: 'valid', bondWei: 10n * cai } }])
  })

  it('refuses the side that stands, a wrong time, and what is no side', async () => {
    const fake = createFakeCourt()
    addCase(fake, 3n, { stage: 'appealing', verdict: 'invalid' }, { verdict: 'invalid', appealEndsAt: chainTime + 50 })
    addCase(fake, 4n, { stage: 'closed', verdict: 'valid' })
    addCase(fake, 5n, { stage: 'appealing', verdict: 'undecided' }, { appealEndsAt: chainTime + 50 })
    expect(await fail(fake, ['appeal', '3', 'invalid'])).toMatchInlineSnapshot(
      `"CUCKOO_JURY_SIDE_STANDS 10: Case 3 stands as invalid: an appeal is for the side that does not stand."`,
    )
    expect(await fail(fake, ['appeal', '4', 'invalid'])).toMatchInlineSnapshot(
      `"CUCKOO_JURY_STAGE_UNFIT 10: Case 4 is closed: an appeal is possible no longer."`,
    )
    expect(await fail(fake, ['appeal', '3', 'cannot-judge'])).toMatchInlineSnapshot(
      `"CUCKOO_CLI_VALUE_INVALID 2: 'cannot-judge' (<valid|invalid>) is not one of valid, invalid."`,
    )
    expect(await fail(fake, ['appeal', '9', 'valid'])).toMatchInlineSnapshot(`"CUCKOO_COURT_CASE_UNKNOWN 10: There is no case 9 of this kind."`)
    for (const side of ['valid', 'invalid']) await runJson(fake, ['appeal', '5', side, '--dry-run'])
  })
})
