import type { BackoffPolicy } from './backoff.ts'

/** Waiting times, in ms. */
export interface MinerTiming {
  /** longest wait of one poll; a coordinator may ask for less */
  pollWaitMs: number
  /** empty answers come no faster than this, even from a coordinator that does not wait */
  minPollMs: number
  /** tokens of a stream are sent together this often */
  chunkMs: number
  /** between tries of handshake, poll and result */
  backoff: BackoffPolicy
  /** how long the coordinator may take to hand over a task's media, beside the time that their bytes take */
  mediaMs: number
  /** without work for a coordinator that takes results and does not accept them */
  unpaidWork: BackoffPolicy
  /**
   * At the start, how long a session with our key at a coordinator counts as left over from a miner of ours that died: a
   * coordinator ends a silent session after some heartbeats, 30 s at most. After that it is somebody else's, and the miner gives up.
   */
  sessionTakenMs: number
  /** for giving tasks back and closing sessions when the miner stops */
  farewellMs: number
  /** for tasks and results of a coordinator that is no longer active on chain */
  removedGraceMs: number
  /** for a model to let go of a run that nobody wants any more: after that it is not offered until it does, and a miner that stops ends without it */
  letGoMs: number
  /** at the start, for a model to load once its files are there, and again for its first runs: after that the miner ends */
  firstLoadMs: number
  /** for a model that was unloaded to load again: after that it is not offered until it has */
  loadMs: number
  /** slots are spread over the coordinators anew after so long */
  rotationMs: number
}

export const defaultMinerTiming: MinerTiming = {
  pollWaitMs: 25_000,
  minPollMs: 250,
  chunkMs: 30,
  backoff: { baseMs: 500, maxMs: 30_000 },
  mediaMs: 120_000,
  unpaidWork: { baseMs: 60_000, maxMs: 3_600_000 },
  sessionTakenMs: 45_000,
  farewellMs: 3_000,
  removedGraceMs: 600_000,
  letGoMs: 120_000,
  // 80 GB from a disk that reads 50 MB/s take 27 minutes.
  firstLoadMs: 1_800_000,
  // 40 GB from a disk that reads 100 MB/s take 7 minutes.
  loadMs: 600_000,
  rotationMs: 60_000,
}
