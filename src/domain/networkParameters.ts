import { weiPerCai } from './amount.ts'
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
