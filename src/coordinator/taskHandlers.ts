import type { Handlers } from '../api/handler.ts'
import type { RouteEvent } from '../api/route.ts'
import type { Routes } from '../api/routes/routes.ts'
import type { Hash } from '../domain/hex.ts'
import type { TaskRecord } from '../domain/storePorts.ts'
import { type TaskOutput, toMaxUnits } from '../domain/task.ts'
import { taskKindTraits } from '../domain/taskKinds.ts'
import { taskNotDone, taskUnknown } from '../errors/api.ts'
import { toTaskHeaders, toTaskView } from './answers.ts'
import type { Coordinator } from './coordinator.ts'
import { countInputTokens } from './countInputTokens.ts'
import { type BoardTask, isOpen } from './taskBoard.ts'
import { toAsker } from './taskRequest.ts'

type TaskHandlers = Pick<Handlers, 'createTask' | 'getTask' | 'watchTask' | 'cancelTask' | 'getReceipt' | 'getManifest'>
type TaskEvent = RouteEvent<Routes['watchTask']>

/** The native task routes. */
export function createTaskHandlers(coordinator: Coordinator): TaskHandlers {
  const { ports, board, admission, contents } = coordinator
  const getOwn = async (id: Hash, app: { id: string }): Promise<{ record: TaskRecord; task: BoardTask | null }> => {
    const record = await ports.store.getTask(id)
    if (record === null || record.appId !== app.id) throw taskUnknown({ taskId: id })
    return { record, task: board.find(id) ?? null }
  }
  return {
    async createTask({ body, query }, context) {
      const { dryRun, ...request } = body
      if (dryRun) {
        const { inputTokens, maxPriceWei, model, miners } = await admission.quote(request)
        const { unit } = taskKindTraits[request.kind]
        return { body: { task: null, inputTokens, unit, maxPriceWei, unitPriceWei: model.unitPriceWei, miners } }
      }
      const admitted = await admission.admit(request, toAsker(context))
      const record = await coordinator.waitForEnd(admitted, context.signal, query.waitMs)
      const inputTokens = countInputTokens(admitted.task === null ? await contents.read(record) : await contents.get(admitted.task))
      const { unit } = taskKindTraits[record.kind]
      const miners = coordinator.miners.countOffering(record.manifest)
      const task = await toTaskView(coordinator, record)
      return { body: { task, inputTokens, unit, maxPriceWei: record.maxPriceWei, unitPriceWei: record.unitPriceWei, miners }, headers: toTaskHeaders(record) }
    },
    async getTask({ params, query }, context) {
      const record = await coordinator.waitForEnd(await getOwn(params.id, context.app), context.signal, query.waitMs)
      return { body: await toTaskView(coordinator, record), headers: toTaskHeaders(record) }
    },
    async watchTask({ params }, context) {
      const own = await getOwn(params.id, context.app)
      return { events: watchTask(coordinator, own, context.signal), headers: toTaskHeaders(own.record) }
    },
    async cancelTask({ params }, context) {
      const { record, task } = await getOwn(params.id, context.app)
      const cancelled = task === null ? null : await coordinator.cancel(task)
      // A task that ended first stays as it ended: the answer says how.
      const ended = cancelled ?? (await ports.store.getTask(record.id)) ?? record
      return { body: await toTaskView(coordinator, ended), headers: toTaskHeaders(ended) }
    },
    async getReceipt({ params }, context) {
      const { record } = await getOwn(params.id, context.app)
      if (record.receipt === null) throw taskNotDone({ taskId: record.id, state: record.state })
      const [content, output] = await Promise.all([contents.read(record), contents.findOutput(record) as Promise<TaskOutput>])
      const { chainId, contracts } = ports.chain.deployment
      return { body: { receipt: record.receipt, content, output, chainId, stakingContract: contracts.staking }, headers: toTaskHeaders(record) }
    },
    async getManifest({ params }) {
      return { body: coordinator.catalogue.getManifest(params.digest) }
    },
  }
}

async function* watchTask(
  coordinator: Coordinator,
  own: { record: TaskRecord; task: BoardTask | null },
  signal: AbortSignal,
): AsyncGenerator<TaskEvent, void, undefined> {
  const { task } = own
  const toState = async (record: TaskRecord): Promise<TaskEvent> => ({ type: 'state', task: await toTaskView(coordinator, record) })
  if (task === null || !isOpen(task.record)) {
    const view = await toTaskView(coordinator, task?.record ?? own.record)
    if (view.text !== null) yield { type: 'text', attempt: view.attempt, text: view.text }
    yield { type: 'state', task: view }
    return
  }
  yield* merge<TaskEvent>([watchStates(coordinator, task, signal, toState), watchText(coordinator, task, signal)])
  if (!isOpen(task.record)) yield await toState(task.record)
}

async function* watchStates(
  coordinator: Coordinator,
  task: BoardTask,
  signal: AbortSignal,
  toState: (record: TaskRecord) => Promise<TaskEvent>,
): AsyncGenerator<TaskEvent> {
  let last = ''
  let lastDone = 0
  let total = 0
  while (isOpen(task.record) && !signal.aborted && !coordinator.board.isGivenUp(task)) {
    const { record } = task
    const now = `${record.state} ${record.attempt}`
    if (now !== last) {
      last = now
      lastDone = 0
      yield await toState(record)
    } else if (task.unitsDone > lastDone) {
      lastDone = task.unitsDone
      total ||= Number(toMaxUnits(await coordinator.contents.get(task)))
      yield { type: 'progress', attempt: record.attempt, done: Math.min(lastDone, total), total }
    } else await coordinator.board.waitForChange(task, signal)
  }
}

async function* watchText(coordinator: Coordinator, task: BoardTask, signal: AbortSignal): AsyncGenerator<TaskEvent> {
  for await (const text of coordinator.readText(task, signal)) yield { type: 'text', attempt: task.record.attempt, text }
}

/** Items of several sources as they come, until all have ended; the first error ends them all. */
async function* merge<T>(sources: AsyncGenerator<T>[]): AsyncGenerator<T, void, undefined> {
  const pull = (source: AsyncGenerator<T>) => source.next().then((step) => ({ source, step }))
  const pending = new Map(sources.map((source) => [source, pull(source)]))
  try {
    while (pending.size > 0) {
      const { source, step } = await Promise.race(pending.values())
      if (step.done) pending.delete(source)
      else {
        pending.set(source, pull(source))
        yield step.value
      }
    }
  } finally {
    // A source that waits ends by the signal; whatever it says after that concerns nobody.
    for (const [source, next] of pending) {
      next.catch(() => undefined)
      source.return(undefined).catch(() => undefined)
    }
  }
}
