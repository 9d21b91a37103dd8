import { parametersInvalid } from '../errors/chain.ts'
import { formatAmount, maxAmountWei, weiPerCai } from './amount.ts'
import type { NetworkParameters } from './chainPort.ts'

const minute = 60
const hour = 60 * minute
const day = 24 * hour

/**
 * What `cuckoo deploy` puts on public chains. The contracts check: evidence + dispute < thaw, where a dispute is three times
 * seal + commit + reveal + appeal (4 d 12.5 h); dispute ≤ freeze < thaw; epoch ≥ seal + commit + reveal; top-up < thaw.
 */
export const publicParameters: NetworkParameters = {
  thawSeconds: 7 * day,
  epochSeconds: 2 * day,
  rewardSeconds: 7 * day,
  dripSeconds: day,
  freezeSeconds: 4 * day + 14 * hour,
  topUpSeconds: 3 * day,
  drawSeconds: hour,
  graceSeconds: hour,
  evidenceSeconds: 2 * day,
  sealSeconds: 10 * minute,
  commitSeconds: 12 * hour,
  revealSeconds: 12 * hour,
  appealSeconds: 12 * hour,
  jailSeconds: 7 * day,
  jurorFeeWei: 5n * weiPerCai,
  seats: [7, 15, 63],
}

/** Minutes instead of days, so that a person can watch a whole dispute on the devnet. */
export const devnetParameters: NetworkParameters = {
  thawSeconds: 20 * minute,
  epochSeconds: 5 * minute,
  rewardSeconds: 10 * minute,
  dripSeconds: 2 * minute,
  freezeSeconds: 10 * minute,
  topUpSeconds: 5 * minute,
  drawSeconds: 5 * minute,
  graceSeconds: 2 * minute,
  evidenceSeconds: 8 * minute,
  sealSeconds: 10,
  commitSeconds: minute,
  revealSeconds: minute,
  appealSeconds: minute,
  jailSeconds: 5 * minute,
  jurorFeeWei: weiPerCai,
  seats: [3, 5, 7],
}

const maxSeats = 65_535

/** Seconds that a dispute of three rounds takes at most: what the court calls `disputeSeconds`. @example toDisputeSeconds(publicParameters) // 390600 */
export function toDisputeSeconds({ sealSeconds, commitSeconds, revealSeconds, appealSeconds }: NetworkParameters): number {
  return 3 * (sealSeconds + commitSeconds + revealSeconds + appealSeconds)
}

/**
 * Returns when the contracts would take `parameters`; the constructors have the same rules (StakingBase, Rewards, Payments, Cases, Epochs).
 * @throws CUCKOO_CHAIN_PARAMETERS_INVALID naming the first rule that is broken, with its numbers
 */
export function assertNetworkParameters(parameters: NetworkParameters): void {
  const { thawSeconds, epochSeconds, freezeSeconds, drawSeconds, graceSeconds, evidenceSeconds, jurorFeeWei, seats } = parameters
  const { sealSeconds, commitSeconds, revealSeconds } = parameters
  const assertRule = (holds: boolean, name: keyof NetworkParameters, rule: string): void => {
    if (!holds) throw parametersInvalid({ name, rule })
  }
  const assertWithin = (name: keyof NetworkParameters, low: number, high: number): void => {
    const value = parameters[name] as number
    assertRule(Number.isInteger(value) && value >= low && value <= high, name, `${name} is ${value}, not a whole number of ${low} to ${high} seconds`)
  }
  assertWithin('thawSeconds', minute, 60 * day)
  assertWithin('epochSeconds', 10, Math.min(30 * day, thawSeconds))
  assertWithin('rewardSeconds', minute, 365 * day)
  assertWithin('dripSeconds', 1, 30 * day)
  for (const name of ['freezeSeconds', 'topUpSeconds', 'drawSeconds', 'graceSeconds', 'evidenceSeconds'] as const) assertWithin(name, 1, thawSeconds - 1)
  for (const name of ['sealSeconds', 'commitSeconds', 'revealSeconds', 'appealSeconds', 'jailSeconds'] as const) assertWithin(name, 1, 365 * day)

  const disputeSeconds = toDisputeSeconds(parameters)
  const roundSeconds = sealSeconds + commitSeconds + revealSeconds
  const evidence = `evidenceSeconds ${evidenceSeconds} + three rounds of ${disputeSeconds} = ${evidenceSeconds + disputeSeconds}`
  assertRule(evidenceSeconds + disputeSeconds < thawSeconds, 'thawSeconds', `${evidence} must be below thawSeconds ${thawSeconds}`)
  assertRule(disputeSeconds <= freezeSeconds, 'freezeSeconds', `three rounds of ${disputeSeconds} must not be over freezeSeconds ${freezeSeconds}`)
  assertRule(roundSeconds <= epochSeconds, 'epochSeconds', `seal + commit + reveal = ${roundSeconds} must not be over epochSeconds ${epochSeconds}`)
  const draw = `drawSeconds ${drawSeconds} + graceSeconds ${graceSeconds} = ${drawSeconds + graceSeconds}`
  assertRule(drawSeconds + graceSeconds < thawSeconds, 'graceSeconds', `${draw} must be below thawSeconds ${thawSeconds}`)

  const isFee = jurorFeeWei > 0n && jurorFeeWei <= maxAmountWei
  assertRule(isFee, 'jurorFeeWei', `the juror fee of ${formatAmount(jurorFeeWei)} CAI must be above 0 and fit 96 bits`)
  const areOdd = seats.every((count) => Number.isInteger(count) && count % 2 === 1 && count <= maxSeats)
  assertRule(
    areOdd && seats[0] > 0 && seats[0] < seats[1] && seats[1] < seats[2],
    'seats',
    `seats ${seats.join(', ')} must be odd, rise, and be at most ${maxSeats}`,
  )
}
