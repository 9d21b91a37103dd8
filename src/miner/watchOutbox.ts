import type { ChainReader, NodeSet } from '../domain/chainPort.ts'
import type { MinerStore, ResultSweep } from '../domain/storePorts.ts'
import { toCuckooError } from '../errors/internal.ts'
import type { Logger } from '../telemetry/logger.ts'
import { waitMs } from './backoff.ts'

const everyMs = 60_000
/** For a coordinator that asks for a result again after it was told that the deadline has passed. */
const bodySeconds = 300
/** On top of the court's window, for blocks that come late. */
const rowSlackSeconds = 3_600
/** One transaction takes some 30 ms where it is full of bodies. */
const portion = { limit: 256, limitBytes: 8 * 2 ** 20 }
/** So a poll or a result waits for the sweep a third of the time at most. */
const restRatio = 2
const minRestMs = 20

interface OutboxWatchParts {
  store: Pick<MinerStore, 'sweepResults'>
  chain: Pick<ChainReader, 'getParameters'>
  getNodeSet(): Pick<NodeSet, 'blockTimestamp'>
  logger: Logger
}

/**
 * Makes room in the journal of signed results from now on, every `pauseMs` and a little at a time: bodies of delivered results go once
 * nobody can ask for them again, and what keeps an assignment from being answered twice goes once the court takes no evidence of it any more.
 * Time is the newest block's: a wall clock that was set wrong must not make a result old. Resolves, when the returned function is called,
 * after the transaction under way.
 */
export function watchOutbox({ store, chain, getNodeSet, logger }: OutboxWatchParts, pauseMs = everyMs): () => Promise<void> {
  const stopping = new AbortController()
  const { signal } = stopping
  let step: Promise<unknown> = Promise.resolve()

  async function sweep(): Promise<void> {
    // The court takes evidence until then after the issue, which is before the deadline (Court.reportMiner).
    const { evidenceSeconds } = await chain.getParameters()
    const times: Omit<ResultSweep, keyof typeof portion> = { now: getNodeSet().blockTimestamp, bodySeconds, rowSeconds: evidenceSeconds + rowSlackSeconds }
    const total = { results: 0, bytes: 0 }
    while (!signal.aborted) {
      const startedAt = performance.now()
      const sweeping = store.sweepResults({ ...times, ...portion })
      step = sweeping.catch(() => undefined)
      const { results, bytes } = await sweeping
      if (results === 0) break
      total.results += results
      total.bytes += bytes
      await waitMs(Math.max(minRestMs, restRatio * (performance.now() - startedAt)), signal)
    }
    if (total.results > 0) logger.debug(total, 'the journal of signed results was swept')
  }
  async function run(): Promise<void> {
    do {
      await sweep().catch((error: unknown) => logger.warn({ err: toCuckooError(error) }, 'the journal of signed results could not be swept; it is tried again'))
    } while (await waitMs(pauseMs, signal))
  }
  void run()
  return async () => {
    stopping.abort()
    await step
  }
}
