import { type ResourceLimits, Worker } from 'node:worker_threads'
import type { CuckooError } from '../errors/cuckooError.ts'
import { inferenceDisposed, inferenceWorkerEnded } from '../errors/inference.ts'
import type { InferenceLogger } from './logger.ts'
import { decodeError, type WorkerCall, type WorkerProtocol, type WorkerReply } from './workerMessages.ts'

export interface WorkerOptions {
  /** what it is called in messages */
  name: string
  file: URL
  resourceLimits?: ResourceLimits
  logger?: InferenceLogger | undefined
}

interface Pending {
  resolve: (result: never) => void
  reject: (error: CuckooError) => void
  onEvent: ((event: never) => void) | undefined
}

/** The calling side of a worker thread. When the worker ends by itself, every open call and all later ones are rejected. */
export interface WorkerClient<P extends WorkerProtocol> {
  /** The error that ended the worker, null while it lives. */
  readonly ended: CuckooError | null
  /**
   * The method's result.
   * @throws the coded error the method threw; CUCKOO_INFERENCE_WORKER_ENDED when the worker ended; CUCKOO_INFERENCE_DISPOSED after `terminate`
   */
  call<M extends keyof P & string>(method: M, args: P[M]['args'], onEvent?: (event: P[M]['event']) => void): Promise<P[M]['result']>
  /** Ends the worker; open calls are rejected with `reason`. */
  terminate(reason?: CuckooError): Promise<void>
}

/**
 * Starts a worker thread. It sees no environment variables (secrets stay here; native libraries read the process's own), its
 * stdout and stderr go to the log at debug level, and it keeps the process alive only while a call is open.
 */
export function createWorkerClient<P extends WorkerProtocol>(options: WorkerOptions): WorkerClient<P> {
  // From 1.30 on, ONNX Runtime's builds for Linux and macOS report to Microsoft unless this is set before they load
  // (microsoft/onnxruntime pull request 27379): prompts and models are nobody's business, and tests talk to loopback only.
  process.env['ORT_DISABLE_TELEMETRY'] = '1'
  const worker = new Worker(options.file, {
    name: options.name,
    env: {},
    execArgv: [],
    stdout: true,
    stderr: true,
    ...(options.resourceLimits === undefined ? {} : { resourceLimits: options.resourceLimits }),
  })
  const pending = new Map<number, Pending>()
  let nextId = 0
  let ended: CuckooError | null = null
  let failure: unknown

  const end = (error: CuckooError) => {
    ended ??= error
    for (const { reject } of pending.values()) reject(ended)
    pending.clear()
  }
  for (const [stream, output] of Object.entries({ stdout: worker.stdout, stderr: worker.stderr })) {
    output.setEncoding('utf8').on('data', (text: string) => options.logger?.debug({ worker: options.name, stream, text: text.trimEnd() }, 'worker output'))
  }
  worker.on('message', (message: WorkerReply) => {
    const call = pending.get(message.id)
    if (call === undefined) return
    if (message.type === 'event') return call.onEvent?.(message.event as never)
    pending.delete(message.id)
    if (pending.size === 0) worker.unref()
    if (message.type === 'result') call.resolve(message.result as never)
    else call.reject(decodeError(message.error))
  })
  worker.on('error', (error) => {
    failure = error
  })
  worker.on('exit', (code) => {
    const reason = failure instanceof Error ? failure.message : `exit code ${code}`
    end(inferenceWorkerEnded({ worker: options.name, reason }, failure === undefined ? undefined : { cause: failure }))
  })
  worker.unref()

  return {
    get ended() {
      return ended
    },
    call: (method, args, onEvent) =>
      new Promise((resolve, reject) => {
        if (ended !== null) return reject(ended)
        const id = nextId++
        pending.set(id, { resolve, reject, onEvent })
        worker.ref()
        worker.postMessage({ id, method, args } satisfies WorkerCall)
      }),
    terminate: async (reason = inferenceDisposed({ what: options.name })) => {
      end(reason)
      await worker.terminate()
    },
  }
}
