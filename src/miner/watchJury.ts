import type { ChainReader } from '../domain/chainPort.ts'
import type { DisputeRecord } from '../domain/dispute.ts'
import type { Address } from '../domain/hex.ts'
import { toCuckooError } from '../errors/internal.ts'
import type { Logger } from '../telemetry/logger.ts'
import { waitMs } from './backoff.ts'
import type { MinerEvents } from './minerEvents.ts'

/** A window of a jury is looked at so often at least: each look reads the court's events. */
const looksPerWindow = 20
const maxPauseMs = 600_000

interface JuryWatchParts {
  node: Address
  chain: Pick<ChainReader, 'getParameters' | 'listOpenDisputes' | 'getRounds' | 'getSeat'>
  refreshMs: number
  events: MinerEvents
  logger: Logger
}

/**
 * Says, once for each window, when this node holds seats of a jury and has not done yet what it must: a juror that stays silent is
 * fined and earns nothing until it comes back. It votes for nobody; that is for `cuckoo jury`. Returns what ends the watch.
 */
export function watchJury(parts: JuryWatchParts): () => void {
  const stopping = new AbortController()
  const told = new Set<string>()
  const run = async () => {
    let pauseMs = parts.refreshMs
    while (await waitMs(pauseMs, stopping.signal)) {
      try {
        const { commitSeconds, revealSeconds } = await parts.chain.getParameters()
        const windowMs = Math.min(commitSeconds, revealSeconds) * 1000
        pauseMs = Math.max(parts.refreshMs, Math.min(maxPauseMs, windowMs / looksPerWindow))
        for (const dispute of await parts.chain.listOpenDisputes()) await tellDuty(parts, dispute, told)
      } catch (error) {
        if (!stopping.signal.aborted) parts.logger.debug({ err: toCuckooError(error) }, 'the court could not be looked at')
      }
    }
  }
  void run()
  return () => stopping.abort()
}

async function tellDuty({ node, chain, events, logger }: JuryWatchParts, { caseId, round, stage }: DisputeRecord, told: Set<string>): Promise<void> {
  if (stage !== 'committing' && stage !== 'revealing') return
  const key = `${caseId}:${round}:${stage}`
  if (told.has(key)) return
  const seat = await chain.getSeat(caseId, round, node)
  // Who has committed may still change its vote, and who has not has nothing to reveal.
  const isDue = seat.seats > 0 && (stage === 'committing' ? seat.commitment === null : seat.commitment !== null && seat.vote === null)
  if (!isDue) return
  const found = (await chain.getRounds(caseId)).find((record) => record.round === round)
  const until = stage === 'committing' ? found?.commitEndsAt : found?.revealEndsAt
  if (typeof until !== 'number') return
  told.add(key)
  const duty = stage === 'committing' ? 'commit' : 'reveal'
  logger.warn({ caseId: caseId.toString(), round, duty, until, seats: seat.seats, next: `cuckoo jury status ${caseId}` }, 'this node sits on a jury')
  events.emit({ type: 'juryDuty', caseId, round, duty, seats: seat.seats, until })
}
