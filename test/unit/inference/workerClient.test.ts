import { afterEach, describe, expect, it, vi } from 'vitest'
import { inferenceDisposed } from '../../../src/errors/inference.ts'
import { createWorkerClient, type WorkerClient } from '../../../src/inference/workerClient.ts'
import type { FaultyProtocol } from './fixtures/faultyWorker.ts'

const open: WorkerClient<FaultyProtocol>[] = []
const create = (options: { maxOldGenerationSizeMb?: number; logger?: Parameters<typeof createWorkerClient>[0]['logger'] } = {}) => {
  const client = createWorkerClient<FaultyProtocol>({
    name: 'faulty',
    file: new URL('./fixtures/faultyWorker.ts', import.meta.url),
    logger: options.logger,
    ...(options.maxOldGenerationSizeMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: options.maxOldGenerationSizeMb } }),
  })
  open.push(client)
  return client
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.terminate()))
})

describe('a worker', () => {
  it('answers with events and a result', async () => {
    const events: number[] = []
    expect(await create().call('echo', { a: new Uint8Array([1]) }, (event) => events.push(event))).toEqual({ a: new Uint8Array([1]) })
    expect(events).toEqual([1, 2])
  })

  it('sends a coded error with its facts and cause, and lives on after it', async () => {
    const client = create()
    await expect(client.call('refuse', null)).rejects.toThrow(
      expect.objectContaining({
        code: 'CUCKOO_INFERENCE_CONTEXT_EXCEEDED',
        facts: { model: 'a/b', promptTokens: 9, maxTokens: 1, contextTokens: 8 },
        cause: expect.objectContaining({ message: 'the root' }),
      }),
    )
    await expect(client.call('throwPlain', null)).rejects.toThrow(
      expect.objectContaining({ code: 'CUCKOO_INTERNAL', cause: expect.objectContaining({ message: 'plain' }) }),
    )
    expect(await client.call('echo', 1)).toBe(1)
  })

  it.each([
    ['exits', 'exit', 3, 'exit code 3'],
    ['throws outside of a call', 'throwOutside', null, 'outside of any call'],
  ] as const)('that %s rejects its open calls and all later ones', async (_, method, args, reason) => {
    const client = create()
    const calls = await Promise.allSettled([client.call('hang', null), client.call(method, args as never)])
    for (const call of calls)
      expect(call).toMatchObject({
        status: 'rejected',
        reason: { code: 'CUCKOO_INFERENCE_WORKER_ENDED', kind: 'unavailable', facts: { worker: 'faulty', reason } },
      })
    await expect(client.call('echo', 1)).rejects.toThrow(expect.objectContaining({ code: 'CUCKOO_INFERENCE_WORKER_ENDED' }))
    expect(await create().call('echo', 2)).toBe(2)
  })

  it('that fills its memory ends alone', async () => {
    const client = create({ maxOldGenerationSizeMb: 40 })
    await expect(client.call('fillMemory', null)).rejects.toThrow(expect.objectContaining({ code: 'CUCKOO_INFERENCE_WORKER_ENDED' }))
  })

  it('that never ends is ended, with the reason given', async () => {
    const client = create()
    const call = client.call('spin', null)
    setTimeout(() => void client.terminate(inferenceDisposed({ what: 'model a/b' })), 200)
    await expect(call).rejects.toThrow(expect.objectContaining({ code: 'CUCKOO_INFERENCE_DISPOSED' }))
  })

  it('writes to the log, not to the screen, and sees no environment variables', async () => {
    const debug = vi.fn()
    const client = create({ logger: { debug, info: vi.fn(), warn: vi.fn() } })
    expect(await client.call('print', 'a library talks')).toEqual({})
    await vi.waitFor(() => expect(debug).toHaveBeenCalledWith({ worker: 'faulty', stream: 'stdout', text: 'a library talks' }, 'worker output'))
  })
})
