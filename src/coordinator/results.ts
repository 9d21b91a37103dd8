import type { Session } from '../api/sessionRegistry.ts'
import { encodeCanonical } from '../domain/canonical.ts'
import type { Hash, Hex } from '../domain/hex.ts'
import type { Manifest } from '../domain/manifest.ts'
import { toPrice, toResultDigest } from '../domain/receipt.ts'
import type { Result } from '../domain/signedStructures.ts'
import type { TaskRecord } from '../domain/storePorts.ts'
import { type TaskContent, type TaskOutput, toUnits } from '../domain/task.ts'
import { leaseLost, resultInvalid, signatureForeign } from '../errors/api.ts'
import { assertOutput } from './assertOutput.ts'
import type { Attempts } from './attempts.ts'
import type { Catalogue } from './catalogue.ts'
import type { CoordinatorPorts } from './coordinatorPorts.ts'
import type { Dispatched, Dispatcher } from './dispatcher.ts'
import type { MediaShelf } from './mediaShelf.ts'
import type { Miners } from './miners.ts'
import type { BoardTask, SignedAssignment, TaskBoard } from './taskBoard.ts'
import type { TaskContents } from './taskContents.ts'
import { takeCarriedMedia } from './taskMedia.ts'

interface Parts {
  ports: CoordinatorPorts
  board: TaskBoard
  attempts: Attempts
  catalogue: Catalogue
  contents: TaskContents
  shelf: MediaShelf
  miners: Miners<Dispatched>
  dispatcher: Dispatcher
}

export interface Submission {
  taskId: Hash
  attempt: number
  result: Result
  signature: Hex
  output: TaskOutput
  /** media of the output that came with it */
  media?: readonly Uint8Array[] | undefined
}

/**
 * The task with this result committed, once: the same result sent again gets the same answer. Everything the result claims is
 * checked before anything is acknowledged.
 * @throws CUCKOO_API_SIGNATURE_FOREIGN when it is not signed by the session's operator, or the task was never this miner's
 * @throws CUCKOO_TASK_LEASE_LOST when the task is no longer the miner's
 * @throws CUCKOO_TASK_MEDIUM_ABSENT when it names a medium that is not here (any more: see `putMedia` of the store)
 * @throws CUCKOO_TASK_RESULT_INVALID when it contradicts the assignment, its output, the media handed in or the tokens streamed before
 */
export async function acceptResult(parts: Parts, session: Session, submission: Submission): Promise<{ record: TaskRecord; priceWei: bigint }> {
  const { ports, board, attempts, miners, dispatcher } = parts
  const { taskId, attempt, result, signature, output, media = [] } = submission
  assertSigned(ports, session, submission)
  const task = attempts.findHeld(taskId, attempt, session.node)
  if (task === undefined) return findAccepted(ports, session, submission)
  const signed = await attempts.getSigned(task)
  const content = await parts.contents.get(task)
  const { hash: outputHash, bytes } = encodeCanonical(output)
  assertConsistent({ task, signed, content, outputHash, manifest: parts.catalogue.getManifest(task.record.manifest), submission })
  const carried = await takeCarriedMedia(parts, task, { content, output }, media)
  const receipt = { assignment: signed.assignment, assignmentSignature: signed.signature, result, resultSignature: signature }
  const record = await ports.store.completeTask({
    id: taskId,
    attempt,
    outputHash,
    output: bytes,
    media: carried,
    receipt,
    finishedAtMs: ports.clock.nowMs(),
  })
  if (record === null) return findAccepted(ports, session, submission)
  void task.stream.finish('tokenIds' in output ? output.tokenIds : [])
  board.update(task, record)
  const miner = miners.find(session)
  if (miner !== undefined) dispatcher.offer(miner)
  return { record, priceWei: toPrice(receipt) }
}

function assertSigned(ports: CoordinatorPorts, session: Session, { result, signature }: Submission): void {
  const signer = ports.verifier.recover(toResultDigest(ports.chain.domainSeparator, result), signature)
  if (signer !== session.operator) throw signatureForeign({ what: 'result', expected: `this session's operator ${session.operator}` })
}

async function findAccepted(ports: CoordinatorPorts, session: Session, submission: Submission): Promise<{ record: TaskRecord; priceWei: bigint }> {
  const { taskId, attempt, result, signature } = submission
  const record = await ports.store.getTask(taskId)
  const receipt = record?.receipt
  if (record && receipt && record.miner === session.node && record.attempt === attempt) {
    const isSame = receipt.resultSignature === signature && receipt.result.outputHash === result.outputHash && receipt.result.assignment === result.assignment
    if (isSame) return { record, priceWei: toPrice(receipt) }
    throw resultInvalid({ taskId, problem: 'another result for this attempt has been accepted' })
  }
  const wasHolder =
    (record?.miner === session.node && record.attempt >= attempt) ||
    record?.failures.some((failure) => failure.attempt === attempt && failure.miner === session.node)
  if (wasHolder) throw leaseLost({ taskId, attempt })
  throw signatureForeign({ what: `result of task ${taskId}`, expected: `the miner that was given attempt ${attempt}` })
}

function assertConsistent(input: {
  task: BoardTask
  signed: SignedAssignment
  content: TaskContent
  outputHash: Hash
  manifest: Manifest
  submission: Submission
}): void {
  const { task, signed, content, outputHash, manifest, submission } = input
  const { result, output, taskId, attempt } = submission
  const refuse = (problem: string) => resultInvalid({ taskId, problem })
  if (result.assignment !== signed.digest) throw refuse(`it is for the assignment ${result.assignment}, not ${signed.digest}`)
  if (result.outputHash !== outputHash) throw refuse(`its output has the hash ${outputHash}, not ${result.outputHash}`)
  assertOutput({ content, output, manifest, finishReason: result.finishReason, refuse })
  const units = toUnits(content, output)
  if (result.units !== units) throw refuse(`it claims ${result.units} units for ${units}`)
  const streamed = task.stream.getReceived(attempt)
  const tokenIds = 'tokenIds' in output ? output.tokenIds : []
  const position = streamed.findIndex((id, index) => tokenIds[index] !== id)
  if (position >= 0) throw refuse(`its token ${position} is not the ${streamed[position]} that was streamed`)
}
