import type { TaskRecord } from '../domain/storePorts.ts'
import type { Admitted } from './admission.ts'
import { type Answer, getAnswer } from './answers.ts'
import type { Coordinator } from './coordinator.ts'

/**
 * What an admitted task says once it is done.
 * @throws what became of a task that is not done in `requestTimeoutMs`
 */
export async function waitForAnswer(coordinator: Coordinator, admitted: Admitted, signal: AbortSignal): Promise<{ record: TaskRecord; answer: Answer }> {
  const { requestTimeoutMs } = coordinator.ports.config
  const record = await coordinator.waitForEnd(admitted, signal, requestTimeoutMs)
  coordinator.assertDone(record, requestTimeoutMs)
  return { record, answer: await getAnswer(coordinator, record) }
}
