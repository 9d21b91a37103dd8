import { sha256 } from '../domain/canonical.ts'
import type { Hash } from '../domain/hex.ts'
import type { Media } from '../domain/media.ts'
import { taskMediaLate, taskMediaMismatch } from '../errors/miner.ts'
import { waitMs } from './backoff.ts'
import type { CoordinatorLink } from './coordinatorLink.ts'
import type { MinerTiming } from './minerTiming.ts'
import { isTransient, toRetryMs } from './retry.ts'

/** 1 Mbit/s: 20 MiB, the most that a task may name, get 168 s beyond {@link MinerTiming.mediaMs}. */
const leastBytesPerSecond = 125_000

/**
 * Bytes of a medium that a task names, as the coordinator has them; what may pass is tried again for {@link MinerTiming.mediaMs}, and
 * longer by what the bytes take at 125 kB/s.
 *
 * @throws CUCKOO_MINER_MEDIA_LATE when they are not here by then
 * @throws CUCKOO_MINER_MEDIA_MISMATCH when they are not the bytes that the medium's SHA-256 names
 * @throws what the coordinator answers, the signal's reason
 */
export async function fetchMedia(
  link: CoordinatorLink,
  { taskId, attempt, media }: { taskId: Hash; attempt: number; media: Media },
  { mediaMs, backoff }: Pick<MinerTiming, 'mediaMs' | 'backoff'>,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const limitMs = Math.ceil(mediaMs + (media.bytes / leastBytesPerSecond) * 1000)
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(taskMediaLate({ sha256: media.sha256, bytes: media.bytes, limitMs })), limitMs)
  try {
    const data = await fetchBytes(link, { params: { taskId, attempt, hash: media.sha256 } }, backoff, AbortSignal.any([signal, late.signal]))
    const foundSha256 = sha256(data)
    if (foundSha256 === media.sha256 && data.length === media.bytes) return data
    throw taskMediaMismatch({ sha256: media.sha256, expectedBytes: media.bytes, foundSha256, foundBytes: data.length })
  } finally {
    clearTimeout(timer)
  }
}

type MediumName = { params: { taskId: Hash; attempt: number; hash: Hash } }

async function fetchBytes(link: CoordinatorLink, medium: MediumName, backoff: MinerTiming['backoff'], signal: AbortSignal): Promise<Uint8Array> {
  for (let failures = 1; ; failures++) {
    try {
      return await link.request('getTaskMedia', medium, signal)
    } catch (error) {
      signal.throwIfAborted()
      if (!isTransient(error)) throw error
      await waitMs(toRetryMs(error, failures, backoff), signal)
    }
  }
}
