import { toPlainText } from '../domain/plainText.ts'
import { CuckooError } from '../errors/cuckooError.ts'
import type { MinerEvent, UnloadReason } from '../miner/minerEvents.ts'
import { formatCaiShort, formatShort, formatTime } from './format.ts'
import { toErrorObject } from './output.ts'
import { formatUnits } from './units.ts'

const unloadReasons: Readonly<Record<UnloadReason, string>> = {
  memory: 'another model needs its place',
  outOfMemory: 'the device had no memory left',
  workerEnded: 'its worker ended',
  paused: 'the miner rests',
}

/** An event as JSON: its type in kebab case as `event`, wei as decimal strings, errors as `--json` prints them. */
export function toEventObject({ type, ...rest }: MinerEvent): { event: string } & Record<string, unknown> {
  const event = type.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  return { event, ...(toPlain(rest) as Record<string, unknown>) }
}

function toPlain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof CuckooError) return toPlain(toErrorObject(value))
  if (Array.isArray(value)) return value.map(toPlain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toPlain(inner)]))
}

const name = ({ url, node }: { url: string; node: string | null }) => `${url}${node === null ? '' : ` (${formatShort(node)})`}`

/** One line for people on an event: what the miner does, and why it gets nothing. Peers have their say in it, so it is plain text. */
export function formatMinerEvent(event: MinerEvent): string {
  return toPlainText(describeEvent(event))
}

function describeEvent(event: MinerEvent): string {
  switch (event.type) {
    case 'modelDownloading': {
      const { file, receivedBytes, totalBytes } = event.progress
      return `downloading ${event.model}: ${file} ${totalBytes === 0 ? '' : `${Math.floor((100 * receivedBytes) / totalBytes)} %`}`.trimEnd()
    }
    case 'modelLoaded':
      return `loaded ${event.model} (${event.dtype}) on ${event.device} (${event.deviceReason}): ${event.unitsPerSecond} units/s`
    case 'modelUnloaded':
      return `unloaded ${event.model} from ${event.device}: ${unloadReasons[event.reason]}`
    case 'modelWithheld':
      return `${event.model} is not offered: ${event.reason.replace(/\.$/, '')}. ${event.retryAtMs === null ? 'Restart the miner' : `It is opened again at ${formatTime(Math.floor(event.retryAtMs / 1000))}`}`
    case 'modelOffered':
      return `${event.model} is offered again`
    case 'coordinatorsMissing':
      return 'no active coordinator with a URL is on chain: waiting for one'
    case 'coordinatorAdded':
      return `coordinator ${name(event.coordinator)} found`
    case 'coordinatorRemoved':
      return `coordinator ${name(event.coordinator)} is gone`
    case 'sessionOpened': {
      const refused = event.refused.map(({ model, message }) => `; refuses ${model}: ${message}`).join('')
      return `session with ${name(event.coordinator)}, ${event.slots} slot${event.slots === 1 ? '' : 's'}${refused}`
    }
    case 'sessionFailed':
      return `no session with ${name(event.coordinator)}: ${event.error.message} Trying again in ${Math.round(event.retryMs / 1000)} s`
    case 'pollFailed':
      return `no answer from ${name(event.coordinator)}: ${event.error.message} Trying again in ${Math.round(event.retryMs / 1000)} s`
    case 'sessionLost':
      return `session with ${name(event.coordinator)} lost: ${event.error.message}`
    case 'sessionClosed':
      return `session with ${name(event.coordinator)} closed`
    case 'waiting':
      return `nothing from ${name(event.coordinator)}: ${event.reasons.join('; ') || 'no task is waiting'}`
    case 'paused':
      return `no work for ${name(event.coordinator)} now: ${[event.text, ...event.reasons].join('; ')}`
    case 'resumed':
      return `working for ${name(event.coordinator)} again`
    case 'voucherRefused':
      return event.error.message
    case 'redeemed':
      return `redeemed ${formatCaiShort(event.amountWei)} from ${name(event.coordinator)}`
    case 'redeemFailed':
      return `not redeemed: ${event.error.message} Trying again in ${Math.round(event.retryMs / 1000)} s`
    case 'taskStarted':
      return `task ${formatShort(event.task.taskId)} (${event.task.model}, ${event.inputTokens === 0 ? event.task.kind : `${event.inputTokens} tokens in`})`
    case 'taskDone':
      return `task ${formatShort(event.task.taskId)} done: ${formatUnits(event.units, event.task.kind)} in ${Math.round(event.inferenceMs)} ms, ${formatCaiShort(event.priceWei)}`
    case 'taskFailed':
      return `task ${formatShort(event.task.taskId)} not done: ${event.error.message}`
    case 'taskCrashed':
      return `task ${formatShort(event.taskId)} ended the process that ran it: it is not run here again for a day`
    case 'resultSettled':
      return `result of ${formatShort(event.taskId)} ${event.error === null ? 'accepted after all' : `refused for good: ${event.error.message}`}`
    case 'juryDuty':
      return `jury duty: ${event.duty} your vote in case ${event.caseId} until ${formatTime(event.until)}, or be fined: \`cuckoo jury status ${event.caseId}\``
    case 'minerPaused':
      return `paused (${event.reason}): ${event.tasks === 0 ? 'no task runs' : `${event.tasks} task${event.tasks === 1 ? '' : 's'} may end`}`
    case 'minerResumed':
      return 'working again'
    case 'draining':
      return `stopping: ${event.tasks} task${event.tasks === 1 ? '' : 's'} may end within ${event.graceMs / 1000} s`
    case 'stopped':
      return 'stopped'
  }
}
