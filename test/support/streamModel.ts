import { add, divide, type Fraction, floor, floorTo, isAtMost, multiply, subtract, toFraction, zero } from './fraction.ts'

/** A role's stream: what the contract must know, and beside it the truth that it rounds. Times in unix seconds, money in wei. */
export interface StreamModel {
  rateWei: bigint
  nextWei: bigint
  endsAt: number
  updatedAt: number
  weightWei: bigint
  /** wei per wei of weight since the beginning, in whole 1/2^72 */
  index: Fraction
  /** wei that the index has not given yet, in whole 1/256 */
  carry: Fraction
  fundedWei: bigint
  flowedWei: bigint
  /** what the index's rounding has lost for ever */
  lostWei: Fraction
  settlements: bigint
}

/** What one node earns from streams, as the contract rounds it and as it should be. */
export interface EarnerModel {
  weightWei: bigint
  index: Fraction
  earnedWei: bigint
  lostWei: Fraction
  settlements: bigint
  /** rate x time x weight / all weight, to 2^-256 wei */
  fairWei: Fraction
  /** how far below and above its fair part rounding of the index may have put it */
  belowWei: Fraction
  aboveWei: Fraction
}

const indexParts = 2n ** 72n
const carryParts = 256n
const truthParts = 2n ** 256n

export function createStream(now: number): StreamModel {
  const money = { rateWei: 0n, nextWei: 0n, fundedWei: 0n, flowedWei: 0n, weightWei: 0n, settlements: 0n }
  return { ...money, endsAt: 0, updatedAt: now, index: zero, carry: zero, lostWei: zero }
}

export function createEarner(): EarnerModel {
  return { weightWei: 0n, index: zero, earnedWei: 0n, lostWei: zero, settlements: 0n, fairWei: zero, belowWei: zero, aboveWei: zero }
}

export function isRunning(stream: StreamModel): boolean {
  return stream.endsAt > stream.updatedAt
}

/**
 * Brings the stream up to `now`, over every period that ended on the way, and gives what has flowed to the index, rounded once. `earners` are all
 * nodes with weight in the role. Within one second, where no period ran since the last settlement, or nobody had weight, the carry waits.
 */
export function settleStream(stream: StreamModel, now: number, rewardSeconds: number, earners: readonly EarnerModel[]): void {
  const ran = isRunning(stream)
  if (ran && stream.weightWei === 0n) stream.endsAt += now - stream.updatedAt
  if (ran && stream.weightWei > 0n && now > stream.updatedAt) {
    let flowWei = 0n
    for (let at = stream.updatedAt; at < now && stream.endsAt > at; ) {
      const until = Math.min(now, stream.endsAt)
      flowWei += stream.rateWei * BigInt(until - at)
      at = until
      if (at === stream.endsAt) startPeriod(stream, at, rewardSeconds)
    }
    stream.flowedWei += flowWei
    giveToIndex(stream, flowWei, earners)
  }
  stream.updatedAt = now
}

/** Adds money to a stream that is settled. It waits, or begins a period where none runs. */
export function addToStream(stream: StreamModel, amountWei: bigint, rewardSeconds: number): void {
  stream.fundedWei += amountWei
  stream.nextWei += amountWei
  if (!isRunning(stream)) startPeriod(stream, stream.updatedAt, rewardSeconds)
}

/** What the earner has got by the settlement of a stream that is settled itself, in wei. */
export function settleEarner(stream: StreamModel, earner: EarnerModel): bigint {
  const exactWei = getPending(stream, earner)
  const earnedWei = floor(exactWei)
  earner.index = stream.index
  earner.earnedWei += earnedWei
  earner.lostWei = add(earner.lostWei, subtract(exactWei, toFraction(earnedWei)))
  earner.settlements += 1n
  return earnedWei
}

/** What the index holds for the earner, unrounded wei. */
export function getPending(stream: StreamModel, earner: EarnerModel): Fraction {
  return multiply(toFraction(earner.weightWei), subtract(stream.index, earner.index))
}

/** Whether the earner has its fair part but for the documented rounding: below 1 wei per settlement of its own, and what the index carries over. */
export function isFair(stream: StreamModel, earner: EarnerModel): boolean {
  const gotWei = add(toFraction(earner.earnedWei), getPending(stream, earner))
  const leastWei = subtract(earner.fairWei, add(earner.belowWei, toFraction(earner.settlements)))
  return isAtMost(leastWei, gotWei) && isAtMost(gotWei, add(earner.fairWei, earner.aboveWei))
}

function startPeriod(stream: StreamModel, at: number, rewardSeconds: number): void {
  const seconds = BigInt(rewardSeconds)
  stream.rateWei = stream.nextWei / seconds
  if (stream.rateWei === 0n) return
  stream.nextWei %= seconds
  stream.endsAt = at + rewardSeconds
}

function giveToIndex(stream: StreamModel, flowWei: bigint, earners: readonly EarnerModel[]): void {
  const weight = toFraction(stream.weightWei)
  for (const earner of earners) {
    const part = toFraction(earner.weightWei, stream.weightWei)
    earner.fairWei = add(earner.fairWei, floorTo(multiply(toFraction(flowWei), part), truthParts))
    earner.belowWei = add(earner.belowWei, toFraction(earner.weightWei, indexParts))
    earner.aboveWei = add(earner.aboveWei, floorTo(add(multiply(stream.carry, part), toFraction(2n, truthParts)), truthParts))
  }
  const given = add(toFraction(flowWei), stream.carry)
  const rise = floorTo(divide(given, weight), indexParts)
  const left = subtract(given, multiply(rise, weight))
  stream.index = add(stream.index, rise)
  stream.carry = floorTo(left, carryParts)
  stream.lostWei = add(stream.lostWei, subtract(left, stream.carry))
  stream.settlements += 1n
}
