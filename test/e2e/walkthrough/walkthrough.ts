import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { assertBooks, type Books } from './books.ts'
import { closeCases, openCase, playDoubleAssignment, playEquivocation, playRound, type Trial } from './court.ts'
import { leave } from './farewell.ts'
import { playEmptyEscrow, playEvacuation, playRedemption } from './money.ts'
import { openStage, type Stage, toCai } from './stage.ts'
import { type Work, workFor } from './work.ts'

const lyingMiner = fileURLToPath(new URL('../../support/lyingMiner.ts', import.meta.url))
const coordinator = 'dev-coordinator'
const [honest, equivocator, witness] = ['dev-miner-1', 'dev-miner-2', 'dev-miner-3'] as const
const liar = 'mallory'

/**
 * The whole chain part of cuckoo, played by real processes and commands on a devnet: payment, a bond that pays, an evacuation
 * that fails, an equivocation, a lie convicted and upheld on appeal, a false challenge; then everybody leaves, and the books
 * are balanced to the wei. Throws at the first thing that is not as it must be.
 */
export async function runWalkthrough(print: (line: string) => void): Promise<Books> {
  const home = mkdtempSync(join(tmpdir(), 'cuckoo-walkthrough-'))
  let stage: Stage | undefined
  try {
    stage = await openStage(home, print, ['30000', '60000', '45000'])
    await admitLiar(stage)
    const mostWeightWei = (await stage.chain.getTotalWeight('miner')) + (await stage.chain.getTotalWeight('coordinator'))
    const work = await playWork(stage)
    await playRedemption(stage, honest)
    await playEquivocation(stage, equivocator, work[equivocator] as Work, 'dev-staker-1')
    await playTrials(stage, work)
    await playEmptyEscrow(stage, coordinator, honest)
    await playEvacuation(stage, coordinator, witness)
    await playDoubleAssignment(stage, coordinator, work[honest] as Work, { reporter: 'dev-staker-1', other: witness })
    await leave(stage)
    return await assertBooks(stage, mostWeightWei)
  } finally {
    await stage?.stop()
    rmSync(home, { recursive: true, force: true })
  }
}

async function admitLiar(stage: Stage): Promise<void> {
  stage.scene('A miner joins that makes up its answers')
  await stage.createAccount(liar)
  await stage.createAccount(`${liar}-op`)
  await stage.type(liar, 'stake', '40000')
  await stage.type(liar, 'register', 'miner', '--operator-account', `${liar}-op`, '--name', 'Mallory')
  const args = ['miner', 'start', '--account', `${liar}-op`, '--model', 'cuckoo/storyteller']
  await stage.start(liar, lyingMiner, args, (event) => event['event'] === 'session-opened')
  await stage.type('dev-staker-2', 'fund', 'miner', '700')
  await stage.type('dev-staker-2', 'fund', 'coordinator', '70')
}

async function playWork(stage: Stage): Promise<Record<string, Work>> {
  stage.scene('An app asks, until each miner has answered')
  const work = await workFor(stage, [honest, equivocator, witness, liar])
  for (const [name, { text }] of Object.entries(work)) stage.say(`${name}: ${text.trim().slice(0, 60)}`)
  return work
}

async function playTrials(stage: Stage, work: Record<string, Work>): Promise<void> {
  stage.scene('A false result, and a false challenge: two cases before juries')
  const { epochSeconds } = await stage.chain.getParameters()
  const { latest } = await stage.chain.getBlocks()
  stage.say('(seats come from the bonds of the epoch before: one has to be over)')
  await stage.type(null, 'devnet', 'warp', `${epochSeconds - (latest.timestamp % epochSeconds) + 1}s`)
  const jurors = [honest, equivocator, witness]
  const lie = await openCase(stage, { name: 'the lie', work: work[liar] as Work, challenger: 'dev-staker-1', truth: 'invalid' })
  const slander = await openCase(stage, { name: 'the slander', work: work[honest] as Work, challenger: 'dev-staker-2', truth: 'valid' })
  await playRound(stage, [lie, slander], jurors)

  stage.scene(`${liar} appeals; nobody appeals for the slander`)
  const { bondWei } = await stage.type(liar, 'appeal', String(lie.id), 'valid')
  stage.say(`the bond doubles: ${toCai(String(bondWei))}`)
  await closeCases(stage, [slander], honest)
  await fineSilent(stage, slander)
  await playRound(stage, [lie], jurors)
  await closeCases(stage, [lie], honest)
  const { bondWei: leftWei, jailedUntil } = await stage.chain.getNode(stage.addressOf(liar))
  stage.say(`${liar} has ${toCai(leftWei)} of bond left and is jailed until ${jailedUntil}`)
  if (jailedUntil === 0) throw new Error('the liar is not jailed')
  await stage.refuse('CUCKOO_CLI_NOTHING_TO_DO', liar, 'node', 'rejoin')
}

/** The liar is a juror of the other case, if the seed gave it a seat: silence costs a hundredth of the seat. */
async function fineSilent(stage: Stage, { id }: Trial): Promise<void> {
  const { seats } = await stage.chain.getSeat(id, 0, stage.addressOf(liar))
  stage.say(`${liar} held ${seats} seats in case ${id} and said nothing`)
  if (seats > 0) await stage.type(honest, 'jury', 'fine', String(id))
}
