import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { createSignatureVerifier } from '../../src/chain/signer.ts'
import { commandEntries } from '../../src/cli/commands/index.ts'
import { findTopic } from '../../src/cli/topics.ts'
import type { Receipt } from '../../src/domain/receipt.ts'
import { createChainCommands, type Line } from '../support/chainCommands.ts'
import { cai, type TestNetwork, testParameters, useTestNetwork } from '../support/chainFixtures.ts'
import { createBundle, toText } from '../support/court.ts'

const network = useTestNetwork()
const folder = mkdtempSync(join(tmpdir(), 'cuckoo-chain-court-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
const keep = (text: string): string => {
  const path = join(folder, `${files++}.json`)
  writeFileSync(path, text)
  return path
}

/** Owners and operators of a coordinator, the accused and two jurors, and two bystanders. */
const toParties = ({ signer }: TestNetwork) => ({
  coordinator: { owner: signer(1), operator: signer(2) },
  accused: { owner: signer(3), operator: signer(4) },
  first: { owner: signer(5), operator: signer(6) },
  second: { owner: signer(7), operator: signer(8) },
  challenger: signer(9),
  bystander: signer(0),
})

const { cuckoo, run, played } = createChainCommands(network, { getVerifier: async () => createSignatureVerifier() })

/** A receipt of the accused, issued now. */
async function createReceipt(fields: Partial<Receipt['assignment']> = {}, output?: Parameters<typeof createBundle>[1]) {
  const { chain, now } = network()
  const { coordinator, accused } = toParties(network())
  const parties = { coordinator: coordinator.owner.address, miner: accused.owner.address, issuedAt: BigInt(await now()) }
  return createBundle({ ...parties, ...fields }, { network: chain, signers: { coordinator: coordinator.operator, miner: accused.operator }, ...output })
}

beforeEach(async () => {
  const { registerCoordinator, registerMiner, warp } = network()
  const { coordinator, accused, first, second } = toParties(network())
  await registerCoordinator(coordinator)
  for (const miner of [accused, first, second]) await registerMiner(miner)
  // Seats come from the bond epoch before a round opens.
  await warp(testParameters.epochSeconds * 2)
})

describe('a false result', () => {
  it('is challenged, judged, appealed, judged again; jurors are paid, the silent one fined, the challenger rewarded', async () => {
    const { chain, warp, deployment, anvil } = network()
    const { accused, first, second, challenger, bystander } = toParties(network())
    const receipt = keep(toText(await createReceipt()))
    const { commitSeconds, revealSeconds, appealSeconds, sealSeconds, thawSeconds } = testParameters

    const opened = await run(challenger, 'challenge', receipt)
    expect(opened).toMatchObject({ caseId: '1', accused: accused.owner.address, bondWei: String(cai(3)), slashWei: String(cai(2_500)) })
    expect((await cuckoo(bystander, 'challenge', receipt)).error).toMatchObject({ code: 'CUCKOO_COURT_ALREADY_OPEN' })
    expect(await cuckoo(bystander, 'jury', 'seal', '1', '--timeout', '1s')).toMatchObject({ code: 75, error: { code: 'CUCKOO_JURY_SEED_PENDING' } })
    const saved = join(folder, 'case1')
    expect((await run(first.operator, 'jury', 'status', '1', '--save', saved))['saved']).toHaveLength(4)
    expect(await run(bystander, 'receipt', 'verify', join(saved, 'receipt.json'))).toMatchObject({ verified: true })

    // Round 1: one votes with its operator's key, the other with its owner's.
    await warp(sealSeconds + 1)
    await run(bystander, 'jury', 'seal', '1')
    const { disputes } = (await run(first.operator, 'jury', 'status')) as { disputes: { seat: { seats: number }; duty: Line }[] }
    expect(disputes).toMatchObject([{ duty: { own: true, command: 'jury commit 1 <vote>' } }])
    expect(disputes[0]?.seat.seats).toBeOneOf([1, 2])
    await run(first.operator, 'jury', 'commit', '1', 'invalid')
    await run(second.owner, 'jury', 'commit', '1', 'invalid')
    expect(await cuckoo(accused.operator, 'jury', 'commit', '1', 'valid')).toMatchObject({ code: 10, error: { code: 'CUCKOO_JURY_SEAT_MISSING' } })
    await warp(commitSeconds)
    expect(await cuckoo(first.owner, 'jury', 'reveal', '1')).toMatchObject({ code: 77, error: { code: 'CUCKOO_JURY_KEY_UNFIT' } })
    expect(await run(first.operator, 'jury', 'reveal', '1')).toMatchObject({ vote: 'invalid' })
    expect(await run(second.owner, 'jury', 'reveal', '1')).toMatchObject({ vote: 'invalid' })
    await warp(revealSeconds)
    expect(await run(bystander, 'jury', 'conclude', '1')).toMatchObject({ stage: 'appealing', verdict: 'invalid' })

    // Round 2, by appeal: one of the two stays silent, and the other's seats are a quorum.
    expect(await run(bystander, 'appeal', '1', 'valid')).toMatchObject({ bondWei: String(cai(10)), seats: 5, nextRound: 1 })
    await run(bystander, 'jury', 'evidence', '1', keep('{"rerun":[4,5,6]}'))
    await warp(sealSeconds + 1)
    await run(bystander, 'jury', 'seal', '1')
    await run(bystander, 'jury', 'summon', '1', first.owner.address)
    await run(second.operator, 'jury', 'commit', '1', 'invalid')
    await warp(commitSeconds)
    await run(second.operator, 'jury', 'reveal', '1')
    await warp(revealSeconds)
    expect(await run(bystander, 'jury', 'conclude', '1')).toMatchObject({ stage: 'appealing', verdict: 'invalid' })
    expect(await cuckoo(bystander, 'jury', 'fine', '1')).toMatchObject({ code: 0, lines: [{ node: first.owner.address, round: 1, why: 'silent' }] })
    await warp(appealSeconds)
    expect(await run(bystander, 'jury', 'conclude', '1')).toMatchObject({ stage: 'closed', verdict: 'invalid' })

    // What it costs, and who gets it.
    const view = await run(bystander, 'jury', 'status', '1')
    expect(view).toMatchObject({ dispute: { stage: 'closed' }, slash: { bondWei: String(cai(2_500)) }, reason: { additions: [{}] } })
    const paid = await cuckoo(second.owner, 'jury', 'collect')
    expect(paid.lines.map(({ step }) => step)).toEqual(['pay', 'pay', 'credits'])
    expect((await cuckoo(first.operator, 'jury', 'collect')).lines.map(({ step }) => step)).toEqual(['pay'])
    expect((await cuckoo(first.owner, 'jury', 'collect')).lines.map(({ step }) => step)).toEqual(['credits'])
    expect((await cuckoo(challenger, 'jury', 'collect')).lines).toMatchObject([{ step: 'credits' }])
    expect(await cuckoo(challenger, 'jury', 'collect')).toMatchObject({ code: 10, error: { code: 'CUCKOO_CLI_NOTHING_TO_DO' } })
    await warp(thawSeconds)
    expect((await cuckoo(challenger, 'jury', 'collect', '--to', bystander.address)).lines).toMatchObject([{ step: 'cut', caseId: '1' }])
    expect(await chain.getCredits(challenger.address)).toMatchObject({ creditWei: 0n, cuts: [] })
    // Every bond has found its way out: to jurors, to the challenger, to the reward pool.
    expect(await anvil.request('eth_getBalance', [deployment.contracts.court, 'latest'])).toBe('0x0')
  })
})

describe('two signatures that contradict each other', () => {
  it('cost a miner half of its bond, once', async () => {
    const { bystander, accused } = toParties(network())
    const issuedAt = BigInt(await network().now())
    const [one, other] = [
      keep(toText(await createReceipt({ issuedAt }))),
      keep(toText(await createReceipt({ issuedAt }, { output: { tokenIds: [9], finishReason: 'stop' } }))),
    ]
    expect(await run(bystander, 'report', 'miner', one, other)).toMatchObject({ accused: accused.owner.address })
    expect(await run(bystander, 'jury', 'status', '1')).toMatchObject({
      reason: { kind: 'miner-equivocation' },
      dispute: null,
      slash: { bondWei: String(cai(12_500)) },
    })
    expect((await cuckoo(bystander, 'report', 'miner', one, other)).error).toMatchObject({ code: 'CUCKOO_COURT_CONSUMED' })
    await network().warp(testParameters.thawSeconds)
    expect((await cuckoo(bystander, 'jury', 'collect')).lines).toMatchObject([{ step: 'cut', amountWei: String(cai(3_125)) }])
  })

  it('cost a coordinator a twentieth', async () => {
    const { bystander, coordinator, first } = toParties(network())
    const one = keep(toText(await createReceipt()))
    const other = keep(toText(await createReceipt({ miner: first.owner.address })))
    expect(await run(bystander, 'report', 'coordinator', one, other)).toMatchObject({ accused: coordinator.owner.address })
    expect(await run(bystander, 'jury', 'status', '1')).toMatchObject({
      reason: { kind: 'coordinator-equivocation' },
      slash: { bondWei: String(cai(105_000)) },
    })
  })
})

it('every command of the court was played above', () => {
  expect(commandEntries.flatMap(({ path }) => (findTopic(path) === 'Court' && !played.has(path) ? [path] : []))).toEqual([])
})
