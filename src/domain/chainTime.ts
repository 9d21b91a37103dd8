import type { Clock } from './ports.ts'

/** How often a devnet's coordinator and miners look at its chain, whose clock may be moved: commands there take a third of a second. */
export const devnetPollMs = 500

/**
 * The chain's time as a clock: `clock`'s, or the latest known block's where that is ahead (`getBlockTimestamp`, unix seconds).
 * Windows and epochs are counted in block time. A devnet that was warped is ahead of the wall for good; on other chains the two
 * differ by seconds, and a chain without transactions makes no blocks while its time goes on.
 *
 * @example createChainClock({ nowMs: () => 5_000 }, () => 60).nowMs() // 60_000
 */
export function createChainClock(clock: Clock, getBlockTimestamp: () => number): Clock {
  return { nowMs: () => Math.max(clock.nowMs(), getBlockTimestamp() * 1000) }
}
