import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { zAssignment, zReceipt } from '../../../src/api/wire.ts'
import type { Stage as CaseStage, Side } from '../../../src/domain/dispute.ts'
import { loadKey, signAssignment, signSecondResult } from '../../support/attacks.ts'
import type { Stage } from './stage.ts'
import { toCai } from './stage.ts'
import { saveReceipt, type Work } from './work.ts'

/** A miner that signed two results for one assignment loses half its bond at once. */
export async function playEquivocation(stage: Stage, miner: string, work: Work, reporter: string): Promise<void> {
  stage.scene(`${miner} signed two results for one assignment: reported, without any jury`)
  const first = await saveReceipt(stage, work.task, 'first')
  const receipt = zReceipt.parse((JSON.parse(readFileSync(first, 'utf8')) as { receipt: unknown }).receipt)
  const operator = await loadKey(stage.home, `${miner}-op`)
  const second = signSecondResult(receipt, operator, stage.chain.domainSeparator, `0x${'77'.repeat(32)}`)
  const file = join(stage.home, 'second.json')
  writeFileSync(file, JSON.stringify(zReceipt.encode(second)))
  stage.say('(the second receipt is forged with its own key, as a stolen key or an old backup would)')
  const before = await stage.chain.getNode(stage.addressOf(miner))
  await stage.type(reporter, 'report', 'miner', first, file)
  const after = await stage.chain.getNode(stage.addressOf(miner))
  stage.say(`bond ${toCai(before.bondWei)} -> ${toCai(after.bondWei)}`)
  if (after.bondWei !== before.bondWei / 2n) throw new Error('half of the bond was to be lost')
  await stage.refuse('CUCKOO_COURT_CONSUMED', reporter, 'report', 'miner', first, file)
}

/** A coordinator that gave one attempt to two miners loses 5 % of its bond, of what is claimed on it too. */
export async function playDoubleAssignment(stage: Stage, coordinator: string, work: Work, by: { reporter: string; other: string }): Promise<void> {
  stage.scene(`${coordinator} gave one attempt to two miners: the slash reaches the claims that wait`)
  const address = stage.addressOf(coordinator)
  const operator = await loadKey(stage.home, `${coordinator}-op`)
  const { latest } = await stage.chain.getBlocks()
  const bundle = JSON.parse(readFileSync(await saveReceipt(stage, work.task, 'given'), 'utf8')) as { receipt: unknown }
  const { assignment } = zReceipt.parse(bundle.receipt)
  const files = [work.miner, stage.addressOf(by.other)].map((miner, index) => {
    const signed = signAssignment({ ...assignment, miner, issuedAt: BigInt(latest.timestamp) }, operator, stage.chain.domainSeparator)
    const file = join(stage.home, `assignment-${index}.json`)
    writeFileSync(file, JSON.stringify({ assignment: zAssignment.encode(signed.assignment), assignmentSignature: signed.assignmentSignature }))
    return file
  })
  stage.say('(both are signed with its key from a script: no cuckoo signs a second one)')
  const before = await stage.chain.getClaims({ coordinator: address })
  await stage.type(by.reporter, 'report', 'coordinator', ...files)
  const after = await stage.chain.getClaims({ coordinator: address })
  for (const [index, { worthWei, amountWei }] of after.entries())
    stage.say(`claim over ${toCai(amountWei)}: worth ${toCai(before[index]?.worthWei ?? 0n)} -> ${toCai(worthWei)}`)
  if (after.length === 0 || after.some(({ worthWei }, index) => worthWei >= (before[index]?.worthWei ?? 0n))) throw new Error('a claim was out of reach')
}

export interface Trial {
  /** number of the case */
  id: bigint
  name: string
  /** what an honest juror says */
  truth: Side
}

/** Opens a case about the work of one miner. */
export async function openCase(stage: Stage, input: { name: string; work: Work; challenger: string; truth: Side }): Promise<Trial> {
  const { name, work, challenger, truth } = input
  const file = await saveReceipt(stage, work.task, name.replaceAll(' ', '-'))
  const { caseId, bondWei, slashWei } = await stage.type(challenger, 'challenge', file)
  stage.say(`case ${caseId}: ${challenger} posts ${toCai(String(bondWei))}; a conviction would take ${toCai(String(slashWei))}`)
  return { id: BigInt(String(caseId)), name, truth }
}

/** One round of one or more cases side by side: sealed, voted by `jurors`, revealed, counted. Others stay silent. */
export async function playRound(stage: Stage, trials: readonly Trial[], jurors: readonly string[]): Promise<void> {
  const parameters = await stage.chain.getParameters()
  await stage.type(null, 'devnet', 'warp', `${parameters.sealSeconds + 1}s`)
  for (const { id } of trials) await stage.type(jurors[0] as string, 'jury', 'seal', String(id))
  const seated: { trial: Trial; juror: string }[] = []
  for (const trial of trials) {
    const { round } = await stage.chain.getDispute(trial.id)
    for (const juror of jurors) {
      const { seats } = await stage.chain.getSeat(trial.id, round, stage.addressOf(juror))
      if (seats > 0) seated.push({ trial, juror })
      stage.say(`case ${trial.id}, round ${round + 1}: ${juror} holds ${seats} seats`)
    }
  }
  for (const { trial, juror } of seated) await stage.type(`${juror}-op`, 'jury', 'commit', String(trial.id), trial.truth)
  await stage.type(null, 'devnet', 'warp', `${parameters.commitSeconds}s`)
  for (const { trial, juror } of seated) await stage.type(`${juror}-op`, 'jury', 'reveal', String(trial.id))
  await stage.type(null, 'devnet', 'warp', `${parameters.revealSeconds}s`)
  for (const { id } of trials) await stage.type(jurors[0] as string, 'jury', 'conclude', String(id))
}

/** Lets the appeal window of the cases pass and closes them. */
export async function closeCases(stage: Stage, trials: readonly Trial[], by: string): Promise<void> {
  const { appealSeconds } = await stage.chain.getParameters()
  await stage.type(null, 'devnet', 'warp', `${appealSeconds + 1}s`)
  for (const trial of trials) {
    await assertStage(stage, trial, 'due')
    await stage.type(by, 'jury', 'conclude', String(trial.id))
    const { verdict } = await stage.chain.getDispute(trial.id)
    stage.say(`case ${trial.id} is closed: the output is ${verdict}`)
    if (verdict !== trial.truth) throw new Error(`case ${trial.id} ended ${verdict}, and the truth is ${trial.truth}`)
  }
}

export async function assertStage(stage: Stage, { id }: Trial, wanted: CaseStage): Promise<void> {
  const { stage: found } = await stage.chain.getDispute(id)
  if (found !== wanted) throw new Error(`case ${id} is ${found}, not ${wanted}`)
}
