import type { Session } from '../api/sessionRegistry.ts'
import type { Hash } from '../domain/hex.ts'
import type { Media } from '../domain/media.ts'
import type { NewBlob } from '../domain/storePorts.ts'
import { listInputMedia, listOutputMedia, type TaskContent, type TaskOutput } from '../domain/task.ts'
import { outputLimits, taskKindTraits } from '../domain/taskKinds.ts'
import { leaseLost, mediaAbsent, resultInvalid, resultMediumAbsent } from '../errors/api.ts'
import { CuckooError } from '../errors/cuckooError.ts'
import type { Attempts } from './attempts.ts'
import type { CoordinatorPorts } from './coordinatorPorts.ts'
import type { MediaShelf } from './mediaShelf.ts'
import type { BoardTask } from './taskBoard.ts'
import type { TaskContents } from './taskContents.ts'

interface Parts {
  ports: CoordinatorPorts
  attempts: Attempts
  contents: TaskContents
  shelf: MediaShelf
}
type Refuse = (problem: string, cause?: unknown) => Error
interface MediumId {
  taskId: Hash
  attempt: number
  hash: Hash
}

/**
 * Bytes of a medium that the content of a task names which this miner holds.
 * @throws CUCKOO_TASK_LEASE_LOST, CUCKOO_API_MEDIA_ABSENT
 */
export async function getInputMedia(parts: Parts, session: Session, id: MediumId): Promise<Uint8Array> {
  const content = await parts.contents.get(getHeld(parts, session, id))
  const isNamed = listInputMedia(content).some((media) => media.sha256 === id.hash)
  const data = isNamed ? await parts.ports.store.getBlob(id.hash) : null
  if (data === null) throw mediaAbsent({ hash: id.hash })
  return data
}

/**
 * Keeps a medium of a task's output: only of a task that this miner holds, and no more than the task can have.
 * @throws CUCKOO_TASK_LEASE_LOST
 * @throws CUCKOO_TASK_RESULT_INVALID when it is not what its hash says, no medium of the task's kind, or one too many
 */
export async function takeOutputMedia(parts: Parts, session: Session, id: MediumId, data: Uint8Array): Promise<void> {
  const task = getHeld(parts, session, id)
  const content = await parts.contents.get(task)
  const refuse: Refuse = (problem, cause) => resultInvalid({ taskId: id.taskId, problem }, { cause })
  const most = content.kind === 'image' ? content.params.count : 1
  if (!task.mediaHandedIn.has(id.hash) && task.mediaHandedIn.size >= most) throw refuse(`it has more than ${most} media`)
  task.mediaHandedIn.set(id.hash, null)
  try {
    const media = await readOutputMedium(parts.shelf, content, data, refuse)
    if (media.sha256 !== id.hash) throw refuse(`the medium has SHA-256 ${media.sha256}, not ${id.hash}`)
    await parts.ports.store.putMedia(data, { atMs: parts.ports.clock.nowMs(), app: null, hash: media.sha256 })
    // Not when the attempt has ended meanwhile: the next one's media are counted anew.
    if (task.mediaHandedIn.has(id.hash)) task.mediaHandedIn.set(id.hash, media)
  } catch (error) {
    task.mediaHandedIn.delete(id.hash)
    throw error
  }
}

/**
 * Media that came with a result, for the store, once every medium that `output` names is known to be here or among them, and to be
 * what the output says of it.
 * @throws CUCKOO_TASK_MEDIUM_ABSENT, CUCKOO_TASK_RESULT_INVALID
 */
export async function takeCarriedMedia(
  parts: Pick<Parts, 'ports' | 'shelf'>,
  { mediaHandedIn, record }: BoardTask,
  { content, output }: { content: TaskContent; output: TaskOutput },
  media: readonly Uint8Array[],
): Promise<NewBlob[]> {
  const refuse: Refuse = (problem, cause) => resultInvalid({ taskId: record.id, problem }, { cause })
  const all = listOutputMedia(output)
  const read = media.map(async (bytes) => ({ medium: await readOutputMedium(parts.shelf, content, bytes, refuse), bytes }))
  const carried = new Map((await Promise.all(read)).map((file) => [file.medium.sha256, file]))
  const foreign = [...carried.keys()].find((hash) => all.every(({ sha256 }) => sha256 !== hash))
  if (foreign !== undefined) throw refuse(`it carries the medium ${foreign}, which its output does not name`)
  for (const named of all) {
    // Handed in before a restart of this process: only the store knows.
    const held = carried.get(named.sha256)?.medium ?? mediaHandedIn.get(named.sha256)
    const found = held ?? (await readStoredMedium(parts, content, named.sha256, refuse))
    if (found === null) throw resultMediumAbsent({ taskId: record.id, hash: named.sha256 })
    const difference = findDifference(named, found)
    if (difference !== undefined) throw refuse(`the medium ${named.sha256} has another ${difference} than it says`)
  }
  return [...carried].map(([hash, { bytes }]) => ({ hash, bytes }))
}

async function readStoredMedium(parts: Pick<Parts, 'ports' | 'shelf'>, content: TaskContent, sha256: Hash, refuse: Refuse): Promise<Media | null> {
  const data = await parts.ports.store.getBlob(sha256)
  return data && readOutputMedium(parts.shelf, content, data, refuse)
}

function getHeld({ attempts }: Parts, session: Session, { taskId, attempt }: MediumId): BoardTask {
  const task = attempts.findHeld(taskId, attempt, session.node)
  if (task === undefined) throw leaseLost({ taskId, attempt })
  return task
}

async function readOutputMedium(shelf: MediaShelf, { kind, params }: TaskContent, data: Uint8Array, refuse: Refuse): Promise<Media> {
  const { gives } = taskKindTraits[kind]
  if (gives === null) throw refuse(`tasks of kind ${kind} have no media in their output`)
  const maxPixels = 'width' in params ? params.width * params.height : outputLimits.maxPixels
  return shelf.read(data, gives, { ...outputLimits, maxPixels }).catch((cause: unknown) => {
    throw cause instanceof CuckooError ? refuse(`a medium of it is refused: ${cause.message.replace(/\.$/, '')}`, cause) : cause
  })
}

function findDifference(named: Media, found: Media): string | undefined {
  const [first, second] = [named as unknown as Record<string, unknown>, found as unknown as Record<string, unknown>]
  return [...new Set([...Object.keys(first), ...Object.keys(second)])].find((name) => first[name] !== second[name])
}
