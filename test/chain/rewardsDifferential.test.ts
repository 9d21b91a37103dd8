import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Address } from '../../src/domain/hex.ts'
import { type Anvil, startAnvil } from '../support/anvil.ts'
import { accountCount, type Command } from '../support/rewardsCommands.ts'
import { arbitraryHistory, getWait, type History, toCommands, toOpening } from '../support/rewardsHistory.ts'
import { StakingModel } from '../support/rewardsModel.ts'
import { assertSound, type Reading, toReadings } from '../support/rewardsReadings.ts'
import { type Answer, type Call, deployStaking, parseReadings, runCalls } from '../support/rewardsReplay.ts'
import type { ModelParameters } from '../support/rewardsState.ts'

// Staking against a model written from its specification: every bucket of every account, to the wei, after every step of long random histories.
// Deeper: CUCKOO_TEST_HISTORIES=1000 CUCKOO_TEST_STEPS=300. Once more: CUCKOO_TEST_SEED=<the seed that a failure prints>.

const startAt = 2_000_000_000
const numRuns = Number(process.env.CUCKOO_TEST_HISTORIES ?? 60)
const steps = Number(process.env.CUCKOO_TEST_STEPS ?? 80)
const seed = Number(process.env.CUCKOO_TEST_SEED ?? Date.now() % 2 ** 31)
// A failure is shrunk until then at the latest.
const timeLimit = 60_000 + 1_000 * numRuns

/** What the model foresees of one call. */
type Foreseen = { text: string; refusal: string | undefined; words: readonly bigint[] | undefined } | { readings: readonly Reading[]; balanceWei: bigint }

let anvil: Anvil
beforeAll(async () => {
  anvil = await startAnvil()
})
afterAll(() => anvil.stop())

test('stake and rewards are to the wei what the specification says, over long random histories', { timeout: timeLimit + 30_000 }, async () => {
  const property = fc.asyncProperty(arbitraryHistory(steps), assertAlike)
  await fc.assert(property, { numRuns, seed, interruptAfterTimeLimit: timeLimit, markInterruptAsFailure: true, reporter: report })
})

async function assertAlike(history: History): Promise<void> {
  const { calls, foreseen } = playHistory(history)
  const answers = await runCalls(anvil, await findStaking(history.parameters), calls)
  const log: string[] = [JSON.stringify(history.parameters)]
  for (const [index, expected] of foreseen.entries()) {
    const answer = answers[index] ?? { succeeded: false, data: '0x' }
    if ('text' in expected) log.push(`${(calls[index]?.time ?? 0) - startAt} s ${expected.text}${expected.refusal ? ` (refused: ${expected.refusal})` : ''}`)
    const difference = 'readings' in expected ? findDifference(expected, answer) : findSurprise(expected, answer)
    if (difference) throw new Error(`${log.join('\n')}\n=> ${difference}`)
  }
}

const deployed = new Map<string, Promise<Address>>()

/** The contract with these windows: one serves every history, since none leaves a trace. */
function findStaking(parameters: ModelParameters): Promise<Address> {
  const id = JSON.stringify(parameters)
  const staking = deployed.get(id) ?? deployStaking(anvil, parameters)
  deployed.set(id, staking)
  return staking
}

/** The history on the model: the calls that repeat it on the contract, and what they must answer. */
function playHistory(history: History): { calls: Call[]; foreseen: Foreseen[] } {
  const model = new StakingModel(history.parameters, accountCount, startAt)
  const calls: Call[] = []
  const foreseen: Foreseen[] = []
  const play = (commands: readonly Command[]): void => {
    const time = model.state.now
    for (const command of commands) {
      const outcome = model.attempt(command.apply)
      calls.push({ time, command })
      foreseen.push({ text: command.text, refusal: 'refusal' in outcome ? outcome.refusal : undefined, words: 'value' in outcome ? outcome.value : undefined })
    }
    assertSound(model)
    const readings = toReadings(model)
    calls.push({ time, readings })
    foreseen.push({ readings, balanceWei: model.state.balanceWei })
  }
  play(toOpening(model))
  for (const step of history.steps) {
    model.state.now += getWait(model, step)
    play(toCommands(model, step))
  }
  return { calls, foreseen }
}

function findSurprise({ refusal, words }: Extract<Foreseen, { text: string }>, { succeeded, data }: Answer): string | undefined {
  if (succeeded && refusal !== undefined) return `the contract accepts what the model refuses: ${refusal}`
  if (!succeeded && refusal === undefined) return `the contract refuses what the model accepts: ${data}`
  const expected = words?.map((word) => word.toString(16).padStart(64, '0')).join('')
  if (succeeded && expected !== undefined && data !== `0x${expected}`) return `the contract returns ${data}, the model ${words?.join(', ')}`
}

function findDifference({ readings, balanceWei }: Extract<Foreseen, { readings: unknown }>, { data }: Answer): string | undefined {
  const answer = parseReadings(data, readings.length)
  if (answer.balanceWei !== balanceWei) return `the contract holds ${answer.balanceWei}, by the model ${balanceWei}`
  for (const [index, reading] of readings.entries()) {
    const words = answer.words[index] ?? []
    const at = reading.words.findIndex((word, place) => word !== undefined && word !== words[place])
    if (at >= 0 || words.length !== reading.words.length) return `${formatReading(reading)}[${at}] is ${words[at]}, by the model ${reading.words[at]}`
  }
}

function formatReading({ name, args }: Reading): string {
  const values = 'exits' in args ? [args.account] : args.map((word) => (typeof word === 'bigint' ? word : word.account))
  return `${name}(${values.join(', ')})`
}

function report(details: fc.RunDetails<[History]>): void {
  const { failed, errorInstance, seed: used, numShrinks } = details
  if (failed) throw new Error(`CUCKOO_TEST_SEED=${used}, after ${numShrinks} shrinks:\n${(errorInstance as Error).message}`)
  expect(details.numRuns).toBe(numRuns)
}
