import { parentPort } from 'node:worker_threads'
import { encodeError, type WorkerCall, type WorkerProtocol, type WorkerReply } from './workerMessages.ts'

export type WorkerHandlers<P extends WorkerProtocol> = {
  [M in keyof P]: (args: P[M]['args'], emit: (event: P[M]['event']) => void) => P[M]['result'] | Promise<P[M]['result']>
}

/** Answers calls of the thread that started this worker. A handler's error goes back as the call's error; the worker lives on. */
export function serveWorker<P extends WorkerProtocol>(handlers: WorkerHandlers<P>): void {
  const port = parentPort
  if (port === null) throw new TypeError('this file runs as a worker only')
  const reply = (message: WorkerReply) => port.postMessage(message)
  port.on('message', async ({ id, method, args }: WorkerCall) => {
    try {
      const handler = handlers[method] as WorkerHandlers<P>[keyof P]
      reply({ id, type: 'result', result: await handler(args, (event) => reply({ id, type: 'event', event })) })
    } catch (error) {
      reply({ id, type: 'error', error: encodeError(error) })
    }
  })
}
