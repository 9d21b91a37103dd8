import { z } from 'zod'
import { submitResult } from '../api/routes/miner.ts'
import { toCanonicalJson } from '../domain/canonical.ts'
import type { Hash } from '../domain/hex.ts'
import type { Clock } from '../domain/ports.ts'
import type { MinerStore, OutboxEntry, OutboxMedium } from '../domain/storePorts.ts'
import { carriedLimits } from '../domain/taskKinds.ts'
import * as api from '../errors/api.ts'
import { type CuckooError, isError } from '../errors/cuckooError.ts'
import { toCuckooError } from '../errors/internal.ts'
import { type BackoffPolicy, waitMs } from './backoff.ts'
import type { CoordinatorLink } from './coordinatorLink.ts'
import type { Credit } from './credit.ts'
import { toRetryMs } from './retry.ts'

export type Submission = z.output<typeof submitResult.body>

/** The coordinator's last word on a result: somebody else has the task, or it breaks the protocol. No later try changes it. */
const refusals = [api.leaseLost, api.resultInvalid, api.signatureForeign, api.taskUnknown, api.requestInvalid, api.bodyTooLarge]

function isRefusal(error: unknown): boolean {
  return refusals.some((factory) => isError(error, factory))
}

/** Bytes of a submission as they are journaled: canonical JSON of its wire form. */
export function encodeSubmission(submission: Submission): Uint8Array {
  return Buffer.from(toCanonicalJson(z.encode(submitResult.body, submission)))
}

/** The submission in journaled bytes. What is sent is always decoded from the journal, so that each try carries the same bytes. */
export function decodeSubmission(body: Uint8Array): Submission {
  return z.decode(submitResult.body, JSON.parse(Buffer.from(body).toString()))
}

/** True for a medium that is small enough to come with the result. */
export function isCarried({ data }: { data: Uint8Array }): boolean {
  return data.length <= carriedLimits.maxMediaBytes
}

/** Hands in a medium. That it is not wanted is not the last word: of a result that was accepted already, only the result itself is answered again. */
export async function putMedium(
  link: CoordinatorLink,
  input: { params: { taskId: Hash; attempt: number; hash: Hash }; body: Uint8Array },
  signal: AbortSignal,
) {
  try {
    await link.request('putTaskMedia', input, signal)
  } catch (error) {
    if (isError(error, api.resultInvalid) || !isRefusal(error)) throw error
  }
}

/**
 * Tries until the coordinator accepts a journaled result, its media before it, and writes down what it owes for it. A refusal is final: the entry is marked
 * as delivered, so that it is never sent again, and the refusal is thrown. Anything else, a broken coordinator included, is
 * tried again, and stays in the journal for the next start when `signal` aborts first. `uploads`: media by SHA-256 that were on their
 * way before there was a result. `onRefused`: gets the refusal, and the ms of `performance.now()` at which the refused try began.
 *
 * @throws CUCKOO_TASK_LEASE_LOST, CUCKOO_TASK_RESULT_INVALID, CUCKOO_API_SIGNATURE_FOREIGN and other refusals
 * @throws the signal's reason when it aborts first
 */
export async function deliverResult(
  entry: OutboxEntry,
  deps: { link: CoordinatorLink; credit: Pick<Credit, 'addResult'>; store: MinerStore; clock: Clock; backoff: BackoffPolicy },
  signal: AbortSignal,
  { uploads = new Map(), onRefused }: { uploads?: ReadonlyMap<Hash, Promise<unknown>>; onRefused?(error: CuckooError, sentAtMs: number): Promise<void> } = {},
): Promise<void> {
  const params = { taskId: entry.taskId, attempt: entry.attempt }
  const submission = decodeSubmission(entry.body)
  for (let failures = 1; ; failures++) {
    const sentAtMs = performance.now()
    // A coordinator that lost its power may have lost media that it had: a second try hands in all of them.
    const given = failures === 1 ? uploads : null
    try {
      const media = await deps.store.listOutboxMedia(entry.assignmentDigest)
      const put = ({ sha256, data }: OutboxMedium) => putMedium(deps.link, { params: { ...params, hash: sha256 }, body: data }, signal)
      const carried = media.filter(isCarried).slice(0, carriedLimits.maxMedia)
      const others = media.filter((medium) => !carried.includes(medium))
      await Promise.all(others.map((medium) => given?.get(medium.sha256)?.catch(() => put(medium)) ?? put(medium)))
      const body = carried.length === 0 ? submission : { ...submission, media: carried.map(({ data }) => data) }
      const { voucher } = await deps.link.request('submitResult', { params, body }, signal)
      // First what is owed, then that it is delivered: a crash between them sends it again, and it counts once.
      await deps.credit.addResult(entry, voucher)
      await deps.store.markDelivered(entry.assignmentDigest, deps.clock.nowMs())
      return
    } catch (error) {
      signal.throwIfAborted()
      if (isRefusal(error) || (given === null && isError(error, api.resultMediumAbsent))) {
        const refusal = toCuckooError(error)
        await deps.store.markDelivered(entry.assignmentDigest, deps.clock.nowMs())
        await onRefused?.(refusal, sentAtMs)
        throw refusal
      }
      await waitMs(toRetryMs(error, failures, deps.backoff), signal)
    }
  }
}
