import type { MinerStatus } from '../api/minerStatus.ts'
import { formatBytes } from '../config/bytes.ts'
import { formatDuration } from '../config/duration.ts'
import { toPlainText } from '../domain/plainText.ts'
import { formatCaiShort, formatCompact, formatShort, formatTime } from './format.ts'
import type { Output } from './output.ts'
import { type Column, formatTable } from './table.ts'
import { formatUnits } from './units.ts'

type Screen = Pick<Output, 'columns' | 'style'>
type Coordinator = MinerStatus['coordinators'][number]

/** Lines that tell all of a running miner to people, none wider than the screen as far as words allow. */
export function formatMinerStatus(status: MinerStatus, screen: Screen, nowMs: number): string[] {
  return [
    ...formatHead(status, screen),
    ...section(screen, 'models', modelColumns, status.models.map(toModelRow)),
    ...status.models.flatMap(formatWithheld),
    ...formatCoordinators(status.coordinators, screen),
    ...section(
      screen,
      'running tasks',
      taskColumns,
      status.coordinators.flatMap(({ tasks }) => tasks).map((task) => toTaskRow(task, nowMs)),
    ),
    ...section(screen, 'kinds since the start', kindColumns, status.kinds.map(toKindRow)),
    ...formatTroubles(status, screen),
  ]
}

function formatHead(status: MinerStatus, { style }: Screen): string[] {
  const { phase, pauseReason, memory, eventLoopLag: lag, devices } = status
  const colors = { running: 'green', paused: 'yellow', draining: 'yellow', stopped: 'red' } as const
  const running = status.coordinators.reduce((sum, { tasks }) => sum + tasks.length, 0)
  const budget = memory.budgetBytes === null ? '' : ` of ${formatBytes(memory.budgetBytes)}`
  const busy = devices
    .filter((device) => device.running + device.waiting > 0)
    .map(({ device, running: on, waiting }) => `${device} ${on} running${waiting === 0 ? '' : `, ${waiting} waiting`}`)
  return [
    `${style('bold', `miner ${formatShort(status.node)}`)} on ${status.network}: ${style(colors[phase], phase)}${pauseReason === null ? '' : ` (${pauseReason})`}`,
    `  up ${formatDuration(status.uptimeMs / 1000)}, process ${status.pid}, cuckoo ${status.version}, operator ${formatShort(status.operator)}`,
    `  ${running} of ${status.slots} slot${status.slots === 1 ? '' : 's'} busy${busy.length === 0 ? '' : `; ${busy.join('; ')}`}`,
    `  models ${formatBytes(memory.usedBytes)}${budget}; event loop late p50 ${formatMs(lag.p50Ms)}, p99 ${formatMs(lag.p99Ms)}, max ${formatMs(lag.maxMs)}`,
    ...(status.nodeSetAgeMs > 60_000 ? [`  the node set was read ${formatDuration(status.nodeSetAgeMs / 1000)} ago: is the RPC there?`] : []),
  ]
}

const right = (title: string): Column => ({ title, align: 'right' })
const modelColumns = [{ title: 'model', shrink: true }, { title: 'dtype' }, { title: 'device' }, { title: 'state' }, right('units/s'), right('memory')]
const taskColumns = [{ title: 'task' }, { title: 'kind' }, { title: 'model', shrink: true }, right('done'), right('time')]
const kindColumns = [
  { title: 'kind', shrink: true },
  right('done'),
  right('failed'),
  right('units'),
  right('units/s'),
  right('p50'),
  right('p95'),
  right('CAI'),
]

function section({ columns, style }: Screen, title: string, shape: readonly Column[], rows: readonly string[][]): string[] {
  if (rows.length === 0) return []
  const [head = '', ...lines] = formatTable({ columns: shape, rows }, columns)
  return ['', style('bold', title), style('dim', head), ...lines]
}

function toModelRow(model: MinerStatus['models'][number]): string[] {
  const state = `${model.withheld === null ? model.state : 'not offered'}${model.pinned ? ', pinned' : ''}${model.running === 0 ? '' : `, ${model.running} running`}`
  return [model.model, model.dtype, model.device, state, formatRate(model.unitsPerSecond), formatBytes(model.memoryBytes)]
}

function formatWithheld({ model, withheld }: MinerStatus['models'][number]): string[] {
  if (withheld === null) return []
  const next = withheld.retryAtMs === null ? 'restart the miner' : `opened again at ${formatTime(Math.floor(withheld.retryAtMs / 1000))}`
  return [`  ${model}: ${withheld.reason.replace(/\.$/, '')}; ${next}`]
}

function formatCoordinators(coordinators: readonly Coordinator[], screen: Screen): string[] {
  if (coordinators.length === 0) return ['', 'No active coordinator with a URL is on chain: waiting for one.']
  const rows = coordinators.map((coordinator) => [
    toPlainText(coordinator.url),
    coordinator.session,
    String(coordinator.slots),
    formatCompact(coordinator.weightWei, 0),
    String(coordinator.tasksDone),
    String(coordinator.tasksFailed),
    formatCompact(coordinator.earnedWei, 6),
  ])
  const shape = [{ title: 'coordinator', shrink: true }, { title: 'session' }, right('slots'), right('weight'), right('done'), right('failed'), right('CAI')]
  const [title = '', head = '', ...lines] = section(screen, 'coordinators', shape, rows).slice(1)
  return ['', title, head, ...coordinators.flatMap((coordinator, index) => [lines[index] ?? '', ...formatAbout(coordinator)])]
}

/** What is owed, and why nothing comes. */
function formatAbout({ payments, paymentFactor, lastReasons, lastError, tasks }: Coordinator): string[] {
  const owed =
    payments === null
      ? []
      : [
          `  ${payments.unpaidResults} unpaid; vouchers ${formatCaiShort(payments.voucherWei)}, redeemable ${formatCaiShort(payments.redeemableWei)}`,
          `  ${payments.lineLeftWei === null ? 'line not read yet' : `line left ${formatCaiShort(payments.lineLeftWei)}`}${paymentFactor < 1 ? `; counts ${Math.round(paymentFactor * 100)} % for how it pays` : ''}`,
        ]
  const why = tasks.length > 0 || lastReasons.length === 0 ? [] : [`  no task: ${toPlainText(lastReasons.join('; '))}`]
  return [...owed, ...why, ...(lastError === null ? [] : [`  ${toPlainText(lastError.message)}`])]
}

function toTaskRow(task: Coordinator['tasks'][number], nowMs: number): string[] {
  const done = task.delivering ? 'delivering' : `${Math.floor(task.unitsDone)} of ${formatUnits(task.maxUnits, task.kind)}`
  return [formatShort(task.taskId), task.kind, toPlainText(task.model), done, formatMs(Math.max(0, nowMs - task.startedAtMs))]
}

function toKindRow(kind: MinerStatus['kinds'][number]): string[] {
  const { inferenceMs } = kind
  return [
    kind.kind,
    String(kind.tasksDone),
    String(kind.tasksFailed),
    String(kind.units),
    formatRate(kind.unitsPerSecond),
    inferenceMs === null ? '-' : formatMs(inferenceMs.p50),
    inferenceMs === null ? '-' : formatMs(inferenceMs.p95),
    formatCompact(kind.earnedWei, 6),
  ]
}

function formatTroubles({ crashedTasks, lastError }: MinerStatus, { style }: Screen): string[] {
  const crashes = crashedTasks.map(
    ({ taskId, model, atMs, reported }) =>
      `${formatTime(Math.floor(atMs / 1000))} ${formatShort(taskId)} of ${toPlainText(model)}${reported ? '' : ', the coordinator does not know yet'}`,
  )
  return [
    ...(crashes.length === 0 ? [] : ['', style('bold', 'tasks that ended the process: not run here again for a day'), ...crashes]),
    ...(lastError === null
      ? []
      : ['', style('dim', `last error, ${formatTime(Math.floor(lastError.atMs / 1000))}: ${toPlainText(lastError.error.message)} (${lastError.error.code})`)]),
  ]
}

/** @example formatMs(1234) // '1.2 s' */
function formatMs(ms: number): string {
  if (ms < 1_000) return `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : formatDuration(ms / 1000)
}

function formatRate(unitsPerSecond: number): string {
  if (unitsPerSecond === 0) return '-'
  return unitsPerSecond < 10 ? unitsPerSecond.toFixed(1) : unitsPerSecond.toFixed(0)
}
