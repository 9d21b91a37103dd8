import { Pool } from 'undici'
import { controlFailed } from '../errors/control.ts'
import { CuckooError } from '../errors/cuckooError.ts'
import type { ClientInput } from './client.ts'
import { readBody } from './clientAnswer.ts'
import { type AnyInput, encodeRequest } from './clientRequest.ts'
import type { Route, RouteOutput } from './route.ts'
import { type ControlRouteId, type ControlRoutes, controlRoutes } from './routes/control.ts'

/** File in a miner's folder that holds the path of its socket, or the name of its pipe, while it runs. */
export const controlPathFile = 'control.path'

/** A running miner on this machine. */
export type ControlClient = {
  /**
   * The decoded answer.
   * @throws what the miner answered, CUCKOO_CONTROL_FAILED when there is no answer
   */
  [K in ControlRouteId]: (input: ClientInput<ControlRoutes[K]>) => Promise<RouteOutput<ControlRoutes[K]>>
} & { close(): Promise<void> }

const timeoutMs = 10_000

/** A client of the miner that listens at `socketPath`, a unix domain socket or a Windows named pipe. */
export function createControlClient(socketPath: string): ControlClient {
  const pool = new Pool('http://miner.local', { socketPath, connections: 1, headersTimeout: timeoutMs, bodyTimeout: timeoutMs })

  async function call(route: Route, input: AnyInput): Promise<unknown> {
    const { path, body, headers } = encodeRequest(route, input)
    const toError = (error: unknown) => {
      if (error instanceof CuckooError) return error
      return controlFailed({ endpoint: socketPath, reason: (error as NodeJS.ErrnoException).code ?? String(error) }, { cause: error })
    }
    try {
      const response = await pool.request({ method: route.method, path, headers, body: body.length === 0 ? null : body })
      const answered = Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)]))
      return await readBody({ route, status: response.statusCode, headers: answered, body: response.body, toError })
    } catch (error) {
      throw toError(error)
    }
  }
  const methods = Object.values<Route>(controlRoutes).map((route) => [route.id, (input: AnyInput) => call(route, input)])
  return { ...Object.fromEntries(methods), close: () => pool.destroy() } as ControlClient
}
